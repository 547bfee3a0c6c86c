"""scripts/bench but for its timing: shapes, the data file, the page and its figure. Usage: bench_report_test.py"""
import os
import re
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as xml

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(ROOT, "bench"))

from report import contestants, machine, onnxruntime_cell, page, results, roofline, shapes  # noqa: E402

FIXTURE = """\
# machine: A & B <CPU>, 2 CPUs
# date: 2026-01-02
# command: scripts/bench --quick --rounds 2
# rounds: 2
# load: 0.1
# code for: x86-64-v3
# peak_gflops: 100.00
# read L1: 200.00
# read L2: 110.00
# read memory: 20.00
# version rnnc: abc1234
# version onednn: 2.6.3
cell,steps,batch,input,hidden,threads,flops,bytes_per_step,limit_us,\
rnnc us,rnnc spread,onednn us,onednn spread,ort us,ort spread
lstm,100,1,64,64,1,6553600,65536,65.5360,80.0000,0.0200,160.0000,0.0100,120.0000,0.0300
gru,25,16,128,128,1,39321600,196608,393.2160,500.0000,0.2500,495.0000,0.0100,,
gru_cho,1,1,1,8,1,432,768,0.0043,0.0500,0.0100,2.0000,0.0100,,
"""


def rendered(data, hand=page.FIRST_BY_HAND):
    return page.render(results.from_text(data), hand, "data.csv", "roofline.svg")


class Shapes(unittest.TestCase):
    def test_text_and_back(self):
        self.assertEqual(str(shapes.parse("lstm:100:1:64:32:2")), "lstm:100:1:64:32:2")

    def test_what_is_no_shape_is_named(self):
        for wrong in ("lstm", "lstm:1:1:1:8", "lstm:1:1:1:8:0", "lstm:1:1:1:8:1:1", "lstm:1:1:1:-8:1",
                      "lstm:1:1:1:8:1\n"):
            with self.assertRaisesRegex(ValueError, "is not CELL:T:B:I:H:THREADS"):
                shapes.parse(wrong)

    def test_benchmark_names_are_read_once_a_shape(self):
        name = "lstm/T:25/B:4/I:1/H:8/threads:2/"
        names = [name + "rnnc/real_time", name + "onednn/real_time", ""]
        self.assertEqual(shapes.from_benchmark_names(names), [shapes.parse("lstm:25:4:1:8:2")])

    def test_each_regime_has_its_shapes(self):
        for shape, regime in (("lstm:100:1:8:8:2", "two threads"), ("gru:1:1:4:40:1", "one call a step"),
                              ("gru:1:8:40:40:1", "one step"), ("rnn:25:1:20:20:1", "batch 1, tiny"),
                              ("rnn:25:1:21:21:1", "batch 1, middle"), ("rnn:25:1:257:257:1", "batch 1, large"),
                              ("rnn:25:8:257:257:1", "small batch"), ("rnn:25:9:257:257:1", "large batch")):
            self.assertEqual(shapes.regime_of(shapes.parse(shape)).name, regime, shape)


class Contestants(unittest.TestCase):
    def test_a_peer_gets_the_shape_and_keeps_other_braces(self):
        peer = contestants.parse_peer("ort:lstm,gru=X=${Y} run {cell} {T} {B} {I} {H} {threads} {no}")
        self.assertEqual((peer.name, peer.cells), ("ort", ("lstm", "gru")))
        self.assertEqual(peer.command_for(shapes.parse("gru:100:2:3:4:1")), "X=${Y} run gru 100 2 3 4 1 {no}")

    def test_wrong_peers_are_refused(self):
        for wrong in ("ort", "=run", "ort=", "rnnc=run", "onednn=run", "o t=run"):
            with self.assertRaisesRegex(ValueError, "is not NAME"):
                contestants.parse_peer(wrong)

    def test_the_line_of_a_peer_gives_time_and_version(self):
        line = "note\nort-1.30.0     lstm  T=1 min 3.50 us  median 4.00 us\n"
        self.assertEqual(contestants.parse_peer_line(line), (3.5, "1.30.0"))
        self.assertEqual(contestants.parse_peer_line("min 12 us"), (12.0, None))
        self.assertIsNone(contestants.parse_peer_line("min - us"))

    def test_a_peer_is_run_and_a_failing_one_says_why(self):
        shape = shapes.parse("lstm:100:1:8:8:2")
        echo = contestants.parse_peer("p=echo p-2.1 min {T}.5 us")
        self.assertEqual(contestants.time_peer(echo, shape), (100.5, "2.1"))
        self.assertIsNone(contestants.time_peer(contestants.parse_peer("p:gru=false"), shape))
        for command, why in (("echo broken >&2; exit 3", "broken"), ("echo fine", "no line"),
                             ("echo min 1 us; exit 1", "exit code 1")):
            with self.assertRaisesRegex(contestants.Failed, why):
                contestants.time_peer(contestants.parse_peer(f"p={command}"), shape)

    def test_integers_are_written_as_protobuf_has_them(self):
        self.assertEqual(onnxruntime_cell.field(1, 150), b"\x08\x96\x01")
        self.assertEqual(onnxruntime_cell.field(2, "testing"), b"\x12\x07testing")


