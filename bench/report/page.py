"""docs/performance.md from results: pure text to text. The part between the markers is written by hand and stays."""
from .results import NOISY, OURS, geometric_mean
from .shapes import REGIMES, regime_of

BEGIN, END = "<!-- by hand: begin -->", "<!-- by hand: end -->"
FIRST_BY_HAND = "\n## What was tried\n\n"
TITLES = {"onednn": "oneDNN", "ort": "ONNX Runtime"}
MOST_ROWS = 30  # of a table; of longer ones its two ends


def title(name):
    return TITLES.get(name, name)


def by_hand(page):
    """The part of an older page that is to be kept. Raises ValueError where its markers are not a pair."""
    if page is None:
        return FIRST_BY_HAND
    if page.count(BEGIN) != 1 or page.count(END) != 1 or page.index(BEGIN) > page.index(END):
        raise ValueError(f"it needs '{BEGIN}' and '{END}' once each, so that what stands between is kept")
    return page[page.index(BEGIN) + len(BEGIN):page.index(END)]


def microseconds(value):
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:.0f}"


def time_text(time):
    if time is None:
        return ""
    return microseconds(time.best_us) + (" ~" if (time.spread or 0) > NOISY else "")


def is_loss(ratio):
    return round(ratio, 2) < 1


def ratio_text(ratio):
    if ratio is None:
        return ""
    return f"**{ratio:.2f} slower**" if is_loss(ratio) else f"{ratio:.2f}"


def table(header, rows):
    lines = [header, ["---"] * len(header)] + rows
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def shape_row(row, names):
    return [f"`{row.shape}`", *(time_text(row.times.get(name)) for name in names), ratio_text(row.ratio),
            f"{row.gflops:.1f}", f"{100 * row.limit_fraction:.0f} %"]


def header_of(names):
    return ["shape", *(f"{title(name)} µs" for name in names), f"fastest peer / {OURS}", "GFLOP/s", "of the limit"]


def shapes_table(rows, names):
    header = header_of(names)
    if len(rows) <= MOST_ROWS:
        return table(header, [shape_row(row, names) for row in rows])
    ordered = sorted(rows, key=lambda row: (row.ratio is None, row.ratio or 0, row.shape))
    ends = ordered[:MOST_ROWS // 2] + ordered[-(MOST_ROWS // 2):]
    note = f"The {MOST_ROWS // 2} worst and the {MOST_ROWS // 2} best of {len(rows)}; all are in the data file.\n\n"
    return note + table(header, [shape_row(row, names) for row in ends])


def summary_row(name, rows):
    judged = [row for row in rows if row.ratio is not None]
    if not judged:
        return [name, str(len(rows)), "", "", ""]
    worst = min(judged, key=lambda row: row.ratio)
    return [name, str(len(rows)), str(sum(is_loss(row.ratio) for row in judged)),
            f"{geometric_mean([row.ratio for row in judged]):.2f}", f"{ratio_text(worst.ratio)} at `{worst.shape}`"]


def sample_text(results):
    """The summary of a sample and a table of every loss, the worst first."""
    losses = sorted((row for row in results.rows if row.ratio is not None and is_loss(row.ratio)),
                    key=lambda row: (row.ratio, row.shape))
    text = summary(results) + "\n"
    if not losses:
        return text + "No shape is slower than a peer.\n"
    names = results.contestants()
    return text + table(header_of(names), [shape_row(row, names) for row in losses])


def groups_of(results):
    groups = [(regime, [row for row in results.rows if regime_of(row.shape) is regime]) for regime in REGIMES]
    return [(regime, rows) for regime, rows in groups if rows]


def summary(results):
    rows = [summary_row(regime.name, rows) for regime, rows in groups_of(results)]
    rows.append(summary_row("**all**", results.rows))
    return table(["regime", "shapes", "slower", "geometric mean", "worst"], rows)


def noise_text(results):
    spreads = results.spreads()
    if not spreads:
        return "There was one round, so nothing tells how far its times can be trusted: they are a first impression."
    return (f"The slowest round of a shape took {100 * spreads[len(spreads) // 2]:.0f} % longer than the best in the "
            f"median, {100 * spreads[-1]:.0f} % at most; ~ marks more than {100 * NOISY:.0f} %.")


def facts_table(results):
    facts = results.facts
    reads = ", ".join(f"{speed:.0f} GB/s from {level}" for level, speed in results.reads())
    versions = [f"{title(name)} {facts[f'version {name}']}" for name in results.contestants()
                if f"version {name}" in facts]
    rows = [["machine", facts.get("machine", "unknown")],
            ["one core, measured", f"{float(facts['peak_gflops']):.0f} GFLOP/s of f32 multiply-adds; reads {reads}"],
            ["code for", facts.get("code for", "unknown")],
            ["versions", ", ".join(versions)],
            ["date", facts.get("date", "unknown")],
            ["rounds", facts.get("rounds", "unknown")],
            ["other load at the start", facts.get("load", "unknown") + " CPUs"]]
    if "failed" in facts:
        rows.append(["not measured", facts["failed"]])
    return table(["", ""], rows)


INTRODUCTION = """\
How long {ours} takes beside {peers}, and beside what the machine allows. Losses are shown like wins.

Each time is the best of a whole call in microseconds: T steps of B sequences, f32, weights packed beforehand. Every
round goes over all shapes, and at each shape the contestants take turns, so that a slow spell of the machine hits all
alike. One-thread runs are pinned to a core. Every result of {ours} is compared with the interpreter's, and with
oneDNN's where that has the cell.

    {command}

{elided}{facts}
{noise}

A shape is CELL:T:B:I:H:THREADS; `scripts/bench SHAPE...` times it again. The limit of a shape is the longer of all its
multiply-adds at their peak and of reading the recurrent weights once a step from where they fit, on as many cores as it
has threads. *Slower* is a ratio that rounds to less than 1.00.
"""


# A command of a peer names places of the machine that it was given on.
ELIDED = "The dots stand for a command that times another program; `scripts/bench --help` tells how to write one.\n\n"


def render(results, hand, data_name, figure_name):
    names = results.contestants()
    command = results.facts.get("command", "scripts/bench")
    peers = " and ".join(title(name) for name in names[1:]) or "no one"
    parts = ["# Performance\n\n",
             f"<!-- scripts/bench writes this page from {data_name}, all but what stands between the markers. -->\n\n",
             INTRODUCTION.format(ours=OURS, peers=peers, command=command, elided=ELIDED if "=..." in command else "",
                                 facts=facts_table(results), noise=noise_text(results)),
             "\n## Summary\n\n", summary(results),
             f"\n![Roofline: operations a second over operations for each byte of weights]({figure_name})\n"]
    for regime, rows in groups_of(results):
        parts.append(f"\n## {regime.name[0].upper()}{regime.name[1:]}\n\n{regime.about}\n\n")
        parts.append(shapes_table(rows, names))
    return "".join(parts) + f"\n{BEGIN}{hand}{END}\n"
