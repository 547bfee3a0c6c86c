"""Pages of rnnc as a browser shows them: Chromium without a window lays a page out in frames of several widths, and a script
outside of them measures. The page forbids scripts, but not those outside of it.
"""
import glob
import html
import json
import os
import re
import shutil
import subprocess

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox")
# The engine of Safari with the smallest browser around it, which Debian has for tests and which needs a screen.
WEBKIT = next(iter(glob.glob("/usr/lib/*/webkit2gtk-4.1/MiniBrowser")), None) if shutil.which("xvfb-run") else None
WIDTHS = 320, 360, 768, 1280  # telephones, a tablet and a desk
DARK, LIGHT = 0, 1  # as Blink counts colour schemes
SECONDS_AT_MOST = 180

MEASURE = """
function luminance(rgb) {
  const [r, g, b] = rgb.map(v => v / 255).map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
  return .2126 * r + .7152 * g + .0722 * b;
}
const numbers = colour => colour.match(/[\\d.]+/g).map(Number);
function ground(element, view) {
  for (let e = element; e; e = e.parentElement) {
    const colour = numbers(view.getComputedStyle(e).backgroundColor);
    if (colour.length === 3 || colour[3] === 1) return colour.slice(0, 3);
  }
  return [255, 255, 255];
}
function contrast(element, view) {
  const style = view.getComputedStyle(element);
  const behind = element.matches('.number.ours')
      ? numbers(view.getComputedStyle(element.previousElementSibling).fill) : ground(element, view);
  const a = luminance(numbers(element.ownerSVGElement ? style.fill : style.color).slice(0, 3));
  const b = luminance(behind.slice(0, 3));
  return (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
}
const is_shown = element => element.getClientRects().length > 0;
function measure(frame) {
  const page = frame.contentDocument, view = frame.contentWindow, found = {};
  found.width = view.innerWidth;
  found.overflow = page.documentElement.scrollWidth - page.documentElement.clientWidth;
  found.widest = [...page.querySelectorAll('body *:not(thead, thead *)')].map(e => [e.getBoundingClientRect().right, e.outerHTML.slice(0, 120)])
                     .sort((a, b) => b[0] - a[0])[0];
  found.height = page.documentElement.scrollHeight;
  found.figures = [...page.querySelectorAll('svg')].filter(is_shown).map(svg => {
    const box = svg.getBoundingClientRect();
    const is_outside = t => t.left < box.left - 1 || t.right > box.right + 1 || t.top < box.top - 1 ||
                            t.bottom > box.bottom + 1;
    return {title: svg.getAttribute('aria-label'), width: box.width, height: box.height, right: box.right,
            marks: svg.querySelectorAll('circle').length,
            smallest: Math.min(...[...svg.querySelectorAll('text')].map(
                text => parseFloat(view.getComputedStyle(text).fontSize) *
                        Math.hypot(text.getScreenCTM().a, text.getScreenCTM().b))),
            outside: [...svg.querySelectorAll('text')].filter(text => is_outside(text.getBoundingClientRect()))
                         .map(text => text.outerHTML)};
  });
  found.rows = [...page.querySelectorAll('tbody tr')].map(row => [...row.cells].map(cell => cell.innerText.trim()));
  found.titles = [...page.querySelectorAll('thead th')].map(cell => cell.textContent);
  found.clipped = [...page.querySelectorAll('td, p, h1, h2, h3, dd, dt')].filter(
      e => is_shown(e) && e.getBoundingClientRect().right > view.innerWidth + 1).length;
  const said = [...page.querySelectorAll('body *')].filter(
      e => is_shown(e) && [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()));
  const worst = said.map(e => [contrast(e, view), e.outerHTML.slice(0, 120)]).sort((a, b) => a[0] - b[0])[0];
  found.contrast = worst[0];
  found.faintest = worst[1];
  const holds = (box, text) => text.left >= box.left && text.right <= box.right && text.top >= box.top && text.bottom <= box.bottom;
  const boxes = [...page.querySelectorAll('rect.box')].map(box => box.getBoundingClientRect());
  found.boxes = boxes.length;
  found.overlapping = boxes.filter((a, i) => boxes.some((b, j) => j < i && a.left < b.right && b.left < a.right &&
                                                                a.top < b.bottom && b.top < a.bottom)).length;
  found.titles_of_boxes = [...page.querySelectorAll('text.title')].filter(
      text => boxes.some(box => holds(box, text.getBoundingClientRect()))).map(text => text.textContent);
  found.ground = view.getComputedStyle(page.body).backgroundColor;
  found.fetched = view.performance.getEntriesByType('resource').map(entry => entry.name);
  return found;
}
addEventListener('load', () => {
  const all = [...document.querySelectorAll('iframe')].map(measure);
  document.body.innerHTML = '<pre id="found"></pre>';
  document.getElementById('found').textContent = JSON.stringify(all);
});
"""


def chromium(folder, *arguments):
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
               "--disable-background-networking", "--disable-component-update", "--disable-sync",
               "--host-resolver-rules=MAP * ~NOTFOUND", "--enable-logging=stderr",
               f"--user-data-dir={os.path.join(folder, 'profile')}", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS_AT_MOST, check=False)


def measured(folder, text, scheme):
    """What the script finds of a page in frames of all widths."""
    path = os.path.join(folder, "frames.html")
    frames = "".join(f'<iframe width="{width}" height="900" style="border:0" srcdoc="{html.escape(text)}"></iframe>'
                     for width in WIDTHS)
    with open(path, "w", encoding="utf-8") as file:
        file.write(f'<!DOCTYPE html><meta charset="utf-8"><script>{MEASURE}</script><body>{frames}</body>')
    run = chromium(folder, "--window-size=1400,1000", f"--blink-settings=preferredColorScheme={scheme}", "--dump-dom",
                   f"file://{path}")
    found = re.search(r'<pre id="found">(\[\{.*?)</pre>', run.stdout, re.DOTALL)
    assert found, run.stdout[-2000:] + run.stderr[-2000:]
    return json.loads(html.unescape(found[1]))
