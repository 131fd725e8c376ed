"""Tools over damaged and malicious files: what each of them may do then, and may not."""

import faulthandler
import io
import re
import resource
import sys
import time
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from tests.support.kit import Terminal, limited, run
from tests.support.mutate import generator, mutated

LOOKING = (
    "info FILE",
    "info --json FILE",
    "info -v --tree FILE",
    "get ** FILE",
    "validate FILE",
    "validate --quick --json FILE",
    "stat FILE",
    "diff WHOLE FILE",
    "diff FILE WHOLE",
    "history FILE",
    "view FILE",
    "table FILE --head 3",
    "report FILE -o DIR/page.html",
    "view FILE -o DIR/x.png",
)
CHANGING = (
    "set FILE exposure.nresultants=5 --outdir DIR",
    "cut FILE --section 10:40,20:60 --outdir DIR",
    "run FILE --builtin --dry-run --outdir DIR",
    "run FILE --builtin --dry-run --resume --outdir DIR",
)
LINES = {
    "uncal": (
        *LOOKING,
        *CHANGING,
        "dqinit FILE --builtin --outdir DIR",
        "run FILE --builtin --until refpix --outdir DIR",
    ),
    "ramp": (*LOOKING, *CHANGING, "saturation FILE --builtin --outdir DIR", "fits FILE --outdir DIR"),
    "cal": (
        *LOOKING,
        *CHANGING,
        "fits FILE --outdir DIR --sip-error none",
        "catalog FILE --builtin --outdir DIR",
        "skymatch FILE --outdir DIR",
        "resample FILE -o DIR/x_coadd.asdf",
        "point --summary FILE",
        "skymap FILE",
        "flux FILE --outdir DIR",
        "dq FILE --mask JUMP_DET -o DIR/out.asdf",
        "aberration FILE --outdir DIR",
        "refcat make FILE -o DIR/x.parquet",
    ),
    "wcs": (*LOOKING, "skymap FILE", "cut CAL --sky 270,66,1 --wcs FILE --outdir DIR"),
    "segm": (*LOOKING, CHANGING[1]),
    "coadd": (
        *LOOKING,
        CHANGING[1],
        "catalog FILE --builtin --outdir DIR",
        "multiband FILE --outdir DIR",
        "fits FILE --outdir DIR",
    ),
    "gw": (
        *LOOKING,
        "gw info FILE",
        "gw measure FILE --outdir DIR",
        "gw stack FILE --outdir DIR",
        "cut FILE --exposure 1 --outdir DIR",
    ),
    "face": (*LOOKING, "gw face FILE --outdir DIR", "gw info FILE"),
    "gain": (*LOOKING, CHANGING[1], "refs check FILE", "rampfit RAMP --builtin --ref gain=FILE --outdir DIR"),
    "catalog": (
        *LOOKING,
        "table FILE -o DIR/x.fits",
        "table FILE -o DIR/x.ecsv",
        "refcat info FILE",
        "refcat make FILE -o DIR/x.parquet",
        "validate SEGM --with FILE",
        "view CAL --catalog FILE -o DIR/x.png",
    ),
    "jwst_uncal": (*LOOKING, *CHANGING, "groupscale FILE --builtin --outdir DIR", "dqinit FILE --builtin --outdir DIR"),
    "jwst_rate": (*LOOKING, *CHANGING, "gainscale FILE --builtin --outdir DIR", "fits FILE --outdir DIR"),
    "jwst_cal": (*LOOKING, *CHANGING, "skymatch FILE --outdir DIR", "resample FILE -o DIR/x_i2d.fits"),
    "asn": (
        "asn --check FILE",
        "asn --members FILE",
        "info FILE",
        "get ** FILE",
        "run FILE --builtin --dry-run --outdir DIR",
        "resample FILE --outdir DIR",
        "skymatch FILE --outdir DIR",
        "run FILE --mosaic --dry-run --outdir DIR",
        "validate FILE",
    ),
    "log": ("report CAL --log FILE -o DIR/page.html",),
    "lock": (
        "refs check FILE",
        "rampfit RAMP --builtin --refdir . --outdir DIR",
        "run RAMP --builtin --refdir . --dry-run",
    ),
    "config": ("info --config FILE CAL", "run --config FILE CAL --show-config"),
}
"""Kind of file to command lines: FILE is the changed file, WHOLE the one it was, DIR the output directory."""

