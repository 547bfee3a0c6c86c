// Points and texts become SVG elements for figures inside a page, which the page's style sheet colours by their
// classes; scales have the marks that people like on axes.
#pragma once

#include <string>
#include <vector>

namespace rnnc::tools {

/// Escapes `text` for HTML, SVG and their quoted attributes.
std::string escaped(const std::string& text);

/// Prints a number as short as possible, with four digits or all those before the point: 0.25, 1.5, 20480.
std::string short_number(double value);

/// Maps values above 0 to pixels on a logarithmic scale.
class LogScale {
 public:
  LogScale(double low, double high, double first, double last);

  double low() const { return low_; }
  double high() const { return high_; }
  double operator()(double value) const;

  /// Returns round values inside the scale, at least `pixels` apart: 1, 2, 5, 10, ..., or only powers of ten; over less
  /// than a factor of four, multiples of a round step.
  std::vector<double> ticks(double pixels) const;

  /// Returns powers of two inside the scale, at least `pixels` apart.
  std::vector<double> powers_of_two(double pixels) const;

 private:
  bool are_apart(const std::vector<double>& values, double pixels) const;
  std::vector<double> multiples(double pixels) const;

  double low_, high_, first_, last_;
};

struct Point {
  double x = 0, y = 0;
};

/// `kind` is a class of the page's style sheet, `anchor` start, middle or end.
std::string svg_text(Point at, const std::string& text, const std::string& kind, const std::string& anchor,
                     double degrees = 0);
std::string svg_line(Point from, Point to, const std::string& kind);
std::string svg_path(const std::vector<Point>& points, const std::string& kind);
/// Draws a curve through the points that leaves and reaches each of them vertically, and ends in an arrow.
std::string svg_arrow(const std::vector<Point>& points, const std::string& kind);
/// Draws a curve from `from` back to `to`, which stands above it, around the right and into an arrow. The curve goes as
/// far as `out` to the right.
std::string svg_loop(Point from, Point to, double out, const std::string& kind);
std::string svg_rectangle(Point corner, double width, double height, const std::string& kind);
/// `tip` is shown where a pointer rests on it.
std::string svg_circle(Point at, double radius, const std::string& kind, const std::string& tip = "");

/// Returns the whole figure; `title` says to people who cannot see it what it shows.
std::string svg_figure(double width, double height, const std::string& title, const std::string& content);

}  // namespace rnnc::tools
