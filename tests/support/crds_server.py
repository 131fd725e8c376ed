"""A server and caches of CRDS as the mission has them, played: its protocol on the loopback address, files of rules."""

import json
import pprint
import threading
from contextlib import contextmanager
from hashlib import sha1
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

UNSUMMED = "to be summed"
HEADER = {"observatory": "ROMAN", "derived_from": "none", "description": "played", "sha1sum": UNSUMMED}


class PlayedServer:
    """What a server of CRDS holds, and what it was asked.

    Attributes
    ----------
    files : dict of str to bytes
        Name to content.
    best : dict of str to str
        Type to the name that its rules choose.
    sums, lengths : dict of str to str and int
        What it says of files: their SHA-1, and their sizes where they are not those of `files`.
    """

    def __init__(self, files, best, observatory="roman"):
        self.files, self.best, self.observatory = files, best, observatory
        self.asked, self.sent, self.url = [], [], ""
        self.sums = {name: sha1(content).hexdigest() for name, content in files.items()}
        self.lengths = {}

    def call(self, method, parameters):
        """The result of a method of the protocol."""
        self.asked.append((method, parameters))
        return getattr(self, method)(*parameters)

    def get_server_info(self):
        places = {self.observatory: f"{self.url}/files/"}
        sizes = {name: len(content) for name, content in self.files.items()} | self.lengths
        info = {name: {"size": str(size), "sha1sum": self.sums[name]} for name, size in sizes.items()}
        return {
            "observatory": self.observatory, "latest_context": f"{self.observatory}_0042.pmap",
            "operational_context": f"{self.observatory}_0042.pmap", "edit_context": f"{self.observatory}_0042.pmap",
            "crds_version": {"str": "13.0.0"}, "force_remote_mode": False, "bad_files": "", "bad_files_list": [],
            "reference_url": places, "mapping_url": places, "last_synced": "2026-11-01",
            "download_metadata": info,
        }  # fmt: skip

    def get_best_references(self, context, header, reftypes):
        return {name: self.best.get(name, "NOT FOUND No match found.") for name in reftypes}

    def get_mapping_names(self, context):
        return [context]

    def get_context_by_date(self, date, observatory):
        return f"{observatory}_0042.pmap"


@contextmanager
def played(server):
    """The server at work, its URL set."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            try:
                answer = {"result": server.call(asked["method"], asked["params"]), "error": None}
            except Exception as error:
                answer = {"result": None, "error": {"message": f"{type(error).__name__}: {error}"}}
            self._send(json.dumps(answer | {"id": asked["id"]}).encode())

        def do_GET(self):
            name = unquote(self.path.rpartition("/")[2])
            server.sent.append(name)
            if name in server.files:
                self._send(server.files[name])
            else:
                self.send_error(404)

        def _send(self, content):
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_words):
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    server.url = f"http://127.0.0.1:{http.server_port}"
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()


def write_cache(root, files, *, by_instrument):
    """A cache with rules of Roman that choose these files, type to path, by detector and date."""
    places = {"config": root / "config" / "roman", "rules": root / "mappings" / "roman"}
    references = root / "references" / "roman" / ("wfi" if by_instrument else "")
    for place in (*places.values(), references):
        place.mkdir(parents=True)
    (places["config"] / "ref_cache_subdir_mode").write_text("instrument" if by_instrument else "flat")
    info = PlayedServer({}, {}).get_server_info()
    (places["config"] / "server_config").write_text(pprint.pformat(info))
    rules = {kind: f"roman_wfi_{kind}_0001.rmap" for kind in files}
    _write_rules(places["rules"] / "roman_0042.pmap", {"WFI": "roman_wfi_0001.imap"},
                 mapping="PIPELINE", parkey=("ROMAN.META.INSTRUMENT.NAME",))  # fmt: skip
    _write_rules(places["rules"] / "roman_wfi_0001.imap", rules,
                 mapping="INSTRUMENT", parkey=("REFTYPE",), instrument="WFI")  # fmt: skip
    keys = (("ROMAN.META.INSTRUMENT.DETECTOR",), ("ROMAN.META.EXPOSURE.START_TIME",))
    for kind, path in files.items():
        (references / path.name).write_bytes(path.read_bytes())
        chosen = f"Match({{('WFI01',): UseAfter({{'2020-01-01 00:00:00': {path.name!r}}})}})"
        _write_rules(places["rules"] / rules[kind], chosen, mapping="REFERENCE", parkey=keys, instrument="WFI",
                     filekind=kind.upper(), reffile_format="IMAGE")  # fmt: skip
    return root


def _write_rules(path, selector, **header):
    header = HEADER | {"name": path.name, **header}
    chosen = selector if isinstance(selector, str) else pprint.pformat(selector)
    lines = f"header = {pprint.pformat(header)}\n\nselector = {chosen}\n".splitlines(keepends=True)
    others = "".join(line for line in lines if "sha1sum" not in line)  # as the client sums them
    path.write_text("".join(lines).replace(UNSUMMED, sha1(others.encode()).hexdigest()))
