"""Values of a configuration file: in the types that options want, as TOML writes them, and where they stand."""

import datetime
import json
from difflib import get_close_matches

import click

from rtools.errors import UsageError

__all__ = ["add_values", "nearest", "place_of", "toml_text", "value_of_kind", "value_of_option"]


def place_of(table, key=None):
    """Where in the file something is, in its own words: ``[rt-refcat.make] limit``.

    Parameters
    ----------
    table : str or None
        Name of the table, the words of a subcommand separated by a blank; None for the top level.
    key : str, optional
        Key in the table; without it the table is meant.

    Returns
    -------
    str
    """
    words = ([f"[{'.'.join(table.split(' '))}]"] if table else []) + ([key] if key else [])
    return " ".join(words)


def value_of_option(param, value, where):
    """The value of an option, in the type that it wants.

    Parameters
    ----------
    param : click.Option
        The option.
    value : object
        As TOML has it.
    where : str
        Where in the file it stands, for the message.

    Returns
    -------
    object

    Raises
    ------
    UsageError
        The option does not take it.
    """
    if param.multiple:
        return [_single(param, one, where) for one in (value if isinstance(value, list) else [value])]
    return _single(param, value, where)


def _single(param, value, where):
    if param.nargs > 1:
        if not isinstance(value, list) or len(value) != param.nargs:
            raise UsageError(f"{where}: a list of {param.nargs} values expected, not {toml_text(value)}")
        return [_converted(param, one, where) for one in value]
    return _converted(param, value, where)


def _converted(param, value, where):
    kinds = {click.types.IntParamType: int, click.types.FloatParamType: float, click.types.BoolParamType: bool}
    kind = next((kind for type_, kind in kinds.items() if isinstance(param.type, type_)), str)
    value = value_of_kind(bool if param.is_flag else kind, value, where)
    try:
        return param.type.convert(value, param, None)
    except click.BadParameter as error:
        raise UsageError(f"{where}: {error.message.rstrip('.')}") from None


def value_of_kind(kind, value, where):
    """A value of TOML, if it is of a Python type; dates and times are text to options.

    Parameters
    ----------
    kind : type
        bool, int, float or str.
    value : object
        As TOML has it.
    where : str
        Where in the file it stands, for the message.

    Returns
    -------
    object
        Of that type.

    Raises
    ------
    UsageError
        It is of another type.
    """
    if kind is str and isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    taken = (int, float) if kind is float else kind
    if not isinstance(value, taken) or (isinstance(value, bool) and kind is not bool):
        what = {bool: "true or false", int: "a whole number", float: "a number", str: "a text in quotes"}
        raise UsageError(f"{where}: {what[kind]} expected, not {toml_text(value)}")
    return kind(value)


def toml_text(value):
    """A value as TOML writes it.

    Parameters
    ----------
    value : object
        Text, number, bool, or a list of these.

    Returns
    -------
    str
    """
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml_text, value))}]"
    if isinstance(value, bool | str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
    return str(value)


def add_values(values, more, table):
    """Add the values of a table that may stand in the file under two names.

    Parameters
    ----------
    values : dict
        What was found so far; changed.
    more : dict
        The values of the table.
    table : str
        Its name, for the message.

    Raises
    ------
    UsageError
        A value is given twice.
    """
    twice = sorted(set(values) & set(more))
    if twice:
        raise UsageError(f"{place_of(table, twice[0])}: given twice")
    values |= more


def nearest(word, known):
    """What to advise instead of a word that is not known.

    Parameters
    ----------
    word : str
        As it is written.
    known : iterable of str
        What would be understood.

    Returns
    -------
    str or None
    """
    known = sorted(set(known))
    near = get_close_matches(word.replace("_", "-"), known, n=1)
    if near:
        return f"did you mean {near[0]}?"
    return f"it has {', '.join(known)}" if 0 < len(known) <= 20 else None
