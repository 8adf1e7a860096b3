// `lunar bench`: its options, and what it prints.
#pragma once

#include <memory>

namespace CLI {
class App;
}

namespace lunar::cli {

// Adds the subcommand to `app`, which outlives it.
class BenchCommand {
 public:
  explicit BenchCommand(CLI::App& app);
  ~BenchCommand();

  [[nodiscard]] CLI::App* command() const { return command_; }
  // The exit code: 0; 1 for a run that failed or found wrong data; 2 for wrong options. What is
  // wrong is one line on standard error.
  [[nodiscard]] int run() const;

 private:
  struct Arguments;
  std::unique_ptr<Arguments> arguments_;
  CLI::App* command_;
};

}  // namespace lunar::cli
