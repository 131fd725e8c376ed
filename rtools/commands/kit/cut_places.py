"""Places of cutouts: squares on the sky that are typed, listed or in a table, and the files that they become."""

import re
from pathlib import Path
from typing import NamedTuple

from rtools.errors import UsageError

__all__ = ["CutPlace", "file_of_place", "read_places"]


class CutPlace(NamedTuple):
    """A square on the sky.

    Attributes
    ----------
    name : str
        What the position is called.
    square : (float, float, float, str)
        Right ascension and declination in degrees, size, and its unit, ``arcsec`` or ``pix``.
    """

    name: str
    square: tuple


def read_places(sky, table, size):
    """The squares that options say.

    Parameters
    ----------
    sky : tuple of str
        ``RA,DEC,SIZE``, ``RA,DEC`` or lists ``@FILE`` of positions with names.
    table : str or None
        A table of positions.
    size : str or None
        Of those that do not say theirs.

    Returns
    -------
    list of CutPlace
        Empty where nothing is given.

    Raises
    ------
    UsageError
        A text is no place, a size is missing, or both ways are used.
    InputError
        A list or table cannot be read.
    """
    if size is not None and not (sky or table):
        raise UsageError("--size goes with --sky or --table")
    if not (sky or table):
        return []
    from rtools.astrometry.positions import parse_size, parse_sky
    from rtools.commands.kit.positions import read_positions

    extent = parse_size(size) if size is not None else None
    places = []
    for word in sky:
        if word.startswith("@") or (extent is not None and len(word.split(",")) < 3):
            places += _listed(read_positions(sky=(word,)), extent)
        else:
            places.append(CutPlace(word, parse_sky(word)))
    if table and places:
        raise UsageError("--sky and --table do not go together", mend="give positions in one way")
    return places + (_listed(read_positions(table=table), extent) if table else [])


def _listed(positions, extent):
    if extent is None:
        raise UsageError("how large are the cutouts?", mend="--size says it: 3, 10arcsec or 100pix")
    return [
        CutPlace(name, (float(ra), float(dec), *extent))
        for name, ra, dec in zip(positions.names, positions.first, positions.second, strict=True)
    ]


def file_of_place(filename, number, place):
    """Name of one of several cutouts of a file.

    Parameters
    ----------
    filename : str
        Of the file.
    number : int
        Of the place, from 1.
    place : CutPlace
        Its name is taken, or its number where the name is a position.

    Returns
    -------
    str
        The name with that of the place before its suffix.
    """
    from rtools.products.names import split_suffix

    path, is_name = Path(filename), "," not in place.name
    word = re.sub(r"[^\w.+-]+", "", place.name) if is_name else f"{number:03d}"
    stem, suffix = split_suffix(path.name)
    return f"{stem}-{word or f'{number:03d}'}" + (f"_{suffix}" if suffix else "") + path.suffix
