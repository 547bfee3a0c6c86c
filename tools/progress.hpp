// How far long work has come: a line on the terminal that standard error is, and nothing anywhere else.
#pragma once

#include <functional>
#include <string>

namespace rnnc::tools {

/// What long work calls: the part of it in [0, 1] that is done, and what it does next.
using Report = std::function<void(double done, const std::string& what)>;

/// A report of the part [begin, end] of a whole.
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

  /// `show` of this object, which must live as long.
  Report report();

 private:
  std::string work_, shown_;
  bool on_terminal_ = false;
};

}  // namespace rnnc::tools
