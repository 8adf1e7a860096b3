// SQLite's C interface with values and Results: a connection and its statements. Used only by the
// thread that opened it. Private to this folder.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "lunar/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace lunar::state {

// How long to wait for another process that changes the same file.
constexpr int kBusyTimeoutMs = 5000;

class Statement {
 public:
  // Parameters are numbered from 1. Copies the bytes.
  Statement& bind_text(int parameter, std::string_view text);
  // True: there is a row; its columns can be read.
  Result<bool> step();
  // A column of the current row. Empty: no bytes, or NULL.
  [[nodiscard]] std::string_view column(int index) const;
  [[nodiscard]] std::int64_t number(int index) const;

 private:
  friend class Connection;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  Statement(const class Connection& connection, sqlite3_stmt* statement)
      : connection_(&connection), statement_(statement) {}
  void note(int code);

  const class Connection* connection_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  int failure_ = 0;  // of bind_text()
};

// Not movable: statements refer to it.
class Connection {
 public:
  // Opens a database file in an existing folder; creates it if `may_make`. `vfs`: null for SQLite's
  // default. Errors: see error().
  static Result<std::unique_ptr<Connection>> open(const std::string& path, bool may_make,
                                                  const char* vfs = nullptr);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  Result<void> execute(const char* statements);
  Result<Statement> prepare(std::string_view text);
  // Run a statement that gives one value.
  Result<std::int64_t> number(const char* text);
  Result<std::string> text(const char* text);
  [[nodiscard]] bool in_transaction() const;

  // The last failure as an Error: busy, permission, no_resource, malformed or io.
  [[nodiscard]] std::unexpected<Error> error(int code) const;

 private:
  struct Close {
    void operator()(sqlite3* handle) const;
  };
  explicit Connection(std::string path) : path_(std::move(path)) {}

  std::string path_;
  std::unique_ptr<sqlite3, Close> handle_;
};

}  // namespace lunar::state
