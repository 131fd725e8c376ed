"""The table of products in docs/jwst.md: made by running every looking tool on a file of each kind.

Where it differs from what is found, ``python -m tests.house.test_jwst_page`` prints it anew.
"""

import io
from contextlib import redirect_stderr, redirect_stdout
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from rtools.jwst import SUFFIXES, product_layout
from rtools.products.jwst import open_jwst
from tests.support import jwst_files
from tests.support.jwst_golden import PARTS, products_in
from tests.support.places import ROOT
from tests.support.runs import tool

PAGE = ROOT / "docs" / "jwst.md"

LINES = {
    "info": ("FILE",),
    "get": ("*", "FILE"),
    "set": ("FILE", "target.proposer_name=M 31", "-o", "DIR/set.fits"),
    "stat": ("FILE",),
    "dq": ("FILE",),
    "view": ("FILE",),
    "cut": ("FILE", "-o", "DIR/cut.fits"),
    "diff": ("FILE", "FILE"),
    "fits": ("FILE", "-o", "DIR/form.asdf"),
    "table": ("FILE",),
}
"""Looking tools, and a command line of each."""

CUTS = {"s3d": ("--section", "2:12,1:7"), "x1d": ("--wave", "0:1e9"), "x1dints": ("--wave", "0:1e9"),
        "c1d": ("--wave", "0:1e9")}  # fmt: skip
IMAGE = ("--section", "4:12,1:7")

MADE_BY = {
    "uncal": "`rt-sim`", "ramp": "`rt-run`", "rate": "`rt-run`, `rt-sim`", "rateints": "`rt-run`, `rt-sim`",
    "cal": "`rt-run`, `rt-sim`", "calints": "`rt-run`, `rt-sim`", "bsub": "`rt-bsub`, `rt-run`",
    "bsubints": "`rt-bsub`, `rt-run`", "crf": "`rt-outlier`, `rt-run`", "crfints": "`rt-outlier`",
    "phot": "`rt-phot`", "i2d": "`rt-run`, `rt-resample`",
    "psfstack": "`rt-psfstack`", "psfalign": "`rt-psfalign`", "psfsub": "`rt-psfsub`",
    "ami-oi": "`rt-ami`", "amimulti-oi": "`rt-ami`", "amilg": "`rt-ami`", "aminorm-oi": "`rt-aminorm`",
    "x1d": "`rt-x1d`", "x1dints": "`rt-x1d`", "c1d": "`rt-c1d`", "s2d": "`rt-resample`",
    "s3d": "`rt-cube build`", "whtlt": "`rt-whtlt`",
}  # fmt: skip
"""What makes a product."""

HEAD = ("product", "what it is", *LINES, "layout", "ours", "peer's", "made by")


def answer(name, path, folder):
    """``✓`` where a tool does its work, ``–`` where it says in a line that it has nothing to do with such a file."""
    kind = path.stem.rpartition("_")[2]
    more = CUTS.get(kind, IMAGE) if name == "cut" else ()
    words = [word.replace("DIR", str(folder)).replace("FILE", str(path)) for word in (*LINES[name], *more)]
    said = io.StringIO()
    with redirect_stdout(io.StringIO()), redirect_stderr(said):
        status = tool(name, *words)
    if status == 0:
        return "✓"
    lines = said.getvalue().splitlines()
    assert status in (2, 3) and len(lines) == 1 and lines[0].startswith(f"rt-{name}: "), (name, path.name, lines)
    return "–"


def is_valid(path):
    """Whether rt-validate finds no error in a file."""
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        return tool("validate", path) == 0


@cache
def golden_by_kind(unpacked):
    """What the steps of the peer made, by kind."""
    found = {}
    answers = (path for part in PARTS for path in products_in(unpacked(part)) if path.name.startswith("out_"))
    for path in answers:
        found.setdefault(open_jwst(path).kind, []).append(path)
    return found


def row(kind, folder, golden):
    """Cells of the row of a kind."""
    sound = jwst_files.made(folder, kind, sound=True)
    looked = [answer(name, sound, folder / name) for name in LINES if (folder / name).mkdir() is None]
    own = folder / "own"
    own.mkdir()
    ours = jwst_files.written(own, kind)
    peers = golden.get(kind, [])
    good = sum(map(is_valid, peers))
    valid = ("✓" if is_valid(sound) else "✗", "✓" if open_jwst(ours).kind == kind else "✗",
             f"{good} of {len(peers)}" if peers else "none")  # fmt: skip
    return (f"`{kind}`", product_layout(kind).title, *looked, *valid, MADE_BY.get(kind, "–"))


def stated():
    """Rows of the table of the page, by their products."""
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    cells = [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines]
    return {one[0].strip("`"): one for one in cells if one[0].strip("`") in SUFFIXES}


def test_every_product_has_a_row():
    assert tuple(stated()) == SUFFIXES


@pytest.mark.slow
@pytest.mark.parametrize("kind", SUFFIXES)
def test_what_the_page_says_of_a_product_is_found(kind, tmp_path, jwst_golden):
    assert row(kind, tmp_path, golden_by_kind(jwst_golden)) == stated()[kind]


def printed(unpacked):
    """The whole table as the page has it."""
    lines = [HEAD, ["---"] * len(HEAD)]
    for kind in SUFFIXES:
        with TemporaryDirectory() as folder:
            lines.append(row(kind, Path(folder), golden_by_kind(unpacked)))
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


if __name__ == "__main__":
    import tarfile

    from tests.support.places import DATA

    with TemporaryDirectory() as home:

        def unpacked(part):
            if not Path(home, part).exists():
                with tarfile.open(DATA / "jwst" / f"{part}.tar.xz") as archive:
                    archive.extractall(home, filter="data")
            return Path(home, part)

        print(printed(unpacked))
