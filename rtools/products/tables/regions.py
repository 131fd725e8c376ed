"""Region files of DS9: a table as circles, and the usual shapes of anybody's file."""

from __future__ import annotations

import re
from collections import Counter
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rtools.errors import InputError
from rtools.products.tables.positions import plain_numbers, read_positions
from rtools.wfi.angles import degrees_of

if TYPE_CHECKING:
    from astropy.table import Table as AstropyTable

__all__ = ["Region", "read_regions", "write_regions"]

RADIUS = 0.5
"""Arcsec: radius of the circle of a source whose table has no size."""

SIZES = ("fluxfrac_radius_50", "half_light_radius")
"""Columns of sizes, arcsec where they have no unit; a circle has twice that radius, `RADIUS` at least."""

SAFE = {ord("{"): "(", ord("}"): ")", ord("\n"): " "}
"""Characters that would end a label."""

LABELS = ("label", "id", "source_id", "name")

SKY = {"icrs": "icrs", "fk5": "fk5", "j2000": "fk5", "fk4": "fk4", "b1950": "fk4", "galactic": "galactic",
       "ecliptic": "barycentrictrueecliptic"}  # fmt: skip
"""Systems of coordinates on the sky, and what astropy calls them."""

PIXELS = ("image", "physical")
"""Systems of pixels; the first is 1, 1."""

SIZED = {"circle": 1, "annulus": 1, "ellipse": 2, "box": 2, "point": 0, "text": 0}
"""Shapes with one place, and how many numbers a size has; more sizes are more outlines of the same place."""

CHAINED = {"line": 2, "polygon": 3}
"""Shapes of places alone, and how many there are at least."""

