#include "tools/html_page.hpp"

#include <chrono>
#include <ctime>

#include "tools/bench_page_style.hpp"
#include "tools/svg.hpp"

namespace rnnc::tools {

std::string today() {
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm parts{};
  char text[32] = "";
  if (gmtime_r(&now, &parts) != nullptr) (void)std::strftime(text, sizeof text, "%Y-%m-%d", &parts);
  return text;
}

std::string page_head(const std::string& title) {
  return "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
         // With this policy and an empty icon the browser fetches nothing.
         "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
         "img-src data:\">\n"
         "<link rel=\"icon\" href=\"data:,\">\n<title>" +
         escaped(title) + "</title>\n<style>" + std::string(kBenchPageStyle) + "</style>\n</head>\n";
}

std::string page_tile(const std::string& name, const std::string& value) {
  return "<div class=\"tile\"><dt>" + name + "</dt><dd>" + value + "</dd></div>\n";
}

}  // namespace rnnc::tools
