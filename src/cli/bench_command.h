// `lunar bench`: its options and output.
#pragma once

#include <memory>

namespace CLI {
class App;
}

namespace lunar::cli {

// Adds the subcommand to `app`, which must outlive it.
class BenchCommand {
 public:
  explicit BenchCommand(CLI::App& app);
  ~BenchCommand();

  [[nodiscard]] CLI::App* command() const { return command_; }
  // Returns the exit code: 0; 1: the run failed or found wrong data; 2: wrong options. An error is
  // one line on standard error.
  [[nodiscard]] int run() const;

 private:
  struct Arguments;
  std::unique_ptr<Arguments> arguments_;
  CLI::App* command_;
};

}  // namespace lunar::cli
