#include "tools/network_drawing.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <span>
#include <utility>

#include "tools/svg.hpp"

namespace rnnc::tools {
namespace {

constexpr double kCharacter = 7.2;  // about the pixels of a character at the size of the page's figures
constexpr double kLine = 17, kPadding = 11, kMargin = 8;
constexpr double kBeside = 26, kBelow = 40;    // the room between boxes
constexpr double kLoop = 30, kLaneWidth = 14;  // of a state's arrow, and of an arrow that passes a row
constexpr int kSweeps = 6;

// A place in a row: a box, or the lane of an arrow that passes the row.
struct DrawnPlace {
  bool is_box = false;
  std::size_t box = 0;
  double width = 0, height = 0;  // of the box
  double room = 0;               // with what stands beside it
  double x = 0, y = 0;           // of its upper left corner
  std::vector<std::size_t> above = {}, below = {};

  double centre() const { return x + width / 2; }
};

// Counts the characters of UTF-8, not the bytes.
std::size_t characters(const std::string& text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return (c & 0xc0) != 0x80; }));
}

DrawnPlace place_of(const Box& box, std::size_t number) {
  constexpr double kBold = 1.15;  // the title is bold and a little larger
  auto longest = kBold * static_cast<double>(characters(box.title));
  for (const std::string& line : box.lines) longest = std::max(longest, static_cast<double>(characters(line)));
  DrawnPlace place{true, number, kCharacter * longest + 2 * kPadding,
                   kLine * static_cast<double>(1 + box.lines.size()) + 2 * kPadding - 4};
  place.room = place.width;
  if (!box.states.empty()) place.room += kLoop + 4 + kCharacter * static_cast<double>(characters(box.states));
  return place;
}

// Gives each box a row below all that it reads. An input stands right above the first box that reads it.
std::vector<std::size_t> rows_of(const std::vector<Box>& boxes) {
  std::vector<std::size_t> rows(boxes.size(), 0);
  for (std::size_t i = 0; i < boxes.size(); ++i)
    for (const std::size_t source : boxes[i].sources) rows[i] = std::max(rows[i], rows[source] + 1);
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    if (!boxes[i].sources.empty()) continue;
    std::size_t first = boxes.size();
    for (std::size_t j = 0; j < boxes.size(); ++j)
      if (std::ranges::find(boxes[j].sources, i) != boxes[j].sources.end()) first = std::min(first, rows[j]);
    if (first < boxes.size() && first > 0) rows[i] = first - 1;
  }
  return rows;
}

class Layout {
 public:
  explicit Layout(const std::vector<Box>& boxes) : boxes_(boxes) {
    const std::vector<std::size_t> row = rows_of(boxes);
    for (std::size_t i = 0; i < boxes.size(); ++i) add(place_of(boxes[i], i), row[i]);
    for (std::size_t i = 0; i < boxes.size(); ++i)
      for (const std::size_t source : boxes[i].sources) connect(source, row[source], i, row[i]);
    for (int sweep = 0; sweep < kSweeps; ++sweep) sort_rows(sweep % 2 == 0);
    set_places();
  }

  std::string drawn(const std::string& title) const {
    std::string content;
    for (const std::vector<std::size_t>& path : paths_) content += arrow(path);
    for (const DrawnPlace& place : places_)
      if (place.is_box) content += box(place);
    return svg_figure(width_, height_, title, content);
  }

  double width() const { return width_; }

 private:
  std::size_t add(DrawnPlace place, std::size_t row) {
    if (rows_.size() <= row) rows_.resize(row + 1);
    rows_[row].push_back(places_.size());
    places_.push_back(std::move(place));
    return places_.size() - 1;
  }

  // Connects two boxes by a lane in each row between them.
  void connect(std::size_t from, std::size_t from_row, std::size_t to, std::size_t to_row) {
    std::vector<std::size_t> path = {from};
    for (std::size_t row = from_row + 1; row < to_row; ++row)
      path.push_back(add({.width = kLaneWidth, .room = kLaneWidth}, row));
    path.push_back(to);
    for (std::size_t i = 1; i < path.size(); ++i) {
      places_[path[i]].above.push_back(path[i - 1]);
      places_[path[i - 1]].below.push_back(path[i]);
    }
    paths_.push_back(std::move(path));
  }

  // Puts each place near the middle of its neighbours in the row before, so that few arrows cross.
  void sort_rows(bool downwards) {
    std::vector<double> position(places_.size());
    for (const std::vector<std::size_t>& row : rows_)
      for (std::size_t i = 0; i < row.size(); ++i)
        position[row[i]] = (static_cast<double>(i) + 0.5) / static_cast<double>(row.size());
    const auto sort = [&](std::vector<std::size_t>& row) {
      std::vector<std::pair<double, std::size_t>> wanted;
      for (const std::size_t place : row) {
        const auto& near = downwards ? places_[place].above : places_[place].below;
        double sum = 0;
        for (const std::size_t other : near) sum += position[other];
        wanted.emplace_back(near.empty() ? position[place] : sum / static_cast<double>(near.size()), place);
      }
      std::ranges::stable_sort(wanted, {}, &std::pair<double, std::size_t>::first);
      for (std::size_t i = 0; i < row.size(); ++i) {
        row[i] = wanted[i].second;
        position[row[i]] = (static_cast<double>(i) + 0.5) / static_cast<double>(row.size());
      }
    };
    if (downwards)
      std::ranges::for_each(rows_, sort);
    else
      std::for_each(rows_.rbegin(), rows_.rend(), sort);
  }

