"""Names of skycells: ``270p65x49y69``, the grid's tangent point and the cell's place in it."""

import re

__all__ = ["SKYCELL_NAME", "pad_skycell"]

SKYCELL_NAME = re.compile(r"(?P<ra>\d{1,3})(?P<sign>[pm])(?P<dec>\d{1,2})x(?P<x>\d{1,2})y(?P<y>\d{1,2})", re.ASCII)


def pad_skycell(skycell: str) -> str:
    """A skycell name with 3, 2, 2 and 2 digits; anything else unchanged.

    Parameters
    ----------
    skycell : str
        ``270p65x49y69``, in which zeros in front may be missing.

    Returns
    -------
    str
        The name as files and catalogs of the mission have it.
    """
    parts = SKYCELL_NAME.fullmatch(skycell)
    if parts is None:
        return skycell
    return f"{parts['ra']:0>3}{parts['sign']}{parts['dec']:0>2}x{parts['x']:0>2}y{parts['y']:0>2}"
