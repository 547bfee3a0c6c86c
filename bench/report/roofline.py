"""docs/roofline.svg from results: what one core can do at each arithmetic intensity, and where our shapes lie.

The figure stands by itself: no script, no font or file of others, its own background, light or dark as readers have it.
"""
import math
from xml.sax.saxutils import escape

from .shapes import REGIMES, regime_of

WIDTH, HEIGHT = 960, 580
LEFT, RIGHT, TOP, BOTTOM = 76, 700, 76, 510
SPACE = 10  # between the middles of marks
MOST_APART = 150  # of more there is no room to move any
# Okabe and Ito's colours, which colour-blind readers can tell apart, and a mark for each besides.
STYLES = dict(zip((regime.name for regime in REGIMES), (
    ("#CC79A7", "diamond"), ("#56B4E9", "down"), ("#0072B2", "up"), ("#D55E00", "circle"),
    ("#E69F00", "square"), ("#8C564B", "pentagon"), ("#009E73", "cross"), ("#7F7F7F", "star"))))
CSS = """
.card{fill:#ffffff;stroke:#d0d7de}.text{fill:#1f2328}.faint{fill:#59636e}.grid{stroke:#e4e8ec}.axis{stroke:#8c959f}
.roof{stroke:#1f2328;fill:none;stroke-width:1.6}.read{stroke:#59636e;fill:none;stroke-width:1.3}
.mark{stroke:#ffffff;stroke-width:.8}
@media (prefers-color-scheme: dark){
.card{fill:#161b22;stroke:#30363d}.text{fill:#e6edf3}.faint{fill:#9ea7b3}.grid{stroke:#262c34}.axis{stroke:#6e7681}
.roof{stroke:#e6edf3}.read{stroke:#9ea7b3}.mark{stroke:#161b22}}
"""


class Scale:
    """Logarithmic, from values to pixels."""

    def __init__(self, low, high, first, last):
        self.low, self.high, self.first, self.last = low, high, first, last

    def __call__(self, value):
        return self.first + (self.last - self.first) * math.log(value / self.low) / math.log(self.high / self.low)

    def powers(self, base):
        first = math.ceil(math.log(self.low, base) - 1e-9)
        return [base**n for n in range(first, math.floor(math.log(self.high, base) + 1e-9) + 1)]

    def steps(self):
        """1, 2, 5, 10, ... inside."""
        decades = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        return [n * 10**d for d in decades for n in (1, 2, 5) if self.low <= n * 10**d <= self.high]


def number(value):
    return f"{value:g}" if value >= 1 or value == 0 else f"{value:.4g}"


def text(x, y, content, kind="text", anchor="start", size=12, extra=""):
    return (f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}" font-size="{size}"{extra}>'
            f"{escape(content)}</text>\n")


def line(x1, y1, x2, y2, kind, extra=""):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"{extra}/>\n'


def polygon(x, y, radius, corners, turn=0.0, inner=1.0):
    points = []
    for i in range(corners):
        angle = turn + 2 * math.pi * i / corners - math.pi / 2
        r = radius * (inner if i % 2 else 1)
        points.append(f"{x + r * math.cos(angle):.1f},{y + r * math.sin(angle):.1f}")
    return f'<polygon points="{" ".join(points)}"'


def cross(x, y, r):
    a = r * 0.4
    corners = ((-a, -r), (a, -r), (a, -a), (r, -a), (r, a), (a, a),
               (a, r), (-a, r), (-a, a), (-r, a), (-r, -a), (-a, -a))
    return '<polygon points="' + " ".join(f"{x + dx:.1f},{y + dy:.1f}" for dx, dy in corners) + '"'


def mark(regime_name, x, y, tip=""):
    colour, form = STYLES[regime_name]
    shape = {
        "circle": lambda: f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.6"',
        "square": lambda: polygon(x, y, 6.2, 4, math.pi / 4),
        "diamond": lambda: polygon(x, y, 6.2, 4),
        "up": lambda: polygon(x, y, 6, 3),
        "down": lambda: polygon(x, y, 6, 3, math.pi),
        "pentagon": lambda: polygon(x, y, 5.6, 5),
        "star": lambda: polygon(x, y, 7, 10, 0.0, 0.45),
        "cross": lambda: cross(x, y, 5.4),
    }[form]()
    return f'{shape} class="mark" fill="{colour}"><title>{escape(tip)}</title></{shape[1:shape.index(" ")]}>\n'