class Machine(unittest.TestCase):
    def test_the_cpu_is_named(self):
        info = "processor\t: 0\nmodel name\t: Some CPU 9000\nmodel name\t: Other\n"
        self.assertEqual(machine.machine_text(info, 2, {1: 32 << 10, 2: 1 << 20}),
                         "Some CPU 9000, 2 CPUs, L1 32 KiB, L2 1 MiB")
        self.assertEqual(machine.machine_text("", 1, {}), "unknown CPU, 1 CPU")

    def test_a_level_has_the_speed_of_sets_that_only_it_holds(self):
        reads = [(16, 200), (32, 190), (64, 110), (128, 105), (256, 60), (512, 20)]
        self.assertEqual(machine.reads_by_level(reads, {1: 32, 2: 256}), [("L1", 200), ("L2", 110), ("memory", 20)])


class Data(unittest.TestCase):
    def test_text_and_back(self):
        self.assertEqual(results.to_text(results.from_text(FIXTURE)), FIXTURE)

    def test_a_broken_row_is_named(self):
        for old, new in (("80.0000", "fast"), ("80.0000", ""), ("6553600,", ""), ("0.0300\n", "0.0300,1\n")):
            with self.assertRaisesRegex(ValueError, "line 14"):
                results.from_text(FIXTURE.replace(old, new, 1))

    def test_writing_leaves_the_old_file_or_the_new_one(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "new", "file")
            results.write_atomically(path, "old")
            with self.assertRaises(UnicodeEncodeError):
                results.write_atomically(path, "\ud800")
            self.assertEqual(machine.read(path), "old")
            self.assertEqual(os.listdir(os.path.dirname(path)), ["file"])


class Page(unittest.TestCase):
    def test_rows_show_times_ratio_rate_and_limit(self):
        lines = rendered(FIXTURE).splitlines()
        self.assertIn("| `lstm:100:1:64:64:1` | 80.0 | 160 | 120 | 1.50 | 81.9 | 82 % |", lines)
        self.assertIn("| `gru_cho:1:1:1:8:1` | 0.05 | 2.00 |  | 40.00 | 8.6 | 9 % |", lines)

    def test_losses_and_noise_are_marked(self):
        text = rendered(FIXTURE)
        self.assertIn("| `gru:25:16:128:128:1` | 500 ~ | 495 |  | **0.99 slower** | 78.6 | 79 % |", text)
        self.assertIn("25 % at most", text)
        self.assertIn("| **all** | 3 | 1 | 3.90 | **0.99 slower** at `gru:25:16:128:128:1` |", text)

    def test_regimes_without_shapes_are_left_out(self):
        titles = re.findall(r"^## (.*)$", rendered(FIXTURE), re.MULTILINE)
        self.assertEqual(titles, ["Summary", "One call a step", "Batch 1, middle", "Large batch", "What was tried"])

    def test_a_long_table_shows_both_its_ends(self):
        row = "lstm,100,1,64,{},1,6553600,65536,65.5360,80.0000,,{}.0000,,,\n"
        head = FIXTURE[:FIXTURE.index("lstm,")]
        text = rendered(head + "".join(row.format(h, 40 + h) for h in range(21, 121)))
        self.assertIn("The 15 worst and the 15 best of 100;", text)
        shown = [int(h) for h in re.findall(r"^\| `lstm:100:1:64:(\d+):1`", text, re.MULTILINE)]
        self.assertEqual(shown, list(range(21, 36)) + list(range(106, 121)))

    def test_what_is_written_by_hand_survives(self):
        hand = "\n## What was tried\n\nIt was no faster: | a | <b>\n"
        text = rendered(FIXTURE, hand)
        self.assertEqual(page.by_hand(text), hand)
        self.assertEqual(rendered(FIXTURE, page.by_hand(text)), text)

    def test_a_page_without_its_markers_is_refused(self):
        for wrong in ("# Mine\n", rendered(FIXTURE).replace(page.END, ""), page.END + page.BEGIN):
            with self.assertRaisesRegex(ValueError, "once each"):
                page.by_hand(wrong)


class Figure(unittest.TestCase):
    def test_it_is_well_formed_and_has_a_mark_for_each_shape(self):
        root = xml.fromstring(roofline.render(results.from_text(FIXTURE)))
        tips = [tip.text for tip in root.iter("{http://www.w3.org/2000/svg}title")]
        self.assertEqual(tips[0], "Roofline of rnnc on A & B <CPU>")
        for tip in ("lstm:100:1:64:64:1: 81.9", "gru:25:16:128:128:1: 78.6", "gru_cho:1:1:1:8:1: 8.6"):
            self.assertEqual(len([t for t in tips if t.startswith(tip)]), 1, tip)

    def test_it_needs_nothing_from_outside(self):
        text = roofline.render(results.from_text(FIXTURE))
        for foreign in ("<script", "href", "@import", "url("):
            self.assertNotIn(foreign, text)

    def test_marks_of_one_place_stand_apart(self):
        places = roofline.side_by_side([(5.0, 5.0)] * 5)
        self.assertEqual(len(set(places)), 5)
        self.assertEqual(places[0], (5.0, 5.0))


