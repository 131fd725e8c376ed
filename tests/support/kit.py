"""What the kit-wide suite needs of a tool: command lines that work, and what stands in for a disk, a pipe, a key press.

A tool that is called as ``rt-NAME FILE`` and writes to ``--outdir DIR`` needs no line here.
"""

import atexit
import io
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from functools import cache
from pathlib import Path

import pytest

from rtools.commands.kit import entry
from rtools.commands.kit.tools import command_of, tool_names
from rtools.pipeline.exposure import chain
from rtools.pipeline.job.steps import step_names, step_of
from tests.support import bands
from tests.support.places import ROOT
from tests.support.runs import STEPS, SUFFIXES, done
from tests.support.stage3_files import golden_product

TOOLS = sorted(tool_names())

GROUPED = ("gw", "cube")
"""Tools of which each subcommand is a tool of its own for the suite: each has inputs, outputs and options."""

SUBTOOLS = sorted(f"{name} {word}" for name in GROUPED for word in command_of(name).commands)
"""These, as ``gw measure``."""

OF_GW = tuple(name for name in SUBTOOLS if name.startswith("gw "))
OF_CUBES = tuple(name for name in SUBTOOLS if name.startswith("cube "))

ALL = [*TOOLS, *SUBTOOLS]
"""What can be typed and has a help."""

WORKING = [name for name in ALL if name not in GROUPED]
"""What works on files or names."""

NAME = "r0000101001001001001_0001_wfi01_f158_uncal.asdf"

OF_JWST = tuple(name for name in step_names("jwst") if name not in step_names() and step_of(name, "jwst").in_chain)
"""Steps that exposures of JWST alone have."""

OF_PRODUCTS = {"whtlt": "x1dints", "psfstack": "coronagraph", "psfalign": "coronagraph", "psfsub": "coronagraph",
               "x1d": "slit", "c1d": "extracted_again", "ami": "ami_calints", "aminorm": "ami-oi"}  # fmt: skip
"""Steps on whole products of JWST, and what they take, as `tests.support.stage3_files` calls it."""

ALIKE = (
    *(name for name in OF_JWST if name not in ("jump", "superbias")),
    *(name for name in OF_PRODUCTS if name != "whtlt"),
    *(name for name in chain.order() if name not in ("linearity", "rampfit", "flat", "catalog", "tweakreg")),
    *("skymatch", "outlier"),
)
"""Steps whose tools differ by their declarations alone from those that are left out here: what the suite does with
files is done with these among the long tests, with the others in every run."""

LINES = {
    "name": (NAME,),
    "sim": (f"{NAME} --size 256 --dry-run", "jw01234001001_02101_00001_nrca1_uncal.fits --subarray SUB64P --dry-run"),
    "refs": ("check FILE --builtin", "show GAIN"),
    "get": ("exposure.type FILE",),
    "set": ("FILE exposure.nresultants=5 --outdir DIR",),
    "point": ("--summary FILE", "--v1 FILE", "FILE --quaternion 0 0 0 1 --outdir DIR"),
    "aberration": ("FILE --outdir DIR",),
    "refcat": ("info FILE",),
    "skymap": ("FILE", "--sky 10.5,-20.25 --json", "135p90x25y50 --wcs --corners"),
    "asn": (f"{NAME} --product-name field --dry-run",),
    "diff": ("FILE FILE",),
    "match": ("--keep first FILE FILE",),
    "validate": ("FILE --quick --json",),
    "cut": ("FILE --section 10:40,20:60 --outdir DIR",),
    "fits": ("FILE --outdir DIR --sip-error none",),
    "report": ("FILE -o DIR/page.html",),
    "phot": ("FILE --at 10,10 --no-psf --outdir DIR",),
    "psf": ("FILE --builtin --outdir DIR",),
    "gw attitude": ("FILE STAR",),
    "cube build": ("FILE --spaxel 0.5 --step 0.05 -o DIR/out_s3d.fits",),
    "cube plane": ("FILE --wave 5.3 --outdir DIR",),
    "cube slice": ("FILE --wave 5.1:5.3 --outdir DIR",),
    "cube collapse": ("FILE --how median --outdir DIR",),
    "cube moments": ("FILE --wave 5.1:5.5 --outdir DIR",),
    "cube axis": ("FILE --table --outdir DIR",),
    "cube merge": ("FILE CUBE -o DIR/out_s3d.fits",),
    "multiband": ("FILE --outdir DIR",),
    "resample": ("FILE -o DIR/out_coadd.asdf",),
    **dict.fromkeys((*chain.order(), "run", "flux", "skymatch", "outlier"), ("FILE --outdir DIR",)),
    **dict.fromkeys(OF_JWST, ("FILE --builtin --outdir DIR",)),
    **dict.fromkeys(OF_PRODUCTS, ("FILE --outdir DIR",)),
    "ami": ("FILE --builtin --firstfew 1 --outdir DIR",),
    "aminorm": ("FILE POINT --outdir DIR",),
    "bsub": ("FILE BKG --outdir DIR",),
    "psfstack": ("FILE -o DIR/out_psfstack.fits",),
    "c1d": ("FILE -o DIR/out_c1d.fits",),
    "psfalign": ("FILE STACK --outdir DIR",),
    "psfsub": ("FILE ALIGNED --outdir DIR",),
    **{name: (f"FILE --ref {name}=none --outdir DIR",) for name in ("reset", "rscd")},
}
"""Tool to command lines: FILE is a product that it takes, GAIN a reference file, DIR a directory for outputs, STAR a
guide-window file of another star, BKG an exposure of the background; STACK, ALIGNED, CUBE and POINT are in `BESIDE`."""

