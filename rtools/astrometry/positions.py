"""Positions as they are typed: on the sky in degrees or sexagesimal, and in pixels of a file."""

from __future__ import annotations

import re

import numpy as np

from rtools.errors import UsageError

__all__ = ["parse_pixel", "parse_position", "parse_size", "parse_sky", "split_line"]

SKY_FORM = "RA,DEC is one, as 270.1,66.02 or 18:00:24,+66:01:12 or 18h00m24s,+66d01m12s"
SQUARE_FORM = "RA,DEC,SIZE is one, as 270.1,66.02,30 or 18:00:24,+66:01:12,1arcmin"
PIXEL_FORM = "X,Y is one, as 1234,567.5"

NO_ANGLE = (ValueError, TypeError, IndexError, ArithmeticError)
"""What astropy raises of a text that is no angle; arithmetic fails of hours with hundreds of digits."""

_HOURS = re.compile(r"\d\s*(h|:|\s\s*\d)", re.IGNORECASE)
"""A right ascension in hours: with an h, colons, or words of digits."""

_SIX_WORDS = re.compile(r"\d{1,2}\s+\d{1,2}\s+\d{1,2}(\.\d*)?\s+[+-]\d{1,2}\s+\d{1,2}\s+\d{1,2}(\.\d*)?(?=\s|$)")
"""A position in sexagesimal that has spaces only."""


def parse_position(text: str) -> tuple[float, float]:
    """A position on the sky as it is typed.

    Parameters
    ----------
    text : str
        ``RA,DEC``: degrees, or sexagesimal with the right ascension in hours. Spaces may stand for the comma.

    Returns
    -------
    (float, float)
        Right ascension, 0 … 360, and declination, degrees.

    Raises
    ------
    UsageError
        It is not such a text, or the declination is beyond a pole.
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
    """A line of a list of positions: the position, and the name behind it.

    Parameters
    ----------
    line : str
        Two columns, or six words of a sexagesimal position, parted by commas or spaces; what follows is a name.

    Returns
    -------
    (str, str)
        The text of the position with one comma in it, and the first word of the rest, empty where nothing follows.
    """
    one, two, rest = _parted(line.strip())
    name = rest.replace(",", " ").split()
    return (one if two is None else f"{one},{two}"), name[0] if name else ""


def _parted(text):
    """Two columns of a text and what stands behind them; of one column None and nothing."""
    if "," in text:
        one, two, *rest = (part.strip() for part in text.split(","))
        first, *more = two.split(maxsplit=1) or [""]
        if not rest and more and not re.match(r"\d", more[0]):  # RA,DEC NAME
            return one, first, more[0]
        return one, two, ",".join(rest)
    if found := _SIX_WORDS.match(text):
        words = found[0].split()
        return ":".join(words[:3]), ":".join(words[3:]), text[found.end() :].strip()
    words = text.split(maxsplit=2)
    return (text, None, "") if len(words) < 2 else (words[0], words[1], "".join(words[2:]))


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
    from astropy.coordinates import Angle

    try:
        right = Angle(ra, "hourangle" if _HOURS.search(ra) else "deg").deg
        return float(right), float(Angle(dec, "deg").deg)
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
