"""What the environment says to the tools, as `rt doctor` tells it: places, and values that are none."""

from __future__ import annotations

import importlib.util
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import click

from rtools.errors import RtoolsError
from rtools.remote import settings
from rtools.remote.names import is_remote

__all__ = ["DISTRIBUTION", "Look", "can_write", "looks_at_settings"]

DISTRIBUTION = "roman-rtools"

OTHERS = {settings.S3_ANON, settings.GS_ANON, "RT_DEBUG"}
"""Variables of rtools that are neither an option of a tool nor a setting of ``[remote]``."""


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


def can_write(folder: Path) -> bool:
    """Whether a file can be made in a directory; of one that is not there, in the first one above it that is.

    Parameters
    ----------
    folder : Path
        The directory.

    Returns
    -------
    bool
    """
    there = next((place for place in (folder, *folder.parents) if place.is_dir()), None)
    if there is None:
        return False
    try:
        with tempfile.TemporaryFile(dir=there):
            return True
    except OSError:
        return False


def looks_at_settings() -> Iterator[Look]:
    """Look at references, the reference catalog, dust maps and all variables.

    Yields
    ------
    Look
    """
    for look in (_references, _catalog, _dust_maps, _copies, _environment):
        yield from look()


def _references():
    refdir, crds = os.environ.get("RT_REFDIR"), os.environ.get("CRDS_PATH")
    if refdir:
        yield _of_directory("RT_REFDIR", refdir)
    if crds:
        found, verdict, todo = f"CRDS_PATH={crds}", "ok", ""
        if not Path(crds).is_dir():
            verdict, todo = "bad", "it must name the directory of a CRDS cache"
        elif importlib.util.find_spec("crds") is None:
            verdict = "note"
            todo = f"for files of Roman it is not asked: its rules need pip install '{DISTRIBUTION}[crds]'"
        yield Look("references", verdict, found, todo)
    if not refdir and not crds:
        yield Look("references", "note", "none configured: the built-in nominal instrument serves what rt-sim made",
                   "--refdir DIR or RT_REFDIR; rt-refs fetch brings what files need")  # fmt: skip


def _of_directory(name, folder):
    """What a directory of references holds."""
    from rtools.reference.lock import lock_of
    from rtools.reference.missions import scan_all

    try:
        candidates, lock = scan_all(folder), lock_of(folder)
    except RtoolsError as error:
        return Look("references", "bad", f"{name}={folder}: {error.message}", "rt-refs list DIR shows a directory")
    odd = [one for one in candidates if one.problem]
    found = f"{name}={folder}: {len(candidates) - len(odd)} files{f', {len(odd)} not of use' if odd else ''}"
    if lock is not None:
        missing = [name for name in lock.files if not Path(folder, name).exists()]
        found += f", {len(lock.files)} locked"
        if missing:
            return Look("references", "bad", f"{found}, {len(missing)} of them not there", "rt-refs fetch brings them")
    todo = f"rt-refs list {folder}" if odd or not candidates else ""
    return Look("references", "note" if todo else "ok", found, todo)


def _catalog():
    from rtools.pipeline.astrometry.align import GAIA
    from rtools.products.refcat import describe

    path = os.environ.get("RT_REFCAT")
    if not path:
        yield Look("reference catalog", "note", "none configured: images are not aligned",
                   "--refcat FILE or RT_REFCAT; rt-refcat makes or downloads one")  # fmt: skip
    elif path == GAIA and not Path(path).exists():
        lacking = importlib.util.find_spec("astroquery") is None
        todo = f"pip install '{DISTRIBUTION}[gaia]'" if lacking else ""
        yield Look("reference catalog", "bad" if lacking else "ok", f"RT_REFCAT={path}: the archive of Gaia", todo)
    elif is_remote(path):
        yield Look("reference catalog", "ok", f"RT_REFCAT={path}: lies elsewhere, and was not asked for")
    else:
        try:
            found = describe(path)
            yield Look("reference catalog", "ok", f"RT_REFCAT={path}: {found.form}, {found.rows:,} stars")
        except (RtoolsError, OSError) as error:
            told = error.message if isinstance(error, RtoolsError) else str(error)
            yield Look("reference catalog", "bad", f"RT_REFCAT={path}: {told}", "rt-refcat info FILE says more")


def _dust_maps():
    from rtools.pipeline.catalog.references import DUST_MAPS

    folder = os.environ.get("RT_DUST_MAPS")
    missing = [name for name in DUST_MAPS if folder and not Path(folder, name).is_file()]
    if missing:
        yield Look("dust maps", "bad", f"RT_DUST_MAPS={folder}: no {', '.join(missing)}",
                   "it must name the directory of both maps")  # fmt: skip
    elif folder:
        yield Look("dust maps", "ok", f"RT_DUST_MAPS={folder}")


def _copies():
    """The directory of copies of what lies elsewhere, where one is named."""
    try:
        folder = settings.said("cache-dir")
    except RtoolsError:
        return  # told with all other values
    if folder is None:
        return
    if can_write(Path(folder)):
        yield Look("copies", "ok", folder)
    else:
        yield Look("copies", "note", f"{folder} cannot be written: what lies elsewhere is fetched for every command",
                   "RT_CACHE_DIR=DIR names another directory")  # fmt: skip


def _environment():
    takers = _takers()
    known = {*takers, *OTHERS, *(setting.variable for setting in settings.SETTINGS.values())}
    said = sorted(name for name in os.environ if name.startswith("RT_"))
    strange = [name for name in said if name not in known]
    if said:
        yield Look("environment", "ok", ", ".join(f"{name}={os.environ[name]}" for name in said))
    if strange:
        yield Look("environment", "note", f"{', '.join(strange)}: no tool has such an option", "look for a slip")
    for key in settings.SETTINGS:
        try:
            settings.said(key)
        except RtoolsError as error:
            yield Look("environment", "bad", error.message, "no file elsewhere can be fetched")
    for name in said:
        yield from _misread(name, takers.get(name, ()))


def _takers():
    """Variable to the tools that take it, each with the option that it is of."""
    from rtools.commands.kit.tools import command_of, tool_names

    takers: dict[str, list[tuple[click.Command, click.Parameter]]] = {}
    for name in tool_names():
        for command in (command_of(name), *getattr(command_of(name), "commands", {}).values()):
            for param in command.params:
                for variable in [param.envvar] if isinstance(param.envvar, str) else param.envvar or ():
                    takers.setdefault(variable, []).append((command, param))
    return takers


def _misread(name, takers):
    """Whether the value of a variable is one: for all tools that take it, or for some."""
    wrong = {}
    for command, param in takers:
        context = click.Context(command, info_name=command.name)
        try:
            param.type_cast_value(context, param.value_from_envvar(context))
        except click.UsageError as error:
            wrong[command.name] = error.message.rstrip(".")
    if wrong:
        tools, why = list(wrong), next(iter(wrong.values()))
        several = f"{', '.join(tools[:3])}{f' and {len(tools) - 3} others' if len(tools) > 3 else ''}"
        whom = "all tools that take it" if len(wrong) == len({command.name for command, _param in takers}) else several
        yield Look("environment", "bad", f"{name}={os.environ[name]}: {whom}: {why}", f"unset {name}, or mend it")