WRITES = {
    "sim": f"{NAME} --size 256 --read-pattern 1;2;3 --no-truth --outdir DIR",
    "refcat": "make FILE -o DIR/out.parquet",
    "refs": "make DIR --detector WFI01 --types gain --size 256",
    "dq": "FILE --mask JUMP_DET -o DIR/out.asdf",
    "view": "FILE -o DIR/out.png",
    "diff": "FILE FILE -o DIR/out.asdf",
    "table": "FILE --format ecsv -o DIR/out.ecsv",
    "match": "FILE FILE -o DIR/out.ecsv",
    **dict.fromkeys(OF_GW, "FILE --outdir DIR"),
    "gw attitude": "FILE STAR --outdir DIR",
    "asn": f"{NAME} {' '.join(f'{number}_uncal.asdf' for number in range(40))} -o DIR/field_asn.json",
}
"""Tool to a command line that writes a file."""

BEFORE = {name: SUFFIXES[STEPS[number - 1]] if number else "uncal" for number, name in enumerate(STEPS)}
TAKES = {
    **BEFORE,
    "linearity": "dark_decay",
    "run": "photom",
    "refs": "uncal",
    "table": "catalog",
    "match": "catalog",
    "refcat": "catalog",
    "skymap": "wcs",
    "multiband": "coadd",
    **dict.fromkeys(OF_GW, "gw"),
    **dict.fromkeys(OF_CUBES, "s3d"),
    "cube build": "slices",
    "gw face": "face",
    **dict.fromkeys(OF_JWST, "jwst_ramp"),
    **OF_PRODUCTS,
    "groupscale": "jwst_uncal",
    **dict.fromkeys(("gainscale", "bsub"), "jwst_rate"),
}
"""Tool to the kind of product that FILE is; otherwise an image."""


def lines(name):
    """Command lines of a tool that must work."""
    return LINES.get(name, ("FILE",))


def writing_line(name):
    """A command line of a tool that writes a file, or None."""
    if name in WRITES:
        return WRITES[name]
    return next((line for line in lines(name) if "DIR" in line), None)


MANY = {
    "point": "FILE --quaternion 0 0 0 1 --outdir DIR",
    "view": "FILE --outdir DIR",
    "table": "FILE --format ecsv --outdir DIR",
    **dict.fromkeys(OF_GW, "FILE --outdir DIR"),
}
"""Tool to a command line that takes many files, where it is not the first of its lines."""

LIGHT = {
    "stat": "FILE --array data",
    "set": "GAIN author=me --outdir DIR",
    "report": "FILE --json -o DIR/page.html",
}
"""As `MANY`, quick enough for many files."""

