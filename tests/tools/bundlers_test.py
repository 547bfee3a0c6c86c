#!/usr/bin/env python3
"""Pages that today's bundlers make of a script of rnnc find its files and give the numbers of the script itself:
bundlers_test.py RNNC FOLDER

FOLDER keeps the bundlers, which npm fetches. Who has no npm, network or Chromium is told that the test is skipped.
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

from browser import CHROMIUM
from random_weights import weights_of
from served_page import result_of

FOLDER = os.path.abspath(sys.argv.pop(2))
RNNC = os.path.abspath(sys.argv.pop(1))
PACKAGES = {"vite": "6.4.1", "webpack": "5.103.0"}  # vite brings rollup and esbuild
SECONDS = 300

# Vite puts what is smaller than 4 KB into the text of the page. The second has a file for each thing that can have one.
MODELS = {
    "small": ("network m { input x : seq f32[1] param W : f32[1, 2] a = gru<H=2>(x) output W @ a }", ""),
    "large one": (
        "network m { input x : seq f32[1] param W : f32[1, 40] a = gru<H=40>(x) output W @ a }",
        "--weights-apart --worklet --target wasm32,wasm32-relaxed",
    ),
}

COMPUTE = """
import { load as loadSmall } from './small.mjs';
import { load as loadLarge } from './large one.mjs';

const x = Float32Array.from({ length: 300 }, (_, t) => Math.sin(t * t));
export async function computed() {
  const y = {};
  for (const [name, load] of Object.entries({ loadSmall, loadLarge })) {
    y[name] = [...(await load(undefined, { target: 'wasm32' })).run(x)];
    (await load()).run(x);
  }
  return y;
}
export { x };
"""

PAGE = """
import { audioNode } from './large one.mjs';
import { computed, x } from './compute.mjs';

