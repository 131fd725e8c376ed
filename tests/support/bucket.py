"""A server on the loopback address that speaks of buckets as Google's storage does (its JSON interface, in part).

What drivers of ``gs://`` ask is answered as that interface is documented: objects and their metadata, lists below a
prefix, ranges of bytes, uploads in one piece and in several. It can refuse uploads.
"""

import base64
import hashlib
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

__all__ = ["Bucket", "bucket_served"]


class Bucket:
    """What the one bucket of the server holds, and what it refuses.

    Attributes
    ----------
    name : str
        Of the bucket.
    objects : dict of str to bytes
        Key to content.
    refused : str
        Part of a key: what is sent under such a name is refused; empty for nothing.
    late : bool
        It is refused only when all of its bytes have come.
    status : int
        Number of the answer that refuses.
    sent : int
        Bytes of content that were given.
    """

    def __init__(self, name="b"):
        self.name, self.objects, self.uploads = name, {}, {}
        self.refused, self.late, self.status, self.sent = "", True, 403, 0

    def refuses(self, key):
        return bool(self.refused) and self.refused in key

    def told(self, key):
        """Metadata of an object."""
        data = self.objects[key]
        digest = hashlib.md5(data)
        return {
            "kind": "storage#object",
            "name": key,
            "bucket": self.name,
            "size": str(len(data)),
            "md5Hash": base64.b64encode(digest.digest()).decode(),
            "etag": digest.hexdigest(),
            "generation": "1",
            "updated": "2026-11-01T00:00:00.000Z",
            "timeCreated": "2026-11-01T00:00:00.000Z",
        }


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_words):
        pass

    def _parts(self):
        """What follows the bucket in the path, and the query."""
        split = urlsplit(self.path)
        _, _, rest = split.path.partition(f"/b/{self.server.bucket.name}")
        known = f"/b/{self.server.bucket.name}" in split.path
        query = {key: values[-1] for key, values in parse_qs(split.query).items()}
        return split.path, unquote(rest.removeprefix("/o").removeprefix("/")) if known else None, query

    def do_GET(self):
        bucket, (path, key, query) = self.server.bucket, self._parts()
        if key is None or (key and key not in bucket.objects):
            self._json(404, {"error": {"code": 404, "message": "Not Found"}})
        elif query.get("alt") == "media":
            self._content(bucket.objects[key])
        elif key:
            self._json(200, bucket.told(key))
        elif path.endswith("/o"):
            self._json(200, self._listed(query))
        else:
            self._json(200, {"kind": "storage#bucket", "name": bucket.name})

    def _listed(self, query):
        bucket, prefix, delimiter = self.server.bucket, query.get("prefix", ""), query.get("delimiter")
        items, folders = [], set()
        for key in sorted(key for key in bucket.objects if key.startswith(prefix)):
            below = key[len(prefix) :]
            if delimiter and delimiter in below:
                folders.add(prefix + below.partition(delimiter)[0] + delimiter)
            else:
                items.append(bucket.told(key))
        return {"kind": "storage#objects", "items": items, "prefixes": sorted(folders)}

    def do_DELETE(self):
        bucket, (_path, key, _query) = self.server.bucket, self._parts()
        self._json(204 if bucket.objects.pop(key, None) is not None else 404, None)

    def do_POST(self):
        bucket, (path, _key, query) = self.server.bucket, self._parts()
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if path.startswith("/upload-of/"):
            self._piece(path.removeprefix("/upload-of/"), body)
        elif query.get("uploadType") == "resumable":
            name = json.loads(body)["name"]
            if bucket.refuses(name) and not bucket.late:
                self._json(bucket.status, {})
                return
            number = str(len(bucket.uploads))
            bucket.uploads[number] = name, bytearray()
            host, port = self.server.server_address[:2]
            self._json(200, {}, Location=f"http://{host}:{port}/upload-of/{number}")
        else:
            boundary = b"--" + self.headers["Content-Type"].partition('boundary="')[2].rstrip('"').encode()
            _, about, content, _ = body.split(boundary)
            self._store(json.loads(about.partition(b"\n\n")[2])["name"], content.partition(b"\n\n")[2][:-1])

    do_PUT = do_POST

    def _piece(self, number, body):
        name, held = self.server.bucket.uploads[number]
        held += body
        whole = int(self.headers["Content-Range"].rpartition("/")[2])
        if len(held) < whole:
            self._json(308, None, Range=f"bytes=0-{len(held) - 1}")
        else:
            self._store(name, bytes(held))

    def _store(self, name, content):
        bucket = self.server.bucket
        if bucket.refuses(name):
            self._json(bucket.status, {"error": {"code": bucket.status, "message": "no room"}})
            return
        bucket.objects[name] = content
        self._json(200, bucket.told(name))

    def _content(self, data):
        start, stop, asked = 0, len(data), self.headers.get("Range")
        if asked:
            first, _, last = asked.removeprefix("bytes=").partition("-")
            start, stop = int(first), min(int(last or stop) + 1, stop)
        self.send_response(206 if asked else 200)
        self.send_header("Content-Length", str(stop - start))
        if asked:
            self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{len(data)}")
        self.end_headers()
        self.server.bucket.sent += stop - start
        self.wfile.write(data[start:stop])

    def _json(self, status, content, **headers):
        body = b"" if content is None else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_about):
        pass  # drivers ask twice at once, and leave the later answer


@contextmanager
def bucket_served():
    """A bucket; the server's address is ``bucket.address``, which ``STORAGE_EMULATOR_HOST`` takes."""
    bucket = Bucket()
    server = _Server(("127.0.0.1", 0), _Handler)
    server.bucket, server.daemon_threads = bucket, True
    bucket.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield bucket
    finally:
        server.shutdown()
        server.server_close()
