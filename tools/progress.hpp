// Reports of long work become a line on the terminal that standard error is, and nothing where it is no terminal.
#pragma once

#include <functional>
#include <string>

namespace rnnc::tools {

/// Long work calls a report with the part of the work in [0, 1] that is done, and with what it does next.
using Report = std::function<void(double done, const std::string& what)>;

/// Makes a report of the part [begin, end] of a whole.
Report part_of(const Report& whole, double begin, double end);

class Progress {
 public:
  /// `work` begins the line. Shows nothing where standard error is no terminal, or one that cannot go back in a line.
  explicit Progress(std::string work);
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void show(double done, const std::string& what);

  /// Takes the line away, before anything else is printed; `show` brings it back.
  void clear();

  /// Returns a report that calls `show` of this object, which must live as long.
  Report report();

 private:
  std::string work_, shown_;
  bool on_terminal_ = false;
};

}  // namespace rnnc::tools
