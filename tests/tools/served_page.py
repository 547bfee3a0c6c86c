"""Pages that need a server, since browsers load no modules from files: one on this machine serves a folder, and a page sends
what it found back to it.
"""
import functools
import http.server
import json
import os
import queue
import signal
import subprocess
import tempfile
import threading

from browser import CHROMIUM, FIREFOX, SECONDS_AT_MOST, WEBKIT

TYPES = {".mjs": "text/javascript", ".js": "text/javascript", ".wasm": "application/wasm", ".html": "text/html"}


class Handler(http.server.SimpleHTTPRequestHandler):
    extensions_map = {**http.server.SimpleHTTPRequestHandler.extensions_map, **TYPES}

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()
        self.server.results.put(json.loads(body))

    def log_message(self, *arguments):
        self.server.requests.append(self.path)


# What lets a page of Chromium play without a click, and hear a microphone that is made up.
SOUND = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
         "--autoplay-policy=no-user-gesture-required"]


def command_for(browser, profile, address, plays):
    """The command that shows an address on no screen; the folder `profile` is the browser's own."""
    if browser == FIREFOX:
        return [browser, "--headless", "--no-remote", "--profile", profile, address]
    if browser == WEBKIT:
        return ["xvfb-run", "--auto-servernum", browser, "--private", address]
    return [browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", f"--user-data-dir={profile}",
            *(SOUND if plays else []), address]


def end(shown):
    """Ends a browser and the processes that it has made; a screen cleans up behind itself if it is asked to end."""
    try:
        os.killpg(shown.pid, signal.SIGTERM)
        shown.wait(timeout=10)
    except subprocess.TimeoutExpired:
        os.killpg(shown.pid, signal.SIGKILL)
        shown.wait()


def result_of(folder, page, browser=CHROMIUM, plays=False, seconds=SECONDS_AT_MOST):
    """What the page of the folder posts: an object, in which `error` is a failure, and the paths that it asked for."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=folder))
    server.results, server.requests = queue.Queue(), []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        os.mkdir(os.path.join(home, "profile"))
        address = f"http://127.0.0.1:{server.server_address[1]}/{page}"
        command = command_for(browser, os.path.join(home, "profile"), address, plays)
        with open(os.path.join(home, "log"), "w+", encoding="utf-8") as log:
            shown = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, "HOME": home}, start_new_session=True)
            try:
                return server.results.get(timeout=seconds), server.requests
            except queue.Empty:
                log.seek(0)
                raise AssertionError(f"no result of {page}: {log.read()[-2000:]}") from None
            finally:
                end(shown)
                server.shutdown()
                server.server_close()


def starts(browser):
    """Tells whether a browser is there and shows a page: some need more of a system than that they are installed."""
    if not browser:
        return False
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "index.html"), "w", encoding="utf-8") as file:
            file.write("<!DOCTYPE html><script>fetch('/result', { method: 'POST', body: '{}' })</script>")
        try:
            result_of(folder, "index.html", browser, seconds=60)
        except (AssertionError, OSError) as error:
            print(f"left out: {browser} does not show a page: {error}")
            return False
    return True