EDITS = ("aberration", "fits", "point", "set")
"""Tools that change a file, or its form, and leave what made it."""

WRONG = {
    **dict.fromkeys(("flux", "skymatch", "outlier", "resample"), "wcs"),
    **dict.fromkeys((*chain.order(), "run", "cut", "view", "dq", "fits", "phot", "psf", "point", "aberration"), "wcs"),
    "table": "cal",
    "match": "cal",
    "refcat": "cal",
    "multiband": "cal",
    "refs": "gain",
    "skymap": "gain",
    **dict.fromkeys((*SUBTOOLS, *OF_JWST, *OF_PRODUCTS), "cal"),
    "bsub": "wcs",
}
"""Tool to a kind of product that it does not take; the others take them all."""

CASES = [(name, line) for name in WORKING for line in lines(name)]
READS = [(name, line) for name, line in CASES if re.search("FILE|GAIN", line)]
WRITERS = [(name, writing_line(name)) for name in WORKING if writing_line(name)]


BESIDE = {"STACK": "psfstack", "ALIGNED": "psfalign", "CUBE": "s3d_again", "POINT": "ami_star"}
"""Words of lines that stand for a second file, and which of `tests.support.stage3_files` it is."""

TOGETHER = ("gw attitude", "aminorm", "c1d", "psfstack", "psfalign", "psfsub", "cube build", "cube merge")
"""Tools whose inputs are one thing."""


def command_called(name):
    """The command of a tool, or of a subcommand that is a tool of its own."""
    first, _, word = name.partition(" ")
    command = command_of(first)
    return command.commands[word] if word else command


def has(name, option):
    """Whether a tool, or a subcommand of it, has the option of this parameter name."""
    command = command_called(name)
    commands = [command, *getattr(command, "commands", {}).values()]
    return any(param.name == option for one in commands for param in one.params)


def many_line(name):
    """A command line of a tool that takes many files, and writes many if it writes."""
    return MANY.get(name, lines(name)[0])


def many_inputs(name):
    """Whether a tool takes any number of files, each of which is a thing of its own."""
    arguments = [param for param in command_called(name).params if param.nargs == -1]
    return name not in TOGETHER and any("FILE" in (param.metavar or param.name.upper()) for param in arguments)


def run(name, *args):
    """Exit status of a tool run in this process."""
    first, *word = name.split()
    return entry.run(command_of(first), [*word, *map(str, args)])


def words(line, file, directory):
    """A line with its FILE (a path, or several) and its DIR filled in."""
    files = [str(path) for path in file] if isinstance(file, list) else [str(file)]
    filled = []
    for word in line.split():
        if word in ("FILE", "GAIN"):
            filled += files
        elif word == "STAR":
            filled.append(str(guided()["star"]))
        elif word == "BKG":
            filled.append(str(jwst_files()["jwst_background"]))
        elif word in BESIDE:
            filled.append(str(golden_product(BESIDE[word])))
        else:
            filled.append(re.sub(r"^DIR\b", lambda _: str(directory), word))
    return filled


@pytest.fixture(scope="session")
def others(tmp_path_factory):
    """A reference file, a catalog, and a mosaic."""
    import pyarrow
    from pyarrow import parquet

    directory = tmp_path_factory.mktemp("others")
    done("refs", "make", directory, "--detector", "WFI01", "--types", "gain", "--size", 256)
    numbers = range(500)
    columns = {"label": list(numbers), "flux": [1.5 * number for number in numbers]}
    columns |= {"ra": [10 + 0.001 * number for number in numbers], "dec": [0.001 * number for number in numbers]}
    table = pyarrow.table(columns)
    parquet.write_table(table, directory / "stars_cat.parquet")
    gain = next(directory.glob("*.asdf"))
    arrays = bands.image("F158", bands.stars(4, shape=(120, 120)), shape=(120, 120))
    coadd = bands.write(directory / "stars_f158_coadd.asdf", "F158", arrays)
    return (
        {"gain": gain, "catalog": directory / "stars_cat.parquet", "coadd": coadd}
        | guided()
        | jwst_files()
        | golden_products()
    )


