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
from typing import NamedTuple

from rtools import __version__
from rtools.errors import RtoolsError
from rtools.machine import cache_home, cores, memory_available, memory_of_machine
from rtools.remote import settings
from rtools.remote.names import shown_in

__all__ = ["Look", "all_looks"]

GIB = 2**30

DISTRIBUTION = "roman-rtools"

LIBRARIES = ("numpy", "numba", "asdf", "astropy", "gwcs", "photutils", "scipy", "pyarrow", "matplotlib", "click")
"""Those that a report of a fault should name."""

EXTRAS = {
    "dask": ("dask", "distributed"),
    "cloud": ("fsspec", "aiohttp", "s3fs", "gcsfs"),
    "crds": ("crds",),
    "report": ("jinja2",),
    "gaia": ("astroquery",),
}
"""Extra to the modules that it brings."""

LEAST_MEMORY = 1.5
"""GiB for one exposure of full size with its catalog, as measured (docs/speed.md)."""

LEAST_DISK = 2.0
"""GiB for the products of an exposure of full size, and its temporary files."""


class Look(NamedTuple):
    """What one look found.

    Parameters
    ----------
    about : str
        What was looked at, in a word or two.
    verdict : str
        ``ok``, ``note`` where something could be better, ``bad`` where something will fail.
    found : str
        What there is.
    todo : str
        What to do; empty where nothing is.
    """

    about: str
    verdict: str
    found: str
    todo: str = ""


def all_looks() -> list[Look]:
    """Look at everything.

    Returns
    -------
    list of Look
        In the order in which they are told. None of the looks changes anything but files of no content, which it
        removes again.
    """
    looks = (_versions, _extras, _processor, _memory, _kernels, _references, _catalog, _environment, _places, _terminal)
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
    said = os.environ.get("RT_JOBS")
    todo = "" if said or cores() == 1 else f"-j {cores()}, or RT_JOBS={cores()}, uses them all"
    yield Look("cores", "ok", f"{cores()}; -j is {said or 1} unless it is typed", todo)


def _memory() -> Iterator[Look]:
    total, free = memory_of_machine() / GIB, memory_available()
    left = total if free is None else free / GIB
    short = left < LEAST_MEMORY
    todo = f"an exposure of full size takes {LEAST_MEMORY} GiB: end other programs, or give the container more"
    yield Look("memory", "bad" if short else "ok", f"{total:.1f} GiB, {left:.1f} free", todo if short else "")


def _kernels() -> Iterator[Look]:
    from rtools.commands.kit.compiling import all_kernels, is_kept_compiled
    from rtools.compiled import is_kept

    kernels = all_kernels()
    kept = sum(map(is_kept_compiled, kernels.values()))
    found = f"{kept} of {len(kernels)} are kept compiled in {os.environ.get('NUMBA_CACHE_DIR') or 'the package'}"
    if is_kept():
        todo = "" if kept else "rt compile compiles all beforehand; otherwise the first run of each tool does"
        yield Look("kernels", "ok" if kept else "note", found, todo)
    elif kept:
        yield Look("kernels", "ok", f"{found}, which cannot be written", "")
    else:
        yield Look("kernels", "bad", "compiled anew in every process: no directory can be written where they are kept",
                   "NUMBA_CACHE_DIR=DIR names one")  # fmt: skip


def _references() -> Iterator[Look]:
    refdir, crds = os.environ.get("RT_REFDIR"), os.environ.get("CRDS_PATH")
    if refdir:
        yield _of_directory("RT_REFDIR", refdir)
    if crds:
        there = Path(crds).is_dir()
        missing = "" if there else "it must name the directory of a CRDS cache"
        if there and importlib.util.find_spec("crds") is None:
            missing = f"its rules need pip install '{DISTRIBUTION}[crds]'"
        yield Look("references", "bad" if missing else "ok", f"CRDS_PATH={crds}", missing)
    if not refdir and not crds:
        yield Look("references", "note", "none configured: the built-in nominal instrument serves what rt-sim made",
                   "--refdir DIR or RT_REFDIR; rt-refs fetch brings what files need")  # fmt: skip


def _of_directory(name, folder):
    """What a directory of references holds."""
    from rtools.reference.missions import scan_all

    try:
        candidates = scan_all(folder)
    except RtoolsError as error:
        return Look("references", "bad", f"{name}={folder}: {error.message}", "rt-refs list DIR shows a directory")
    odd = [one for one in candidates if one.problem]
    found = f"{name}={folder}: {len(candidates) - len(odd)} files"
    todo = f"rt-refs list {folder}" if odd or not candidates else ""
    return Look("references", "note" if todo else "ok", f"{found}{f', {len(odd)} not of use' if odd else ''}", todo)


def _catalog() -> Iterator[Look]:
    path = os.environ.get("RT_REFCAT")
    if not path:
        yield Look("reference catalog", "note", "none configured: images are not aligned",
                   "--refcat FILE or RT_REFCAT; rt-refcat makes or downloads one")  # fmt: skip
        return
    from rtools.products.refcat import describe

    try:
        found = describe(path)
        yield Look("reference catalog", "ok", f"RT_REFCAT={path}: {found.form}, {found.rows:,} stars")
    except (RtoolsError, OSError) as error:
        yield Look("reference catalog", "bad", f"RT_REFCAT={path}: {error}", "rt-refcat info FILE says more")


def _environment() -> Iterator[Look]:
    from rtools.commands.kit.tools import command_of, tool_names

    known = {"RT_DEBUG", *(setting.variable for setting in settings.SETTINGS.values())}
    for name in tool_names():
        commands = [command_of(name), *getattr(command_of(name), "commands", {}).values()]
        known |= {param.envvar for command in commands for param in command.params if isinstance(param.envvar, str)}
    said = sorted(name for name in os.environ if name.startswith("RT_"))
    strange = [name for name in said if name not in known]
    if said:
        yield Look("environment", "ok", ", ".join(f"{name}={os.environ[name]}" for name in said))
    if strange:
        yield Look("environment", "note", f"{', '.join(strange)}: no tool has such an option", "look for a slip")


def _places() -> Iterator[Look]:
    here = Path.cwd()
    for about, folder, todo in (
        ("directory", here, "--outdir DIR writes elsewhere"),
        ("temporary files", Path(tempfile.gettempdir()), "TMPDIR=DIR names another directory"),
    ):
        if not _can_write(folder):
            yield Look(about, "bad", f"{folder} cannot be written", todo)
            continue
        free = shutil.disk_usage(folder).free / GIB
        short = free < LEAST_DISK
        yield Look(about, "note" if short else "ok", f"{folder}: {free:.1f} GiB free", todo if short else "")
    cache = cache_home()
    if _can_write(cache):
        yield Look("cache", "ok", str(cache))
    else:
        yield Look("cache", "note", f"{cache} cannot be written: checksums and lists of references are made every time",
                   "XDG_CACHE_HOME=DIR names another directory")  # fmt: skip


def _can_write(folder):
    """Whether a file can be made there; of a directory that is not there, in the first one above it that is."""
    there = next((place for place in (folder, *folder.parents) if place.is_dir()), None)
    if there is None:
        return False
    try:
        with tempfile.TemporaryFile(dir=there):
            return True
    except OSError:
        return False


def _terminal() -> Iterator[Look]:
    encoding = sys.stdout.encoding or "ascii"
    plain = encoding.lower().replace("-", "") != "utf8"
    yield Look("text", "note" if plain else "ok", encoding, "LANG=C.UTF-8 shows all characters" if plain else "")
