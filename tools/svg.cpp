#include "tools/svg.hpp"

#include <cmath>
#include <cstdio>

namespace rnnc::tools {
namespace {

// Prints pixels with one digit behind the point.
std::string px(double value) {
  char text[48];
  std::snprintf(text, sizeof text, "%.1f", value);
  return text;
}

std::string anchored(Point at) { return "x=\"" + px(at.x) + "\" y=\"" + px(at.y) + "\""; }

}  // namespace

std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (c == '&')
      result += "&amp;";
    else if (c == '<')
      result += "&lt;";
    else if (c == '>')
      result += "&gt;";
    else if (c == '"')
      result += "&quot;";
    else if (static_cast<unsigned char>(c) >= ' ')  // others have no meaning in a page
      result += c;
  }
  return result;
}

std::string short_number(double value) {
  char text[48];
  std::snprintf(text, sizeof text, value >= 1e4 && value < 1e9 ? "%.0f" : "%.4g", value);
  return text;
}

LogScale::LogScale(double low, double high, double first, double last)
    : low_(low), high_(high), first_(first), last_(last) {}

double LogScale::operator()(double value) const {
  return first_ + (last_ - first_) * std::log(value / low_) / std::log(high_ / low_);
}

bool LogScale::are_apart(const std::vector<double>& values, double pixels) const {
  for (std::size_t i = 1; i < values.size(); ++i)
    if (std::abs((*this)(values[i]) - (*this)(values[i - 1])) < pixels) return false;
  return true;
}

std::vector<double> LogScale::multiples(double pixels) const {
  std::vector<double> values;
  for (double unit = std::pow(10, std::floor(std::log10(high_ - low_)) - 1);; unit *= 10)
    for (const double step : {unit, 2 * unit, 5 * unit}) {
      values.clear();
      for (double n = std::ceil(low_ / step); n * step <= high_; ++n) values.push_back(n * step);
      if (are_apart(values, pixels)) return values;
    }
}

std::vector<double> LogScale::ticks(double pixels) const {
  if (high_ / low_ < 4) return multiples(pixels);
  const int first = static_cast<int>(std::floor(std::log10(low_))), last = static_cast<int>(std::log10(high_)) + 1;
  for (const std::vector<double>& mantissas : {std::vector<double>{1, 2, 5}, {1}}) {
    std::vector<double> values;
    for (int decade = first; decade <= last; ++decade)
      for (const double mantissa : mantissas)
        if (const double value = mantissa * std::pow(10, decade); value >= low_ && value <= high_)
          values.push_back(value);
    if (are_apart(values, pixels)) return values;
  }
  return {};
}

std::vector<double> LogScale::powers_of_two(double pixels) const {
  std::vector<double> values;
  for (int step = 1; step <= 64; step *= 2) {
    values.clear();
    for (int n = static_cast<int>(std::ceil(std::log2(low_) / step)) * step; std::exp2(n) <= high_; n += step)
      values.push_back(std::exp2(n));
    if (are_apart(values, pixels)) break;
  }
  return values;
}

std::string svg_text(Point at, const std::string& text, const std::string& kind, const std::string& anchor,
                     double degrees) {
  const std::string turn =
      degrees == 0 ? "" : " transform=\"rotate(" + px(degrees) + " " + px(at.x) + " " + px(at.y) + ")\"";
  return "<text " + anchored(at) + " class=\"" + kind + "\" text-anchor=\"" + anchor + "\"" + turn + ">" +
         escaped(text) + "</text>\n";
}

std::string svg_line(Point from, Point to, const std::string& kind) { return svg_path({from, to}, kind); }

std::string svg_path(const std::vector<Point>& points, const std::string& kind) {
  std::string text = "<polyline class=\"" + kind + "\" points=\"";
  for (const Point& point : points) text += (&point == points.data() ? "" : " ") + px(point.x) + "," + px(point.y);
  return text + "\"/>\n";
}

namespace {

std::string pair(Point at) { return px(at.x) + " " + px(at.y); }

std::string head_of_arrow(Point tip, double dx, double dy, const std::string& kind) {
  constexpr double kLong = 7, kWide = 3.5;
  const Point one{tip.x - kLong * dx - kWide * dy, tip.y - kLong * dy + kWide * dx};
  const Point other{tip.x - kLong * dx + kWide * dy, tip.y - kLong * dy - kWide * dx};
  return "<path class=\"" + kind + "-head\" d=\"M " + pair(tip) + " L " + pair(one) + " L " + pair(other) + " Z\"/>\n";
}

}  // namespace

std::string svg_arrow(const std::vector<Point>& points, const std::string& kind) {
  std::string text = "<path class=\"" + kind + "\" d=\"M " + pair(points.front());
  for (std::size_t i = 1; i < points.size(); ++i) {
    const Point from = points[i - 1], to = points[i];
    const double middle = (from.y + to.y) / 2;
    text += " C " + pair({from.x, middle}) + " " + pair({to.x, middle}) + " " + pair(to);
  }
  return text + "\"/>\n" + head_of_arrow(points.back(), 0, 1, kind);
}

std::string svg_loop(Point from, Point to, double out, const std::string& kind) {
  const double x = from.x + out;
  return "<path class=\"" + kind + "\" d=\"M " + pair(from) + " C " + pair({x, from.y}) + " " + pair({x, to.y}) + " " +
         pair(to) + "\"/>\n" + head_of_arrow(to, -1, 0, kind);
}

std::string svg_rectangle(Point corner, double width, double height, const std::string& kind) {
  return "<rect " + anchored(corner) + " width=\"" + px(width) + "\" height=\"" + px(height) + "\" rx=\"6\" class=\"" +
         kind + "\"/>\n";
}

std::string svg_circle(Point at, double radius, const std::string& kind, const std::string& tip) {
  const std::string circle =
      "<circle cx=\"" + px(at.x) + "\" cy=\"" + px(at.y) + "\" r=\"" + px(radius) + "\" class=\"" + kind + "\"";
  return tip.empty() ? circle + "/>\n" : circle + "><title>" + escaped(tip) + "</title></circle>\n";
}

std::string svg_figure(double width, double height, const std::string& title, const std::string& content) {
  const std::string size = px(width) + " " + px(height);
  return "<svg viewBox=\"0 0 " + size + "\" role=\"img\" aria-label=\"" + escaped(title) + "\">\n" + "<title>" +
         escaped(title) + "</title>\n" + content + "</svg>\n";
}

}  // namespace rnnc::tools
