"""Places of cutouts: squares on the sky that are typed, listed or in a table, and the files that they become."""

import re
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from rtools.errors import UsageError

__all__ = ["CutPlace", "file_of_place", "read_places", "words_of_places"]


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
    if extent is not None and places and not any(word.startswith("@") or word.count(",") < 2 for word in sky):
        raise UsageError("--size does nothing where every --sky says its size")
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


def words_of_places(places):
    """Words by which files of several places are told apart: no two are the same, in small letters either.

    Parameters
    ----------
    places : list of CutPlace
        Their names are taken; the number of a place, from 1, where it has none or the name is a position, and behind a
        name that another place has, too.

    Returns
    -------
    list of str
    """
    numbers = [f"{number:03d}" for number in range(1, len(places) + 1)]
    names = [re.sub(r"[^\w.+-]+", "", place.name) if "," not in place.name else "" for place in places]
    words = [name or number for name, number in zip(names, numbers, strict=True)]
    counts = Counter(word.lower() for word in words)
    words = [word if counts[word.lower()] == 1 else f"{word}-{number}" if name else number
             for word, name, number in zip(words, names, numbers, strict=True)]  # fmt: skip
    return words if len({word.lower() for word in words}) == len(words) else numbers


def file_of_place(filename, word):
    """Name of one of several cutouts of a file.

    Parameters
    ----------
    filename : str
        Of the file.
    word : str
        Of the place, of `words_of_places`.

    Returns
    -------
    str
        The name with that of the place before its suffix.
    """
    from rtools.products.names import split_suffix

    path = Path(filename)
    stem, suffix = split_suffix(path.name)
    return f"{stem}-{word}" + (f"_{suffix}" if suffix else "") + path.suffix
