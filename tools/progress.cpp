#include "tools/progress.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <utility>

namespace rnnc::tools {
namespace {

constexpr int kBar = 24;              // characters of the bar
constexpr std::size_t kColumns = 80;  // the columns of a terminal that does not tell them

bool is_terminal() {
  const char* kind = std::getenv("TERM");
  return isatty(STDERR_FILENO) == 1 && (kind == nullptr || std::string_view(kind) != "dumb");
}

// The last column stays free, since some terminals begin a new line there.
std::size_t most_characters() {
  winsize size{};
  const bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return (known ? size.ws_col : kColumns) - 1;
}

std::string line(const std::string& work, double done, const std::string& what) {
  const double part = std::clamp(done, 0.0, 1.0);
  const int filled = static_cast<int>(std::lround(part * kBar));
  char percent[8];
  std::snprintf(percent, sizeof percent, "%3.0f %%", 100 * part);
  return work + " [" + std::string(filled, '#') + std::string(kBar - filled, '-') + "] " + percent + "  " + what;
}

}  // namespace

Report part_of(const Report& whole, double begin, double end) {
  return [=](double done, const std::string& what) { whole(begin + done * (end - begin), what); };
}

Progress::Progress(std::string work) : work_(std::move(work)), on_terminal_(is_terminal()) {}

void Progress::show(double done, const std::string& what) {
  if (!on_terminal_) return;
  std::string text = line(work_, done, what).substr(0, most_characters());
  if (text == shown_) return;
  const std::size_t left_over = shown_.size() > text.size() ? shown_.size() - text.size() : 0;
  std::fprintf(stderr, "\r%s%s", text.c_str(), std::string(left_over, ' ').c_str());
  std::fflush(stderr);
  shown_ = std::move(text);
}

void Progress::clear() {
  if (shown_.empty()) return;
  std::fprintf(stderr, "\r%s\r", std::string(shown_.size(), ' ').c_str());
  std::fflush(stderr);
  shown_.clear();
}

Report Progress::report() {
  return [this](double done, const std::string& what) { show(done, what); };
}

}  // namespace rnnc::tools
