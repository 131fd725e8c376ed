"""What a shell may complete: steps, their options, references, flags; arrays and columns of files on the line.

Each function is what click asks with ``shell_complete=``. Several values may stand with commas between them; what is
before the last comma stays.
"""

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import click
from click.shell_completion import split_arg_string

__all__ = [
    "complete_arrays",
    "complete_columns",
    "complete_flags",
    "complete_references",
    "complete_settings",
    "complete_steps",
    "split_commas",
]


def split_commas(_context: click.Context, _param: click.Parameter, words: Iterable[str]) -> tuple[str, ...]:
    """Callback of an option that may be repeated, and whose values may also stand with commas between them.

    Parameters
    ----------
    _context, _param
        As click hands them to a callback.
    words : iterable of str
        As they were typed.

    Returns
    -------
    tuple of str
        Each value by itself.
    """
    return tuple(part.strip() for word in words for part in word.split(","))


def _completing(find: Callable[[], Iterable[str]]):
    """What click asks, of a function that finds all values there are."""

    def complete(_context, _param, incomplete):
        before, comma, begun = incomplete.rpartition(",")
        with suppress(Exception):  # a TAB must never end in a traceback: what cannot be read proposes nothing
            return [before + comma + name for name in find() if name.startswith(begun)]
        return []

    return complete


def _steps():
    from rtools.pipeline.job.steps import step_names

    return dict.fromkeys(name for mission in ("roman", "jwst") for name in step_names(mission))


def _settings():
    from rtools.pipeline.job.steps import missions_of, step_of

    steps = [step_of(name, mission) for name in _steps() for mission in missions_of(name)]
    return dict.fromkeys(f"{step.name}.{option.name}=" for step in steps for option in step.options)


def _references():
    from rtools.pipeline.job.steps import missions_of, step_of

    steps = [step_of(name, mission) for name in _steps() for mission in missions_of(name)]
    return dict.fromkeys(f"{reference.type}=" for step in steps for reference in step.references)


def _flags():
    from rtools.products.schema.flag_tables import MISSIONS, tables_of_mission

    tables = [table for mission in MISSIONS for table in tables_of_mission(mission).values()]
    return dict.fromkeys(name for table in tables for name in table)


def _first_file():
    """The first file that stands on the line; click drops the arguments of a line that ends in an option's name."""
    _, *words = split_arg_string(os.environ.get("COMP_WORDS", ""))
    return next(word for word in words if Path(word).is_file())


def _arrays():
    from rtools.products.opening import open_any

    with open_any(_first_file()) as product:
        return list(product.arrays)


def _columns():
    from rtools.products.tables import read_catalog

    return read_catalog(_first_file()).colnames


complete_steps = _completing(_steps)
complete_settings = _completing(_settings)
complete_references = _completing(_references)
complete_flags = _completing(_flags)
complete_arrays = _completing(_arrays)
complete_columns = _completing(_columns)
