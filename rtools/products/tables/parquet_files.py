"""Opening parquet files of any name: pyarrow takes paths that are UTF-8 only."""

import os
from pathlib import Path
from typing import Any

__all__ = ["parquet_source"]


def parquet_source(path: str | Path, mode: str = "rb") -> Any:
    """What pyarrow reads a file from, or writes it to.

    Parameters
    ----------
    path : str or Path
        The file; its name may have any bytes.
    mode : str
        ``rb`` or ``wb``.

    Returns
    -------
    str or pyarrow.OSFile
        The path, or the open file where its name is not UTF-8.

    Raises
    ------
    OSError
        A file with such a name cannot be opened.
    """
    import pyarrow

    name = os.fspath(path)
    try:
        name.encode()
    except UnicodeEncodeError:
        return pyarrow.OSFile(os.fsencode(name), mode)
    return name