def axes(xs, ys):
    parts = []
    for value in xs.powers(2):
        parts.append(line(xs(value), TOP, xs(value), BOTTOM, "grid"))
        parts.append(text(xs(value), BOTTOM + 18, number(value), "faint", "middle"))
    for value in ys.steps():
        parts.append(line(LEFT, ys(value), RIGHT, ys(value), "grid"))
        parts.append(text(LEFT - 8, ys(value) + 4, number(value), "faint", "end"))
    parts += [line(LEFT, BOTTOM, RIGHT, BOTTOM, "axis"), line(LEFT, TOP, LEFT, BOTTOM, "axis")]
    parts.append(text((LEFT + RIGHT) / 2, BOTTOM + 42, "operations for each byte of recurrent weights read (FLOP/byte)",
                      anchor="middle", size=13))
    middle = (TOP + BOTTOM) / 2
    parts.append(text(24, middle, "GFLOP/s a core", anchor="middle", size=13,
                      extra=f' transform="rotate(-90 24 {middle})"'))
    return "".join(parts)


def roofs(reads, peak, xs, ys):
    """The peak as a level line, and a slope for each level of memory, named where there is room."""
    ridge = peak / max(speed for _, speed in reads)
    parts = [line(xs(max(ridge, xs.low)), ys(peak), RIGHT, ys(peak), "roof"),
             text(RIGHT - 8, ys(peak) - 8, f"multiply-adds, {peak:.0f} GFLOP/s", "text", "end")]
    angle = math.degrees(math.atan2(ys(10) - ys(1), xs(10) - xs(1)))
    steep, above = math.radians(angle), None
    for level, speed in reads:
        begin, end = max(xs.low, ys.low / speed), min(peak / speed, xs.high)
        if begin >= end:
            continue
        x, y = xs(begin), ys(begin * speed)
        parts.append(line(x, y, xs(end), ys(end * speed), "read"))
        # Above its line, or below it where the line above is too near.
        tight = above is not None and (ys(begin * speed) - ys(begin * above)) * math.cos(steep) < 24
        parts.append(text(x + 26, y + 14 if tight else y - 6, f"{level}, {speed:.0f} GB/s", "faint",
                          extra=f' transform="rotate({angle:.1f} {x:.1f} {y:.1f})"'))
        above = speed
    return "".join(parts)


def side_by_side(places):
    """The places, moved sideways where a mark would hide one before it."""
    if len(places) > MOST_APART:
        return places
    placed = []
    for x, y in places:
        offsets = (sign * SPACE * n for n in range(len(places)) for sign in (1, -1))
        free = next(dx for dx in offsets if all(math.hypot(x + dx - a, y - b) >= SPACE for a, b in placed))
        placed.append((x + free, y))
    return placed


def legend(present):
    parts = [text(RIGHT + 28, TOP + 10, "regime", "faint")]
    for i, name in enumerate(present):
        y = TOP + 34 + 24 * i
        parts.append(mark(name, RIGHT + 34, y - 4, name) + text(RIGHT + 50, y, name, size=13))
    y = TOP + 34 + 24 * len(present) + 20
    for i, words in enumerate(("A point is a shape; its distance", "from the roof above it is what",
                               "the machine would still allow.", "With I = H the intensity is",
                               "about the batch; marks that would", "hide each other stand side by side.")):
        parts.append(text(RIGHT + 28, y + 17 * i, words, "faint"))
    return "".join(parts)


def render(results):
    peak, reads = float(results.facts["peak_gflops"]), results.reads()
    points = [(regime_of(row.shape).name, row.intensity, row.gflops / row.shape.threads, row.shape)
              for row in results.rows]
    # Two octaves on the left for the names of the slopes.
    xs = Scale(min(p[1] for p in points) / 4, max(p[1] for p in points) * 1.7, LEFT, RIGHT)
    ys = Scale(min(p[2] for p in points) / 1.5, peak * 1.5, BOTTOM, TOP)
    present = [regime.name for regime in REGIMES if any(p[0] == regime.name for p in points)]
    machine = results.facts.get("machine", "").split(",")[0]
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
             f'width="{WIDTH}" height="{HEIGHT}" '
             'font-family="system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif" role="img">\n',
             f"<title>Roofline of rnnc on {escape(machine)}</title>\n<style>{CSS}</style>\n",
             f'<rect x=".5" y=".5" width="{WIDTH - 1}" height="{HEIGHT - 1}" rx="8" class="card"/>\n',
             text(LEFT, 34, "What rnnc makes of a core", size=18, extra=' font-weight="600"'),
             text(LEFT, 54, f"{machine}, f32, {results.facts.get('date', '')}", "faint"),
             axes(xs, ys), roofs(reads, peak, xs, ys)]
    places = side_by_side([(xs(intensity), ys(gflops)) for _, intensity, gflops, _ in points])
    for (name, _, gflops, shape), (x, y) in zip(points, places):
        parts.append(mark(name, x, y, f"{shape}: {gflops:.1f} GFLOP/s a core"))
    return "".join(parts) + legend(present) + "</svg>\n"