const post = (result) => fetch('/result', { method: 'POST', body: JSON.stringify(result) });
async function heard() {
  const context = new OfflineAudioContext({ numberOfChannels: 1, length: x.length, sampleRate: 48000 });
  const { node } = await audioNode(context, { channels: 1, target: 'wasm32' });
  const buffer = new AudioBuffer({ numberOfChannels: 1, length: x.length, sampleRate: 48000 });
  buffer.copyToChannel(x, 0);
  const source = new AudioBufferSourceNode(context, { buffer });
  source.connect(node).connect(context.destination);
  source.start();
  return [...(await context.startRendering()).getChannelData(0)];
}
async function answer() {
  await post({ ...(await computed()), heard: await heard() });
}
answer().catch((error) => post({ error: `${error}\n${error.stack}` }));
"""

# Each writes what it makes of page.mjs into its folder, with the name page.js but for vite, which begins with index.html.
BUILD = """
import { createRequire } from 'node:module';
import { writeFileSync } from 'node:fs';
const require = createRequire(process.argv[2] + '/here.js');
const source = process.cwd();
const html = '<!DOCTYPE html><meta charset="utf-8"><script type="module" src="page.js"></script>';
const warnings = [];
const builds = {
  esbuild: async (outdir) => {
    const result = await require('esbuild').build({ entryPoints: ['page.mjs'], bundle: true, minify: true, format: 'esm', outdir,
                                                    logLevel: 'silent' });
    warnings.push(...result.warnings.map((each) => each.text));
    writeFileSync(outdir + '/index.html', html);
  },
  rollup: async (dir) => {
    const { rollup } = require('rollup');
    const bundle = await rollup({ input: 'page.mjs', onwarn: (each) => warnings.push(each.message) });
    await bundle.write({ dir, format: 'es', entryFileNames: 'page.js' });
    writeFileSync(dir + '/index.html', html);
  },
  webpack: (path) => new Promise((resolve, reject) => {
    const webpack = require('webpack');
    webpack({ mode: 'production', context: source, entry: './page.mjs', output: { path, filename: 'page.js' },
              performance: { hints: false } },
            (error, stats) => {
              if (error || stats.hasErrors()) return reject(error ?? new Error(stats.toString()));
              warnings.push(...stats.compilation.warnings.map((each) => each.message));
              writeFileSync(path + '/index.html', html);
              resolve();
            });
  }),
  vite: async (outDir) => {
    const { build } = await import(require.resolve('vite').replace('index.cjs', 'dist/node/index.js'));
    const customLogger = { info() {}, warn: (text) => warnings.push(text), warnOnce: (text) => warnings.push(text),
                           error: (text) => warnings.push(text), clearScreen() {}, hasErrorLogged: () => false,
                           hasWarned: false };
    await build({ root: source, configFile: false, customLogger, build: { outDir, emptyOutDir: true, target: 'esnext' } });
  },
};
await builds[process.argv[3]](source + '/' + process.argv[3]);
if (warnings.length > 0) throw new Error('warnings: ' + warnings.join('\\n'));
"""


def is_missing():
    """Says what the test lacks, after an attempt to fetch the bundlers; "" where all is there."""
    if not CHROMIUM:
        return "there is no Chromium"
    for program in ("node", "npm"):
        if not shutil.which(program):
            return f"there is no {program}"

    def version_of(name):
        path = pathlib.Path(FOLDER, "node_modules", name, "package.json")
        return json.loads(path.read_text(encoding="utf-8"))["version"] if path.exists() else None

    if all(version_of(name) == version for name, version in PACKAGES.items()):
        return ""
    with tempfile.TemporaryDirectory(dir=os.path.dirname(FOLDER)) as fresh:
        command = [
            "npm",
            "install",
            "--prefix",
            fresh,
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--silent",
            "--prefer-offline",
            "--fetch-retries=0",
            *(f"{name}@{version}" for name, version in PACKAGES.items()),
        ]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
        except subprocess.TimeoutExpired:
            return f"npm took more than {SECONDS} s"
        if done.returncode != 0:
            return "npm cannot fetch the bundlers"
        shutil.rmtree(FOLDER, ignore_errors=True)
        shutil.copytree(fresh, FOLDER, symlinks=True)
    return ""


class Bundlers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.holder = tempfile.TemporaryDirectory()
        cls.folder = cls.holder.name
        for name, (text, flags) in MODELS.items():
            cls.write(name + ".rnn", text)
            path = os.path.join(cls.folder, name)
            pathlib.Path(path + ".safetensors").write_bytes(weights_of(RNNC, path + ".rnn"))
            cls.done(RNNC, "compile", name + ".rnn", "-o", name + ".wasm", *flags.split())
        cls.write("compute.mjs", COMPUTE)
        cls.write("page.mjs", PAGE)
        cls.write("build.mjs", BUILD)
        cls.write("index.html", '<!DOCTYPE html><meta charset="utf-8"><script type="module" src="./page.mjs"></script>')
        cls.write(
            "here.mjs", "import { computed } from './compute.mjs'; console.log(JSON.stringify(await computed()));"
        )
        cls.expected = json.loads(cls.done("node", "here.mjs"))

    @classmethod
    def tearDownClass(cls):
        cls.holder.cleanup()

    @classmethod
    def write(cls, name, text):
        pathlib.Path(cls.folder, name).write_text(text, encoding="utf-8")

    @classmethod
    def done(cls, *command):
        run = subprocess.run(command, cwd=cls.folder, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stdout + run.stderr
        return run.stdout

    def check(self, bundler, copied):
        self.done("node", "build.mjs", FOLDER, bundler)
        made = os.path.join(self.folder, bundler)
        files = [name for name in os.listdir(self.folder) if name.endswith((".wasm", ".weights", ".worklet.js"))]
        if copied:
            for name in files:
                shutil.copy(os.path.join(self.folder, name), made)
        self.assertEqual(len(files), 6)
        found, _ = result_of(made, "index.html")
        self.assertNotIn("error", found, found.get("error"))
        for name, y in self.expected.items():
            self.assertEqual(len(y), 300)
            self.assertEqual(found[name], y)
        self.assertEqual(found["heard"], self.expected["loadLarge"])

    def test_vite_finds_the_files(self):
        self.check("vite", copied=False)

    def test_webpack_finds_the_files(self):
        self.check("webpack", copied=False)

    def test_a_bundle_of_esbuild_has_them_beside_it(self):
        self.check("esbuild", copied=True)

    def test_a_bundle_of_rollup_has_them_beside_it(self):
        self.check("rollup", copied=True)


if __name__ == "__main__":
    if reason := is_missing():
        print(f"skipped: {reason}")
    else:
        unittest.main()
