"""In what condition an installation is: what `rt doctor` looks at. Each look is a function that gives its findings."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import rtools
from rtools import __version__
from rtools.commands.kit.condition_settings import DISTRIBUTION, Look, can_write, looks_at_settings
from rtools.machine import cache_home, cores, memory_available, memory_of_machine
from rtools.remote.names import shown_in

__all__ = ["all_looks"]

GIB = 2**30

LIBRARIES = ("numpy", "numba", "asdf", "astropy", "gwcs", "photutils", "scipy", "pyarrow", "matplotlib", "click")
"""Those that a report of a fault should name."""

EXTRAS = {
    "dask": ("dask", "distributed"),
    "cloud": ("fsspec", "aiohttp", "s3fs", "gcsfs"),
    "crds": ("crds",),
    "report": ("jinja2",),
    "gaia": ("astroquery",),
    "jwst": ("stdatamodels",),
}
"""Extra to the modules that it brings."""

LEAST_MEMORY = 1.2
"""GiB for one exposure of full size and nine resultants at ``-j 1``, without a catalog (docs/speed.md, first table)."""

AMPLE_MEMORY = 1.7
"""GiB for the same at ``-j 2`` with its catalog (docs/speed.md, below that table)."""

LEAST_DISK = 2.0
"""GiB for the products of an exposure of full size, and its temporary files."""


def all_looks() -> list[Look]:
    """Look at everything.

    Returns
    -------
    list of Look
        In the order in which they are told. None of the looks changes anything but files of no content, which it
        removes again.
    """
    looks = (_versions, _extras, _processor, _memory, _kernels, looks_at_settings, _places, _terminal)
    return [one._replace(found=shown_in(one.found)) for look in looks for one in look()]


def _versions() -> Iterator[Look]:
    yield Look("rtools", "ok", f"{__version__}, Python {sys.version.split()[0]}, {sysconfig.get_platform()}")
    named = {name: _version_of(name) for name in LIBRARIES}
    found = ", ".join(f"{name} {version}" for name, version in named.items() if version)
    missing = [name for name, version in named.items() if not version]
    yield Look("libraries", "ok", found)
    if missing:
        yield Look(
            "libraries", "bad", f"missing: {', '.join(missing)}", f"pip install --force-reinstall {DISTRIBUTION}"
        )


def _version_of(name):
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _extras() -> Iterator[Look]:
    there = {extra: all(map(importlib.util.find_spec, modules)) for extra, modules in EXTRAS.items()}
    absent = [extra for extra, whole in there.items() if not whole]
    todo = f"what needs them: pip install '{DISTRIBUTION}[{','.join(absent)}]'" if absent else ""
    found = ", ".join(extra for extra, whole in there.items() if whole) or "none"
    yield Look("extras", "note" if absent else "ok", f"{found}{'; not ' + ', '.join(absent) if absent else ''}", todo)


def _processor() -> Iterator[Look]:
    said = os.environ.get("RT_JOBS", "").strip()
    if said and not said.isdecimal():
        yield Look("cores", "ok", str(cores()))  # what is wrong with the value is told where all settings are
        return
    typed = "all" if said == "0" else said or 1
    todo = "" if said or cores() == 1 else f"-j {cores()}, or RT_JOBS={cores()}, uses them all"
    yield Look("cores", "ok", f"{cores()}; -j is {typed} unless it is typed", todo)


def _memory() -> Iterator[Look]:
    total, free = memory_of_machine() / GIB, memory_available()
    left = total if free is None else free / GIB
    verdict = "bad" if left < LEAST_MEMORY else "note" if left < AMPLE_MEMORY else "ok"
    todo = (f"an exposure of full size takes {LEAST_MEMORY} GiB at -j 1, {AMPLE_MEMORY} at -j 2 with its catalog: "
            "end other programs, or give the container more")  # fmt: skip
    told = f"{total:.1f} GiB" + ("" if free is None else f", {left:.1f} free")
    yield Look("memory", verdict, told, "" if verdict == "ok" else todo)


def _kernels() -> Iterator[Look]:
    from rtools.commands.kit.compiling import all_kernels, is_kept_compiled
    from rtools.compiled import is_kept

    kernels = all_kernels()
    kept = sum(map(is_kept_compiled, kernels.values()))
    found = f"{kept} of {len(kernels)} are kept compiled in {_place_of(kernels.values())}"
    if is_kept():
        todo = "" if kept else "rt compile compiles all beforehand; otherwise the first run of each tool does"
        yield Look("kernels", "ok" if kept else "note", found, todo)
    elif kept:
        yield Look("kernels", "ok", f"{found}, which cannot be written", "")
    else:
        yield Look("kernels", "note", "compiled anew in every process: no directory can be written where they are kept",
                   "NUMBA_CACHE_DIR=DIR names one")  # fmt: skip


def _place_of(kernels):
    """Where compiled kernels are kept: beside the package, where the environment says, or in a cache of the user."""
    places = {path for kernel in kernels if (path := kernel.stats.cache_path)}
    common = os.path.commonpath(places) if places else ""
    return "the package" if not common or Path(common).is_relative_to(Path(rtools.__file__).parent) else common


def _places() -> Iterator[Look]:
    here = Path.cwd()
    for about, folder, todo in (
        ("directory", here, "--outdir DIR writes elsewhere"),
        ("temporary files", Path(tempfile.gettempdir()), "TMPDIR=DIR names another directory"),
    ):
        if not can_write(folder):
            yield Look(about, "bad", f"{folder} cannot be written", todo)
            continue
        free = shutil.disk_usage(folder).free / GIB
        short = free < LEAST_DISK
        yield Look(about, "note" if short else "ok", f"{folder}: {free:.1f} GiB free", todo if short else "")
    cache = cache_home()
    if can_write(cache):
        yield Look("cache", "ok", str(cache))
    else:
        yield Look("cache", "note", f"{cache} cannot be written: checksums and lists of references are made every time",
                   "XDG_CACHE_HOME=DIR names another directory")  # fmt: skip


def _terminal() -> Iterator[Look]:
    encoding = sys.stdout.encoding or "ascii"
    plain = encoding.lower().replace("-", "") != "utf8"
    yield Look("text", "note" if plain else "ok", encoding, "LANG=C.UTF-8 shows all characters" if plain else "")