def golden_products():
    """What steps on whole products of JWST take."""
    return {kind: golden_product(kind) for kind in {*OF_PRODUCTS.values(), "slices", "s3d"}}


@cache
def jwst_files():
    """A raw exposure of JWST, its ramp and its rate: they stay until the process ends."""
    folder = tempfile.TemporaryDirectory()
    atexit.register(folder.cleanup)
    Path(folder.name).chmod(0o755)
    root = f"{folder.name}/jw01234001001_02101_00001_nrca1"
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        done("sim", f"{root}_uncal.fits", "--subarray", "SUB64P", "--ngroups", 5)
        done("dqinit", f"{root}_uncal.fits", "--builtin")
        done("run", f"{root}_uncal.fits", "--builtin", "--until", "rampfit")
    background = shutil.copy(f"{root}_rate.fits", f"{root.replace('00001_nrca1', '00002_nrca1')}_rate.fits")
    return {"jwst_uncal": Path(f"{root}_uncal.fits"), "jwst_ramp": Path(f"{root}_dq_init.fits"),
            "jwst_rate": Path(f"{root}_rate.fits"), "jwst_background": Path(background)}  # fmt: skip


@cache
def guided():
    """Guide windows of a star, its FACE, and the windows of another star: they stay until the process ends."""
    folder = tempfile.TemporaryDirectory()
    atexit.register(folder.cleanup)
    Path(folder.name).chmod(0o755)  # some tests read as another user
    paths = [Path(folder.name) / f"r0000101001001001001_0001_1_{place}_f158_gw.asdf" for place in ("wfi02", "wfi18")]
    with redirect_stdout(io.StringIO()):  # a test looks at what its own command prints
        done("sim", *paths, "--mag", 14, "--crowded", 0, "--read-pattern", "1;2;3;4", "--gap", 1)
    face = paths[0].with_name(paths[0].name.replace("_gw", "_face"))
    return {"gw": paths[0], "star": paths[1], "face": face}


@pytest.fixture
def taken(product, others):
    """``taken(name, line)``: the path of a product that the line's tool takes."""

    def find(name, line):
        kind = "gain" if "GAIN" in line else TAKES.get(name, "cal")
        return others[kind] if kind in others else product(kind)

    return find


@pytest.fixture(scope="session")
def path_of_tools(tmp_path_factory):
    """A directory with ``rt`` and every ``rt-NAME``, for PATH: those of this source tree, installed or not."""
    directory = tmp_path_factory.mktemp("bin")
    for name in ("", *TOOLS):
        called = f"rt-{name}" if name else "rt"
        main = f"entry.entry(rt.command_of('{name}'))()" if name else "rt.main()"
        code = f"import sys; sys.path.insert(0, '{ROOT}'); sys.argv[0] = '{called}'"
        script = directory / called
        script.write_text(
            f'#!/bin/sh\nexec "{sys.executable}" -c "{code}; from rtools.commands import rt; '
            f'from rtools.commands.kit import entry; {main}" "$@"\n'
        )
        script.chmod(0o755)
    return directory


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    encoding = "utf-8"

    def isatty(self):
        return True


@contextmanager
def stdout_to(monkeypatch, stream):
    """Standard output is this stream."""
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", stream)
        yield stream
    with suppress(OSError):
        stream.close()


def full_device():
    """A stream on a full disk."""
    return open("/dev/full", "w")


def broken_pipe():
    """A pipe that nobody reads."""
    reading, writing = os.pipe()
    os.close(reading)
    return os.fdopen(writing, "w")


@contextmanager
def limited(what, soft):
    """A soft limit of this process."""
    before, hard = resource.getrlimit(what)
    resource.setrlimit(what, (soft, hard))
    try:
        yield
    finally:
        resource.setrlimit(what, (before, hard))


def started(path_of_tools, name, *args, **settings):
    """A tool as a process of its own, its streams open, that a Ctrl-C stops wherever this suite is started."""
    first, *word = name.split()
    return subprocess.Popen(
        [path_of_tools / f"rt-{first}", *word, *map(str, args)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        **settings,
    )
