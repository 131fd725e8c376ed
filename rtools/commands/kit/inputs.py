"""Opening the files of a command line: a name, or a stream: ``-`` for standard input, a pipe that is named as a file.

Files are read here and there and more than once, which a stream cannot be. So it is copied to a temporary file when it
is first asked for, which stays until the tool ends; messages speak of it as it was typed.
"""

import json
import os
import re
import shutil
import stat
import sys
from contextlib import contextmanager

import click

from rtools.commands.kit.written import written_options
from rtools.errors import InputError, UsageError
from rtools.products.io import temporary
from rtools.products.schema.flag_tables import MISSIONS

__all__ = [
    "as_typed",
    "files_of_options",
    "is_association",
    "is_stream",
    "local",
    "local_path",
    "missions_of",
    "opened",
    "refuse_number",
    "refuse_numbers",
]

_COPIES = "rtools.inputs.copies"

NOT_FILES = ("directory", "key", "name", "names", "shell", "what")
"""Arguments, by the names of their parameters, that mean more than files, or anything else."""

_NUMBERS = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([,: ]\s*[+-]?(\d+\.?\d*|\.\d+))*")
"""A number, or several, as somebody types a place who means a pixel or a position."""

FORMS = ((b"#ASDF", ".asdf"), (b"PAR1", ".parquet"), (b"SIMPLE", ".fits"), (b"# %ECSV", ".ecsv"), (b"{", ".json"))
"""First bytes of a file, and the extension that it has."""


def is_stream(name):
    """Whether a name is ``-``, or that of a pipe: ``<(command)``, ``/dev/stdin``, what ``mkfifo`` made."""
    if name == "-":
        return True
    try:
        mode = os.stat(name).st_mode
    except (OSError, ValueError):
        return False
    here = os.path.dirname(name) in ("/dev/fd", "/proc/self/fd") or name == "/dev/stdin"
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or (here and not stat.S_ISDIR(mode))


def local_path(name):
    """The path of an input: as it was typed; of a stream that of its copy, whose extension says what it is."""
    if not is_stream(name):
        return name
    root = click.get_current_context().find_root()
    copies = root.meta.setdefault(_COPIES, {})
    if name not in copies:
        copies[name] = _copied(name, root)
    return copies[name]


def _copied(name, context):
    if name == "-" and sys.stdin.isatty():
        raise UsageError("will not read a file from a terminal", mend="give a file or a pipe")
    folder = context.with_resource(temporary.directory())
    path = os.path.join(folder, temporary.STREAM)
    with open(path, "xb") as copy:
        if name == "-":
            shutil.copyfileobj(sys.stdin.buffer, copy)
        else:
            with open(name, "rb") as stream:
                shutil.copyfileobj(stream, copy)
    with open(path, "rb") as copy:
        begin = copy.read(80).lstrip()
    form = next((form for first, form in FORMS if begin.startswith(first)), "")
    os.rename(path, path + form)
    if form == ".json":
        _anchor(path + form)
    return path + form


def _anchor(path):
    """Members of an association that has no place of its own are found from the working directory."""
    from rtools.products.mosaic.association import problems
    from rtools.products.mosaic.jwst_association import is_of_jwst

    with open(path, "rb") as file:
        text = file.read()
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return  # told where it is read
    if problems(content) or is_of_jwst(content):  # members of JWST have names without directories
        return
    for member in (member for product in content["products"] for member in product["members"]):
        for key in {"expname", "tweakreg_catalog"} & set(member):
            member[key] = os.path.abspath(member[key])
    with open(path, "w") as file:
        json.dump(content, file)


def is_association(name):
    """Whether an input is an association: by its extension; a stream by what is in it."""
    return name.endswith(".json") or (is_stream(name) and local_path(name).endswith(".json"))


def as_typed(path):
    """What the user called a file: the stream of a copy, else the path itself."""
    context = click.get_current_context(silent=True)
    copies = context.find_root().meta.get(_COPIES, {}) if context else {}
    return next((name for name, copy in copies.items() if str(path) == copy), path)


def files_of_options(context, options):
    """Options of a tool in which every stream that is read is its copy, also in words like ``TYPE=FILE``."""
    kinds = {param.name for param in context.command.params if isinstance(param, click.Option)}
    kinds -= written_options(context.command)
    return {key: _of_streams(value) if key in kinds else value for key, value in options.items()}


def _of_streams(value):
    if isinstance(value, tuple):
        return tuple(_of_streams(one) for one in value)
    if not isinstance(value, str) or "/" not in value:
        return value
    before, equals, path = value.rpartition("=")
    return before + equals + local_path(path) if is_stream(path) else value


def refuse_numbers(context, options):
    """Refuse numbers where names of files are expected: somebody means a place in a file.

    Parameters
    ----------
    context : click.Context
        Of the tool.
    options : mapping of str to object
        Parameter name to value.

    Raises
    ------
    UsageError
        One is a number, and no file is called so.
    """
    for param in context.command.params:
        if not isinstance(param, click.Argument) or param.name in NOT_FILES:
            continue
        value = options.get(param.name)
        for name in value if isinstance(value, tuple) else (value,):
            if isinstance(name, str):
                refuse_number(name)


def refuse_number(name):
    """Refuse a number where the name of a file is expected.

    Parameters
    ----------
    name : str
        As it is typed.

    Raises
    ------
    UsageError
        It is a number, and no file is called so.
    """
    if _NUMBERS.fullmatch(name) and not os.path.lexists(name):
        mend = "a place in a file is --at X,Y in pixels, or --sky RA,DEC"
        raise UsageError(f"{name}: a file expected, not a number", mend=mend)


def missions_of(names):
    """Missions of inputs, as `opened` takes them for; of one that cannot be read every mission."""
    from rtools.products.forms import form_of

    found = set()
    for name in names:
        try:
            found.add("jwst" if form_of(local_path(name)) in ("fits", "ecsv") else "roman")
        except InputError:
            found |= set(MISSIONS)
    return found


@contextmanager
def opened(name, kinds=None, *, others=False, jwst=False):
    """An opened product, perhaps of a stream.

    Parameters
    ----------
    name : str
    kinds, others
        As `rtools.products.io.opening.open_product`.
    jwst : bool
        Take products of JWST, too; otherwise they are refused by their name.

    Yields
    ------
    rtools.products.io.face.ProductFace
    """
    from rtools.products.io import open_product
    from rtools.products.opening import open_any

    open_file = open_any if jwst else open_product
    with local(name) as path, open_file(path, kinds, others=others) as product:
        yield product


@contextmanager
def local(name):
    """As `local_path`, for a with statement."""
    yield local_path(name)
