"""What can be typed, for the help of tools."""

__all__ = ["HELP"]

HELP = """\
+ - * / ** % & | ~, comparisons (also 1 < x < 5), and or not (also && || !), x between 1 and 5, x in (1, 2), not in.
Functions: abs sqrt log10 ln exp hypot round floor sin cos tan (of degrees), min max (of several values, or of all rows
of one), mean median std (of all rows), where(CONDITION, A, B), isnan, has(image_flags, NAME), sep(ra, dec, RA, DEC) in
arcsec, mag(flux): the AB magnitude. A name with other signs than . and _, or that is
one of these words, stands in backquotes; before a parenthesis a name is that of a function. A number is in the unit
of the column that it is compared with or added to; columns of different units are converted. What has no value (NaN,
masked, x / 0) satisfies no comparison, and not its opposite either; isnan asks for it."""