class Program(unittest.TestCase):
    def run_bench(self, *arguments):
        command = [sys.executable, os.path.join(ROOT, "scripts/bench"), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def test_report_only_writes_page_and_figure(self):
        with tempfile.TemporaryDirectory() as folder:
            data, where = os.path.join(folder, "data.csv"), os.path.join(folder, "performance.md")
            results.write_atomically(data, FIXTURE)
            run = self.run_bench("--report-only", "--data", data, "--page", where)
            self.assertEqual(run.returncode, 0, run.stderr)
            self.assertIn("`lstm:100:1:64:64:1`", machine.read(where))
            xml.parse(os.path.join(folder, "roofline.svg"))
            results.write_atomically(where, "# Mine\n")
            run = self.run_bench("--report-only", "--data", data, "--page", where)
            self.assertEqual(run.returncode, 1)
            self.assertEqual(machine.read(where), "# Mine")

    def test_a_sample_is_drawn_by_chance_within_a_time_and_lists_losses(self):
        names = [f"lstm/T:25/B:1/I:8/H:{h}/threads:1/rnnc/real_time" for h in range(8, 48)]
        # A shape is slower than its peer where its units can be divided by 8.
        ours = r"""#!/bin/sh
for word; do [ "$before" = --hidden-size ] && h=$word; before=$word; done
us=$((h % 8 == 0 ? 200 : 50))
echo '{"time_us_min": '$us', "gflops": 1, "bytes_per_step": 64, "limit_us": 1, "isa": "none",
"core": {"peak_gflops": 100, "read_gbytes_per_second": [[16384, 100]]},
"baseline": {"version": "2.6.3", "time_us_min": 100}}' | tr -d '\n'
"""
        with tempfile.TemporaryDirectory() as folder:
            for name, text in (("rnnc", ours), ("bench_cells", "#!/bin/sh\nprintf '%s\n' " + " ".join(names) + "\n")):
                results.write_atomically(os.path.join(folder, name), text)
                os.chmod(os.path.join(folder, name), 0o755)
            def sample(seed):
                data = os.path.join(folder, "data.csv")
                run = self.run_bench("--minutes", "0.0001", "--seed", seed, "--rounds", "2", "--build", folder, "--data", data)
                self.assertEqual(run.returncode, 0, run.stderr)
                return run.stdout, results.from_text(machine.read(data))
            text, measured = sample("3")
            drawn = [row.shape.hidden for row in measured.rows]
            self.assertEqual(len(set(drawn)), 10)
            self.assertNotEqual(drawn, sorted(drawn))
            self.assertEqual(measured.facts["command"], "scripts/bench --minutes 0.0001 --seed 3 --rounds 2")
            losses = re.findall(r"^\| `lstm:25:1:8:(\d+):1` .* \*\*0.50 slower", text, re.MULTILINE)
            self.assertEqual([int(h) for h in losses], sorted(h for h in drawn if h % 8 == 0))
            self.assertEqual([row.shape.hidden for row in sample("3")[1].rows], drawn)
            self.assertNotEqual([row.shape.hidden for row in sample("4")[1].rows], drawn)

    def test_a_sample_without_losses_says_so(self):
        fixture = results.from_text(FIXTURE)
        self.assertIn("**0.99 slower**", page.sample_text(fixture))
        fixture.rows = [row for row in fixture.rows if row.ratio > 1]
        self.assertTrue(page.sample_text(fixture).endswith("No shape is slower than a peer.\n"))

    def test_mistakes_are_named(self):
        for arguments, code, words in ((["lstm:1"], 2, "'lstm:1' is not CELL"), (["--peer", "x"], 2, "'x' is not NAME"),
                                       (["--rounds", "0"], 2, "--rounds is 1 or more"),
                                       (["--minutes", "0"], 2, "--minutes is more than 0"),
                                       (["--minutes", "nan"], 2, "--minutes is more than 0"),
                                       (["--minutes", "1", "lstm:1:1:1:8:1"], 2, "shapes go without"),
                                       (["--build", "/nowhere"], 1, "/nowhere has no rnnc; run scripts/build"),
                                       (["--report-only", "--data", "/nowhere"], 1, "/nowhere")):
            run = self.run_bench(*arguments)
            self.assertEqual(run.returncode, code, run.stderr)
            self.assertIn(words, run.stderr)

    def test_the_page_in_docs_is_what_the_data_say(self):
        data = machine.read(os.path.join(ROOT, "bench/results/performance.csv"))
        old = machine.read(os.path.join(ROOT, "docs/performance.md"))
        measured = results.from_text(data)
        new = page.render(measured, page.by_hand(old), "bench/results/performance.csv", "roofline.svg")
        self.assertEqual(new.strip(), old)
        self.assertEqual(roofline.render(measured).strip(), machine.read(os.path.join(ROOT, "docs/roofline.svg")))


if __name__ == "__main__":
    unittest.main()