STATUSES = {0, 1, 2, 3, 4, 5}
LONGEST = 20
"""Seconds of CPU that a tool may take over one file."""
ROOM = 2 << 30
"""Bytes of addresses, beyond those it has, that a tool may ask for: one that asks for more is told of it."""
UNFORESEEN = re.compile("internal error|Traceback|not enough memory|Warning:|Exception ignored|object at 0x")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


@dataclass(frozen=True)
class Ended:
    """How a tool ended over a changed file."""

    kind: str
    number: int
    word: str
    line: str
    status: int
    fault: str
    said: str


def ending(files, kind, number, box, line=None):
    """Change a file, run a tool over it, and look at all that it did.

    Parameters
    ----------
    files : dict of str to Path
        Kind to a whole file.
    kind : str
        The one that is changed.
    number : int
        Of the case; says what is changed, and which tool runs.
    box : Path
        An empty directory.
    line : str, optional
        The command line.
    """
    rng = generator(kind, number)
    whole = files[kind]
    names = {"work": box / "work", "out": box / "out", "outside": box / "outside"}
    for folder in names.values():
        folder.mkdir(exist_ok=True)
    secret = names["outside"] / "secret.asdf"
    if not secret.exists():
        secret.write_text("of nobody's business")
    path = names["work"] / whole.name
    word, data = mutated(whole.read_bytes(), whole.suffix[1:], rng, box)
    path.write_bytes(data)
    line = line or rng.choice(LINES[kind.partition(":")[0]])
    places = {
        "FILE": path,
        "WHOLE": whole,
        "CAL": files.get("cal", whole),
        "RAMP": files.get("ramp", whole),
        "SEGM": files.get("segm", whole),
    }
    words = [str(places.get(word, word)).replace("DIR", str(names["out"])) for word in line.split()]
    before = _listing(box)
    out, err = Terminal() if (terminal := number % 2) else io.StringIO(), io.StringIO()
    faulthandler.dump_traceback_later(10 * LONGEST, exit=True, file=sys.__stderr__)
    began, peak = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with (
        chdir(names["work"]),
        redirect_stdout(out),
        redirect_stderr(err),
        limited(resource.RLIMIT_AS, _addresses() + ROOM),
    ):
        status = run(*words)
    faulthandler.cancel_dump_traceback_later()
    used = time.process_time() - began
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak) >> 10
    fault = _fault(status, line, out.getvalue() if terminal else "", err.getvalue())
    fault = fault or (f"{used:.0f} s" if used > LONGEST else "") or (f"{grown} MB" if grown > 700 else "")
    fault = fault or _written(before, _listing(box), names["out"], status, line)
    for left in names["out"].iterdir():
        left.unlink() if left.is_file() else None
    path.unlink()
    return Ended(kind, number, word, " ".join(line.split()), status, fault, err.getvalue())


def _fault(status, line, out, err):
    """What a tool may not say, or how it may not end."""
    if status not in STATUSES:
        return f"status {status}"
    if found := UNFORESEEN.search(err):
        return found[0]
    if status in (2, 3, 4) and not err.strip() and "--json" not in line:
        return "no word of why"
    if CONTROL.search(err) or CONTROL.search(COLOUR.sub("", out)):
        return "control characters"
    return ""


def _addresses():
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def _listing(box):
    return {path: (path.stat().st_size, path.stat().st_mtime_ns) for path in sorted(box.rglob("*")) if path.is_file()}


def _written(before, after, out, status, line):
    """What a tool changed that it may not."""
    changed = [path for path in before.keys() | after.keys() if before.get(path) != after.get(path)]
    if strays := [path for path in changed if out not in path.parents]:
        return f"wrote {strays[0]}"
    if status and changed and not line.startswith(("report", "view")):
        return f"failed and left {changed[0].name}"
    return ""
