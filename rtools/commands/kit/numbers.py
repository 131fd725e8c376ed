"""Numbers as options take them, several with commas between."""

from rtools.errors import UsageError

__all__ = ["rising_numbers"]

LARGEST_RADIUS = 60.0
"""Arcsec: a larger aperture or ring is a mistake in the unit."""


def rising_numbers(word, text, count=None):
    """Radii in arcsec: rising positive numbers with commas between.

    Parameters
    ----------
    word : str
        The option, for the message.
    text : str
        What was typed.
    count : int, optional
        How many there must be.

    Returns
    -------
    tuple of float

    Raises
    ------
    UsageError
        It is something else.
    """
    try:
        numbers = tuple(float(part) for part in text.split(","))
    except ValueError:
        numbers = ()
    rising = all(one < two for one, two in zip((0.0, *numbers), numbers, strict=False))
    if not numbers or not rising or numbers[-1] > LARGEST_RADIUS or len(numbers) != (count or len(numbers)):
        what = "rising numbers" if count is None else f"{count} rising numbers"
        raise UsageError(f"{word} {text}: {what} of arcsec up to {LARGEST_RADIUS:g} expected, with commas between")
    return numbers
