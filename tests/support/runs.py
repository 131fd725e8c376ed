"""What the tests of whole runs share: small simulated exposures, tools run in process, what is in a product."""

import hashlib
import io
import json
import os
import shutil
import sys
from contextlib import contextmanager

import numpy as np
import pytest

from rtools.commands.kit import entry
from rtools.commands.kit.tools import command_of
from rtools.pipeline.exposure import chain
from rtools.pipeline.job.steps import step_of
from rtools.products.io import header, open_product, writer
from rtools.reference.find import NOT_FOR_SCIENCE
from rtools.wfi.exposure_types import EXPOSURE_TYPES

ROOT = "r0000101001001001001_0001"
READS = "1;2-3;4-7;8-10;11;12-13"
TYPES = tuple(EXPOSURE_TYPES)
STEPS = tuple(name for name in chain.order() if not (step_of(name).finds_sources or step_of(name).aligns))
PRODUCTS = ("segm.asdf", "cat.parquet", "wcs.asdf", "cal.asdf")
"""What the chain makes of an image, in the order in which it appears."""
SUFFIXES = {name: step_of(name).suffix for name in STEPS}


def tool(name, *args):
    """Exit status of a tool run in this process."""
    return entry.run(command_of(name), list(map(str, args)))


def done(name, *args):
    """Run a tool that must succeed, without its warnings."""
    assert tool(name, *args, "-q") == 0


def records(text):
    """The objects that --json printed, one a line."""
    return [json.loads(line) for line in text.splitlines()]


def complaints(said):
    """Lines of standard error but for the caution about the built-in instrument, which -q does not hide."""
    return [line for line in said.splitlines() if NOT_FOR_SCIENCE not in line]


def simulate(directory, detector="wfi01", *options, size=256, reads=READS, number=1, stars=60_000):
    """Simulate a small exposure, crowded so that there are sources to find; its path."""
    name = f"r0000101001001001001_{number:04d}_{detector}_f158_uncal.asdf"
    settings = ("--size", size, "--read-pattern", reads, "--no-truth", "--crowded", stars, "--reference-read")
    done("sim", name, "--outdir", directory, *settings, *options)
    return directory / name


def rewrite(source, target, change):
    """A product changed by ``change(meta, arrays)``, which works in place."""
    with open_product(source) as product:
        meta = product.meta
        arrays = {name: np.array(product.array(name)) for name in product.arrays}
        change(meta, arrays)
        kept = {"profile": product.profile, "history": product.history}
        writer.write_product(target, product.kind, meta, arrays, compression="none", **kept)
    return target


def retouched(source, target, old, new):
    """A copy of a file in which bytes of its tree are others, as many."""
    data = source.read_bytes()
    start = data.index(old, data.index(b"\nroman:"))
    assert len(old) == len(new)
    target.write_bytes(data[:start] + new + data[start + len(old) :])
    return target


def saturate_some(meta, arrays):
    """A square of a hundred pixels that are saturated from the fourth resultant on."""
    arrays["data"][3:, 100:110, 60:70] = 65535


def saturate(meta, arrays):
    """Every science pixel at the top of the converter in every resultant."""
    arrays["data"][:, 4:-4, 4:-4] = 65535
    arrays.pop("reference_read", None)
    arrays.pop("reference_amp33", None)
    meta["instrument"]["data_encoding_offset"] = 0


def meta(path):
    """Metadata of a product."""
    with open_product(path) as product:
        return product.meta


def statuses(path):
    """`meta.cal_step` of a product."""
    return dict(meta(path)["cal_step"])


def history(path):
    """Entries of the ASDF history."""
    with open_product(path) as product:
        return product.history


def arrays(path, *names):
    """Arrays of a product by name; all of them by default."""
    with open_product(path) as product:
        return {name: np.array(product.array(name)) for name in names or product.arrays}


def same(first, second, *names):
    """Whether arrays of two products have the same bits; NaN equals NaN."""
    one, two = arrays(first, *names), arrays(second, *names)
    assert one.keys() == two.keys()
    return {name: one[name].dtype == two[name].dtype and one[name].tobytes() == two[name].tobytes() for name in one}


def listing(directory):
    """Names in a directory and a checksum of each file."""
    return {path.name: hashlib.md5(path.read_bytes()).hexdigest() if path.is_file() else "" for path in
            directory.iterdir()}  # fmt: skip


def copied(source, directory, name=None):
    """A copy of a file in another directory."""
    directory.mkdir(exist_ok=True)
    return shutil.copy(source, directory / (name or source.name))


def blocks(path):
    """Offset and stored size of every block of a file."""
    return [(block.offset, block.used) for block in header.read_header(path)[2]]


@contextmanager
def piped(monkeypatch, data):
    """Bytes on standard input; the value collects what goes to standard output."""

    class Pipe(io.TextIOWrapper):
        def isatty(self):
            return False

    out = io.BytesIO()
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stdin", Pipe(io.BytesIO(data)))
        patched.setattr(sys, "stdout", pipe := Pipe(out, errors="surrogateescape", write_through=True))
        yield out
        pipe.detach()  # or it would close what it wrote to


@pytest.fixture(scope="session", autouse=True)
def own_surroundings(tmp_path_factory):
    """No configuration of the user, and an index of references of our own."""
    with pytest.MonkeyPatch.context() as patched:
        for name in [name for name in os.environ if name.startswith(("RT_", "CRDS_"))]:
            patched.delenv(name)
        patched.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def references(tmp_path_factory):
    """Directory with a seeded variation of every reference of WFI01 and F158, 256 x 256 pixels."""
    directory = tmp_path_factory.mktemp("references")
    done("refs", "make", directory, "--detector", "WFI01", "--element", "F158", "--size", 256, "--seed", 3)
    return directory


@pytest.fixture(scope="session")
def raw(tmp_path_factory):
    """Raw exposure of 256 x 256 pixels, WFI01, WFI_IMAGE, six resultants, with a reference read and an offset."""
    made = simulate(tmp_path_factory.mktemp("simulated"))
    return rewrite(made, tmp_path_factory.mktemp("raw") / made.name, saturate_some)


@pytest.fixture(scope="session")
def raw18(tmp_path_factory):
    """As `raw`, of the detector that has the transient, with a sky dark enough to see it.

    256 rows are read in a quarter of a second: the fit tells two time constants apart where there is little noise.
    """
    dark = ("--sky", 0.1, "--pink-noise", 0)
    return simulate(tmp_path_factory.mktemp("raw18"), "wfi18", *dark, stars=30_000)


@pytest.fixture(scope="session")
def ran(raw, tmp_path_factory):
    """Directory with the products of all steps, and `PRODUCTS`, of `raw`."""
    directory = tmp_path_factory.mktemp("ran")
    done("run", raw, "--outdir", directory, "--save-steps")
    return directory


@pytest.fixture
def product(ran, raw):
    """``product(suffix)``: path of that product of `raw`."""
    return lambda suffix: raw if suffix == "uncal" else ran / raw.name.replace("_uncal", f"_{suffix}")


@pytest.fixture(scope="session")
def drowned(raw, tmp_path_factory):
    """A raw exposure of which every science pixel is saturated throughout, and its `_cal`."""
    directory = tmp_path_factory.mktemp("drowned")
    path = rewrite(raw, directory / "x_uncal.asdf", saturate)
    done("run", path)
    return path, directory / "x_cal.asdf"
