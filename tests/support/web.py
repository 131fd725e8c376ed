"""A server of the web on the loopback address: it gives parts of files, and counts what it gives."""

import hashlib
import threading
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit


class Web:
    """What a server gives, how, and what it gave.

    Attributes
    ----------
    files : dict of str to bytes or Path
        Path behind the host to content.
    parts : bool
        Whether parts are given.
    status : int or None
        Every answer has this number.
    cut : int or None
        So many bytes of each answer come, and no more.
    silent : bool
        No answer comes.
    requests : list of str
        What was asked for: the path with its query.
    sent : int
        Bytes of files that were given.
    """

    def __init__(self):
        self.files, self.requests, self.sent, self.failures = {}, [], 0, []
        self.parts, self.status, self.cut, self.silent = True, None, None, False
        self.ended = threading.Event()

    def content(self, path):
        held = self.files.get(path)
        return held if held is None or isinstance(held, bytes) else held.read_bytes()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_HEAD(self):
        self._answer(head=True)

    def do_GET(self):
        self._answer(head=False)

    def log_message(self, *_words):
        pass

    def _answer(self, *, head):
        web = self.server.web
        web.requests.append(self.path)
        if web.silent:
            web.ended.wait(10)
        status = web.failures.pop(0) if web.failures else web.status
        data = web.content(unquote(urlsplit(self.path).path))
        if status or data is None:
            self._end(status or 404)
            return
        tag, wanted = f'"{hashlib.md5(data).hexdigest()}"', self.headers.get("If-Match")
        if wanted not in (None, tag):
            self._end(412)
            return
        start, stop, asked = 0, len(data), self.headers.get("Range")
        if asked and web.parts:
            first, _, last = asked.removeprefix("bytes=").partition("-")
            start, stop = int(first), min(int(last or stop) + 1, stop)
        self.send_response(206 if asked and web.parts else 200)
        self.send_header("Content-Length", str(stop - start))
        self.send_header("ETag", tag)
        if web.parts:
            self.send_header("Accept-Ranges", "bytes")
            if asked:
                self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{len(data)}")
        self.end_headers()
        if not head:
            body = memoryview(data)[start:stop][: web.cut]
            web.sent += len(body)
            with suppress(OSError):
                self.wfile.write(body)
            if web.cut is not None:
                self.close_connection = True

    def _end(self, status):
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()


@contextmanager
def serving():
    """A server; its address is ``web.address``."""
    web = Web()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.web, server.daemon_threads = web, True
    web.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield web
    finally:
        web.ended.set()
        server.shutdown()
        server.server_close()
