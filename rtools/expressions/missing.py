"""The error that a table has no column of a name."""

from collections.abc import Iterable
from difflib import get_close_matches

from rtools.errors import InputError

__all__ = ["missing_column"]


def missing_column(name: str, columns: Iterable[str]) -> InputError:
    """The error that a table has no column of a name.

    Parameters
    ----------
    name : str
        Name of the column that is not there.
    columns : iterable of str
        Names of those that are.

    Returns
    -------
    rtools.errors.InputError
        To be raised; it names the nearest column.
    """
    near = get_close_matches(name, columns, 1)
    return InputError(f"there is no column {name}", mend=f"did you mean {near[0]}?" if near else None)