  void set_places() {
    double y = kMargin;
    for (const std::vector<std::size_t>& row : rows_) {
      double x = 0, height = 0;
      for (const std::size_t place : row) {
        places_[place].x = x;
        x += places_[place].room + kBeside;
        height = std::max(height, places_[place].height);
      }
      for (const std::size_t place : row) {
        DrawnPlace& each = places_[place];
        if (!each.is_box) each.height = height;
        each.y = y + (height - each.height) / 2;
      }
      move_under_boxes_above(row);
      y += height + kBelow;
    }
    for (const std::vector<std::size_t>& path : paths_) straighten(path);
    double least = 0, most = 0;
    for (const DrawnPlace& place : places_)
      least = std::min(least, place.x), most = std::max(most, place.x + place.room);
    for (DrawnPlace& place : places_) place.x += kMargin - least;
    width_ = most - least + 2 * kMargin;
    height_ = y - kBelow + kMargin;
  }

  // Moves a row so that its boxes, and not their states or lanes, stand under those that they read.
  void move_under_boxes_above(const std::vector<std::size_t>& row) {
    double wanted = 0, here = 0, count = 0;
    for (const std::size_t place : row)
      for (const std::size_t above : places_[place].above) {
        if (!places_[place].is_box || !places_[above].is_box) continue;
        wanted += places_[above].centre();
        here += places_[place].centre();
        ++count;
      }
    if (count == 0) return;
    for (const std::size_t place : row) places_[place].x += (wanted - here) / count;
  }

  const std::vector<std::size_t>& row_of(std::size_t place) const {
    return *std::ranges::find_if(rows_, [&](const auto& row) { return std::ranges::find(row, place) != row.end(); });
  }

  // Puts the lanes of an arrow that passes right of all boxes in one line, beside those that are there already.
  void straighten(const std::vector<std::size_t>& path) {
    if (path.size() < 3) return;
    const std::span<const std::size_t> lanes(path.begin() + 1, path.end() - 1);
    double x = -1e9;
    for (const std::size_t lane : lanes) {
      bool is_behind = false;
      for (const std::size_t place : row_of(lane)) {
        if (place == lane) is_behind = true;
        if (!places_[place].is_box) continue;
        if (is_behind) return;
        x = std::max(x, places_[place].x + places_[place].room + kLaneWidth / 2);
      }
    }
    const auto is_taken = [&](double at) {
      return std::ranges::any_of(lanes, [&](std::size_t lane) {
        return std::ranges::any_of(row_of(lane), [&](std::size_t other) {
          return is_straight_.contains(other) && std::abs(places_[other].x - at) < kLaneWidth;
        });
      });
    };
    while (is_taken(x)) x += kLaneWidth;
    for (const std::size_t lane : lanes) {
      places_[lane].x = x;
      is_straight_.insert(lane);
    }
  }

  // Spreads the arrows that leave or reach a box along its edge, in the order of their other ends.
  double end_at(std::size_t place, std::size_t other, bool is_below) const {
    const DrawnPlace& here = places_[place];
    if (!here.is_box) return here.centre();
    std::vector<std::size_t> ends = is_below ? here.below : here.above;
    std::ranges::stable_sort(ends, {}, [&](std::size_t end) { return places_[end].centre(); });
    const auto at = static_cast<double>(std::ranges::find(ends, other) - ends.begin());
    const double apart = std::min(24.0, here.width / (static_cast<double>(ends.size()) + 1));
    return here.centre() + apart * (at - (static_cast<double>(ends.size()) - 1) / 2);
  }

  std::string arrow(const std::vector<std::size_t>& path) const {
    std::vector<Point> points;
    for (std::size_t i = 0; i < path.size(); ++i) {
      const DrawnPlace& place = places_[path[i]];
      if (i > 0) points.push_back({end_at(path[i], path[i - 1], false), place.y});
      if (i + 1 < path.size()) points.push_back({end_at(path[i], path[i + 1], true), place.y + place.height});
    }
    return svg_arrow(points, "flow");
  }

  std::string box(const DrawnPlace& place) const {
    static constexpr const char* kClasses[] = {"box input", "box layer", "box between", "box over-time", "box output"};
    const Box& box = boxes_[place.box];
    std::string text =
        svg_rectangle({place.x, place.y}, place.width, place.height, kClasses[static_cast<std::size_t>(box.kind)]);
    double y = place.y + kPadding + 10;
    text += svg_text({place.centre(), y}, box.title, "text title", "middle");
    for (const std::string& line : box.lines) text += svg_text({place.centre(), y += kLine}, line, "faint", "middle");
    if (box.states.empty()) return text;
    const double right = place.x + place.width, third = place.height / 4;
    text += svg_loop({right, place.y + place.height - third}, {right, place.y + third}, kLoop, "flow");
    return text + svg_text({right + kLoop, place.y + place.height / 2 + 4}, box.states, "faint", "start");
  }

  const std::vector<Box>& boxes_;
  std::vector<DrawnPlace> places_;  // the boxes, then the lanes
  std::vector<std::vector<std::size_t>> rows_, paths_;
  std::set<std::size_t> is_straight_;  // lanes
  double width_ = 0, height_ = 0;
};

}  // namespace

Drawing draw(const std::vector<Box>& boxes, const std::string& title) {
  const Layout layout(boxes);
  return {layout.drawn(title), layout.width()};
}

}  // namespace rnnc::tools
