"""Pages that need a server, since browsers load no modules from files: one on this machine serves a folder, and a page sends
what it found back to it.
"""
import functools
import http.server
import json
import os
import queue
import subprocess
import tempfile
import threading

from browser import CHROMIUM, SECONDS_AT_MOST

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


def result_of(folder, page, *flags):
    """What the page of the folder posts: an object, in which `error` is a failure, and the paths that it asked for."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=folder))
    server.results, server.requests = queue.Queue(), []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as profile:
        command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                   "--disable-background-networking", "--disable-component-update", "--disable-sync",
                   "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", f"--user-data-dir={profile}/p", *flags,
                   f"http://127.0.0.1:{server.server_address[1]}/{page}"]
        with open(os.path.join(profile, "log"), "w+", encoding="utf-8") as log:
            browser = subprocess.Popen(command, stdout=log, stderr=log)
            try:
                return server.results.get(timeout=SECONDS_AT_MOST), server.requests
            except queue.Empty:
                log.seek(0)
                raise AssertionError(f"no result of {page}: {log.read()[-2000:]}") from None
            finally:
                browser.terminate()
                browser.wait()
                server.shutdown()
                server.server_close()