_SHAPE = re.compile(r"\s*([+-]?)\s*(#?)\s*([a-z]+\d*)(?:\s*\(([^)]*)\)|\s+([^#]*))?\s*(?:#(.*))?", re.IGNORECASE)
_WORDS = re.compile(r"""(\w+)\s*=\s*(?:\{([^}]*)\}|"([^"]*)"|'([^']*)'|(\S+))""")
_NUMBER = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)([\"'dripDRIP]?)", re.IGNORECASE)
_ANGULAR = {'"': 1 / 3600, "'": 1 / 60, "d": 1.0, "r": float(np.degrees(1))}


class Region(NamedTuple):
    """An outline, or a place.

    Attributes
    ----------
    shape : {"circle", "ellipse", "box", "polygon", "line", "point", "text"}
    sky : bool
        Whether places are on the sky.
    places : ndarray float64 (n, 2)
        Right ascension and declination in degrees (ICRS), or x and y of pixels from 0. The middle of what has sizes.
    sizes : tuple of float
        Radius, two semi-axes, or width and height.
    angular : bool
        Whether sizes are degrees; otherwise pixels.
    angle : float
        Degrees by which it is turned, from x towards y; on the sky from west towards north.
    text, colour : str
        Its label and its colour, empty where it says none.
    excluded : bool
        Whether it stands for what is left out.
    """

    shape: str
    sky: bool
    places: np.ndarray
    sizes: tuple[float, ...] = ()
    angular: bool = False
    angle: float = 0.0
    text: str = ""
    colour: str = ""
    excluded: bool = False


def read_regions(path: str | PathLike[str], messages: list[str] | None = None) -> list[Region]:
    """The shapes of a region file of DS9.

    Parameters
    ----------
    path : str or os.PathLike
        Its lines may be in ICRS, FK5, FK4, galactic and ecliptic coordinates, and in pixels of the image.
    messages : list of str, optional
        Gets a line on shapes that are not read.

    Returns
    -------
    list of Region
        An annulus is several circles.

    Raises
    ------
    InputError
        It is not such a file, or a line of it is not valid.
    """
    try:
        text = Path(path).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = "no text" if isinstance(error, UnicodeDecodeError) else (error.strerror or str(error)).lower()
        raise InputError(f"not a region file ({reason})", path=path) from None
    system, common, found = "image", {}, []
    others: Counter[str] = Counter()
    for number, line in enumerate(text.splitlines(), 1):
        for part in _split(line):
            match = _SHAPE.match(part)
            if match is None:
                if part.strip() and not part.lstrip().startswith("#"):
                    raise InputError(f"line {number} is not a region: {part.strip()[:40]!r}", path=path)
                continue
            sign, mark, word, inside, loose, behind = match.groups()
            word, behind = word.lower(), behind or part[match.end() :]
            if mark and word != "text":
                others[word] += inside is not None
            elif word in SKY or word in PIXELS:
                system = word
            elif word == "global":
                common = _properties(part)
            elif word in SIZED or word in CHAINED:
                said = common | _properties(behind)
                numbers = re.split(r"[,\s]+", (loose or "" if inside is None else inside).strip())
                try:
                    found += _regions(word, system, numbers, said, excluded=sign == "-")
                except ValueError as error:
                    raise InputError(f"line {number}: {word} {error}", path=path) from None
            elif inside is not None:
                others[word] += 1
            else:
                raise InputError(f"line {number} is not a region: {part.strip()[:40]!r}", path=path)
    words = ", ".join(f"{count} {word}" for word, count in others.items() if count)
    if words and messages is not None:
        messages.append(f"shapes that are not read: {words}")
    return found


def _split(line):
    """Commands of a line: semicolons part them, but not inside of braces."""
    parts, inside = [""], False
    for letter in line:
        inside = letter == "{" or (inside and letter != "}")
        if letter == ";" and not inside:
            parts.append("")
        else:
            parts[-1] += letter
    return parts


def _properties(text):
    """Words like color=green and text={a name}."""
    return {name.lower(): next(filter(None, values), "") for name, *values in _WORDS.findall(text)}


def _regions(word, system, numbers, said, *, excluded):
    """The outlines of one shape."""
    sky = system in SKY
    more = {"text": said.get("text", ""), "colour": said.get("color", ""), "excluded": excluded}
    if word in CHAINED:
        if len(numbers) % 2 or len(numbers) < 2 * CHAINED[word]:
            raise ValueError(f"has {len(numbers)} numbers")
        return [Region(word, sky, _places(numbers, system), **more)]
    each = SIZED[word]
    places, sizes = _places(numbers[:2], system), numbers[2:]
    if word == "point" or word == "text":
        return [Region(word, sky, places, **more)]
    turn = float(_value(sizes.pop(), sky=True)[0]) if each == 2 and len(sizes) % 2 else 0.0
    if not sizes or len(sizes) % each:
        raise ValueError(f"has {len(numbers)} numbers")
    made = []
    for start in range(0, len(sizes), each):
        values = [_value(size, sky=sky) for size in sizes[start : start + each]]
        plain = tuple(value for value, _angular in values)
        if min(plain) < 0:
            raise ValueError("has a negative size")
        shape = "circle" if word == "annulus" else word
        made.append(Region(shape, sky, places, plain, values[0][1], turn, **more))
    return [one for one in made if any(one.sizes)]


def _value(word, *, sky):
    """A size, and whether it is an angle in degrees."""
    found = _NUMBER.fullmatch(word)
    if found is None:
        raise ValueError(f"has no number {word[:20]!r}")
    number, unit = float(found[1]), found[2].lower()
    angular = unit in _ANGULAR or (not unit and sky)
    return number * _ANGULAR.get(unit, 1.0), angular


def _places(words, system):
    """Places as ICRS in degrees, or as pixels from 0."""
    if len(words) < 2:
        raise ValueError("has no place")
    if system in PIXELS:
        return _finite(np.array([_value(word, sky=False)[0] for word in words])).reshape(-1, 2) - 1
    from astropy.coordinates import SkyCoord

    hours = system not in ("galactic", "ecliptic")
    pairs = _finite(np.array([_angle(word, hours=hours and not number % 2) for number, word in enumerate(words)]))
    first, second = pairs.reshape(-1, 2).T
    if system == "icrs" and np.all(abs(second) <= 90):
        return np.stack([first % 360, second], axis=1)
    icrs = SkyCoord(first, second, unit="deg", frame=SKY[system]).icrs
    return np.stack([icrs.ra.deg, icrs.dec.deg], axis=1)


def _finite(values):
    if not np.isfinite(values).all():
        raise ValueError("has a number that is not finite")
    return values


def _angle(word, *, hours):
    """Degrees of a coordinate, which may be sexagesimal: then it is in hours, if its axis has hours."""
    if _NUMBER.fullmatch(word):
        return _value(word, sky=True)[0]
    in_hours = "h" in word.lower() or (hours and ":" in word)
    return degrees_of(word, hours=in_hours)


def write_regions(table: AstropyTable, messages: list[str]) -> bytes:
    """A region file of DS9: a circle for each row, ICRS, labelled.

    Parameters
    ----------
    table : astropy.table.Table
        With positions on the sky.
    messages : list of str
        Gets a line where rows have no position.

    Returns
    -------
    bytes
        The whole file.

    Raises
    ------
    InputError
        The table has no positions.
    """
    ra, dec, _columns = read_positions(table)
    known = np.isfinite(ra) & np.isfinite(dec)
    if not known.all():
        messages.append(f"{np.count_nonzero(~known)} rows have no position: left out")
    radii, label = _radii(table), next((name for name in LABELS if name in table.colnames), None)
    lines = ["# Region file format: DS9", "global color=green", "icrs"]
    for row in np.flatnonzero(known):
        text = "" if label is None else f" # text={{{str(table[label][row]).translate(SAFE)}}}"
        lines.append(f'circle({ra[row] % 360:.8f},{dec[row]:.8f},{radii[row]:.3f}"){text}')
    return ("\n".join(lines) + "\n").encode()


def _radii(table):
    """Radii of the circles, arcsec."""
    from astropy import units

    name = next((name for name in SIZES if name in table.colnames), None)
    if name is None:
        return np.full(len(table), RADIUS)
    unit = table[name].unit
    angle = unit is not None and unit.is_equivalent(units.arcsec)
    return np.fmax(2 * plain_numbers(table[name]) * (unit.to(units.arcsec) if angle else 1), RADIUS)
