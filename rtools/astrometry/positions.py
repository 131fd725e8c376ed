"""Positions as they are typed: on the sky in degrees or sexagesimal, and in pixels of a file."""

from __future__ import annotations

import re

import numpy as np

from rtools.errors import UsageError
from rtools.wfi.angles import NO_ANGLE, degrees_of

__all__ = ["parse_pixel", "parse_position", "parse_size", "parse_sky", "split_line", "split_pixels"]

SKY_FORM = "RA,DEC is one, as 270.1,66.02 or 18:00:24,+66:01:12 or 18h00m24s,+66d01m12s"
SQUARE_FORM = "RA,DEC,SIZE is one, as 270.1,66.02,30 or 18:00:24,+66:01:12,1arcmin"
PIXEL_FORM = "X,Y is one, as 1234,567.5"

_HOURS = re.compile(r"\d\s*(h|:|\s\s*\d)", re.IGNORECASE)
"""A right ascension in hours: with an h, colons, or words of digits."""

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?", re.IGNORECASE)
_SIXTIETHS = re.compile(r"[0-5]?\d(?:\.\d*)?")
_HOUR = re.compile(r"[01]?\d|2[0-4]")
_MINUTES = re.compile(r"[0-5]?\d")
_DEGREE = re.compile(r"[+-]?\d{1,2}")

_WITH_UNITS = r"[+-]?\d+\s*(?:h|d|deg|°)\s+\d+\s*[m'](?:\s+\d+(?:\.\d*)?\s*(?:s|\"|''))?"
"""A coordinate of words with units: 10h 02m 30s."""

_SPACED_UNITS = re.compile(rf"({_WITH_UNITS})\s+({_WITH_UNITS})(?=\s|$)", re.IGNORECASE)

_COORDINATE = re.compile(rf"{_WITH_UNITS}(?=\s|$)|[+-]?\d{{1,2}}\s+\d{{1,2}}(?:\s+\d{{1,2}}(?:\.\d*)?)?(?=\s|$)|\S+",
                         re.IGNORECASE)  # fmt: skip
"""A coordinate at the beginning of a text: sexagesimal with spaces in it, else one word."""


def parse_position(text: str) -> tuple[float, float]:
    """A position on the sky as it is typed.

    Parameters
    ----------
    text : str
        ``RA,DEC``: degrees, or sexagesimal with the right ascension in hours. Spaces may stand for the comma, and for
        colons.

    Returns
    -------
    (float, float)
        Right ascension, 0 … 360, and declination, degrees.

    Raises
    ------
    UsageError
        It is not such a text, the declination is beyond a pole, or it can be degrees and sexagesimal, too.
    """
    ra, dec, rest = _parted(text.strip())
    if dec is None or rest:
        raise UsageError(f"{text!r} is not a position on the sky", mend=SKY_FORM)
    return _degrees(ra, dec, f"{text!r} is not a position on the sky", SKY_FORM)


def parse_pixel(text: str) -> tuple[float, float]:
    """A place in an image as it is typed.

    Parameters
    ----------
    text : str
        ``X,Y`` in pixels, from 0, whole numbers at the centres of pixels. Spaces may stand for the comma.

    Returns
    -------
    (float, float)
        x and y, pixels.

    Raises
    ------
    UsageError
        It is not such a text.
    """
    words = text.replace(",", " ").split()
    try:
        x, y = map(float, words)
    except ValueError:
        raise UsageError(f"{text!r} is not a pixel", mend=PIXEL_FORM) from None
    if not (np.isfinite(x) and np.isfinite(y)) or text.count(",") > 1:
        raise UsageError(f"{text!r} is not a pixel", mend=PIXEL_FORM)
    return x, y


def split_line(line: str) -> tuple[str, str]:
    """A line of a list of positions on the sky: the position, and the name behind it.

    Parameters
    ----------
    line : str
        Two columns, or six words of a sexagesimal position, parted by commas or spaces; what follows is a name.

    Returns
    -------
    (str, str)
        The text of the position with one comma in it, and the first word of the rest, empty where nothing follows.

    Raises
    ------
    UsageError
        It can be degrees with a name, and sexagesimal, too: ``10 02 30``.
    """
    one, two, rest = _parted(line.strip())
    return (one if two is None else f"{one},{two}"), _first_word(rest)


def split_pixels(line: str) -> tuple[str, str]:
    """A line of a list of places in an image: the place, and the name behind it.

    Parameters
    ----------
    line : str
        Two numbers parted by a comma or by spaces; what follows is a name.

    Returns
    -------
    (str, str)
        As `split_line`.
    """
    words = (line.strip().split(",", 2) if "," in line else line.split(maxsplit=2)) + ["", ""]
    if "," in line and not words[2] and len(pair := words[1].split(maxsplit=1)) > 1:  # X,Y NAME
        words[1:3] = pair
    return (f"{words[0]},{words[1]}" if words[1] else words[0]), _first_word(words[2])


def _first_word(text):
    return next(iter(text.replace(",", " ").split()), "")


def _parted(text):
    """Two columns of a text and what stands behind them; of one column None and nothing."""
    if "," in text:
        one, two, *rest = (part.strip() for part in text.split(","))
        return (one, two, ",".join(rest)) if rest else (one, *_coordinate(two))
    if found := _SPACED_UNITS.match(text):
        return found[1], found[2], text[found.end() :].strip()
    words = text.split()
    if len(words) < 2:
        return text, None, ""
    if not _NUMBER.fullmatch(words[0]):
        return (words[0], *_coordinate(text.split(maxsplit=1)[1]))
    if _is_sexagesimal([*words[:2], words[2].lstrip("+-")] if len(words) > 2 else [], _HOUR):
        if not _is_sexagesimal(words[:3], _HOUR) or not _is_sexagesimal(words[3:6], _DEGREE):
            mend = "with a comma between RA and DEC it can, as 10,2,NAME or 10:02:30,+2:30:00"
            raise UsageError(f"{text!r} is degrees, or sexagesimal: it cannot be told", mend=mend)
        return ":".join(words[:3]), ":".join(words[3:6]), " ".join(words[6:])
    return words[0], words[1], " ".join(words[2:])


def _is_sexagesimal(words, first):
    """Whether words can be hours or degrees, minutes, and seconds."""
    return len(words) == 3 and all(
        form.fullmatch(word) for form, word in zip((first, _MINUTES, _SIXTIETHS), words, strict=True)
    )


def _coordinate(text):
    """The coordinate at the beginning of a text, and what stands behind it."""
    found = _COORDINATE.match(text)
    return (text, "") if found is None else (found[0], text[found.end() :].strip())


def _degrees(ra, dec, wrong, form):
    """Degrees of two coordinates as they are typed."""
    try:
        right, declination = float(ra), float(dec)
    except ValueError:
        right, declination = _sexagesimal(ra, dec, wrong, form)
    if not (np.isfinite(right) and abs(declination) <= 90):
        raise UsageError(wrong, mend=form)
    return right % 360, declination


def _sexagesimal(ra, dec, wrong, form):
    if _NUMBER.fullmatch(ra) and re.fullmatch(r"[+-]?\d+\s+\d.*", dec):
        raise UsageError(f"{wrong} (RA is a number, and DEC is several)", mend=form)
    try:
        return degrees_of(ra, hours=bool(_HOURS.search(ra))), degrees_of(dec)
    except NO_ANGLE as error:
        raise UsageError(f"{wrong} ({_first_line(error)})", mend=form) from None


def _first_line(error):
    lines = str(error).strip().splitlines()
    return lines[0][:100] if lines else type(error).__name__


def parse_sky(text: str) -> tuple[float, float, float, str]:
    """Position and size of a square as they are typed.

    Parameters
    ----------
    text : str
        ``RA,DEC,SIZE``: the position as `parse_position` takes it, the size as `parse_size` does.

    Returns
    -------
    (float, float, float, str)
        Right ascension and declination in degrees, size, and its unit: ``arcsec`` or ``pix``.

    Raises
    ------
    UsageError
        It is not such a text, the declination is beyond a pole, or the size is not positive.
    """
    words, wrong = [word.strip() for word in text.split(",")], f"{text!r} is not a valid place on the sky"
    if len(words) != 3:
        raise UsageError(wrong, mend=SQUARE_FORM)
    ra, dec = _degrees(words[0], words[1], wrong, SQUARE_FORM)
    return ra, dec, *_size(words[2], wrong, SQUARE_FORM)


def parse_size(text: str) -> tuple[float, str]:
    """The size of a square as it is typed.

    Parameters
    ----------
    text : str
        In arcsec, or with a unit: arcmin, deg, pix.

    Returns
    -------
    (float, str)
        The size, and its unit: ``arcsec`` or ``pix``.

    Raises
    ------
    UsageError
        It is not such a text, or not positive.
    """
    return _size(text.strip(), f"{text!r} is not a size", "one is 30, 1arcmin or 100pix")


def _size(text, wrong, form):
    from astropy.coordinates import Angle

    try:
        number = re.fullmatch(r"(.*\d\.?)\s*pix(?:els?)?", text)
        size, unit = (float(number[1]), "pix") if number else (float(Angle(text, "arcsec").arcsec), "arcsec")
    except NO_ANGLE as error:
        raise UsageError(f"{wrong} ({_first_line(error)})", mend=form) from None
    if not (np.isfinite(size) and size > 0):
        raise UsageError(wrong, mend=form)
    return size, unit
