"""Which JWST product a file is: told by DATAMODL, extensions and steps, and then by the name of the file.

Several products share a data model and extensions (a rate and a crf, for example). Among those that are possible the
suffix of the name decides, and without one what the keywords of steps say.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from rtools.jwst.layout import SUFFIXES, product_layout

__all__ = ["INSTRUMENTS", "ON_DETECTOR", "SeenHdu", "described", "kind_of", "kind_of_columns", "seen_hdu", "suffix_of"]

INSTRUMENTS = {"NIRCAM": "NIRCam", "NIRISS": "NIRISS", "NIRSPEC": "NIRSpec", "MIRI": "MIRI", "FGS": "FGS"}
"""What INSTRUME says, and how the instrument is called in text."""

MARKS = {
    "CTRD": ("amilg",),
    "COMBINE1D": ("c1d",),
    "EXTRACT1D": ("x1d", "x1dints"),
    "OI_VIS": ("ami-oi", "amimulti-oi", "aminorm-oi"),
    "OI_VIS2": ("ami-oi", "amimulti-oi", "aminorm-oi"),
    "WMAP": ("s3d",),
    "CON": ("i2d", "s2d"),
    "WHT": ("i2d", "s2d"),
    "GROUPDQ": ("ramp",),
    "PIXELDQ": ("ramp",),
}
"""Extensions that only some products have."""

IMAGES = ("rate", "bsub", "cal", "crf")
CUBES = ("rateints", "bsubints", "calints", "crfints")
STACKS = ("psfstack", "psfalign")
SERIES = ("calints", "crfints")

ON_DETECTOR = ("uncal", "ramp", *IMAGES, *CUBES)
"""Kinds whose pixels are those of a detector, from SUBSTRT1 and SUBSTRT2 on; others have a grid of their own."""

COLUMNS = {"label": "cat", "aperture_sum": "phot", "net_aperture_sum": "phot", "whitelight_flux": "whtlt"}
"""Columns that tell an ECSV product; those of a light curve may go on after their names."""


class SeenHdu(NamedTuple):
    """What a header says of one HDU after the primary one.

    Attributes
    ----------
    name : str
        EXTNAME.
    ndim : int
        Dimensions of an image; 0 for a table.
    bitpix : int
        BITPIX of an image; 0 for a table.
    columns : mapping of str to str
        TFORM by TTYPE; none for an image.
    """

    name: str
    ndim: int
    bitpix: int
    columns: Mapping[str, str]


def suffix_of(name: str) -> str | None:
    """The suffix in the name of a JWST file.

    Parameters
    ----------
    name : str
        Without directories: ``jw01024001001_02101_00001_nrca1_rate.fits``.

    Returns
    -------
    str or None
        One of `SUFFIXES`; None where the name ends otherwise.
    """
    longest_first = "|".join(sorted(SUFFIXES, key=len, reverse=True))
    found = re.search(rf"_({longest_first})(?:-[0-9a-z]{{2}})?\.[a-z0-9.]+$", name)
    return found[1] if found else None


def seen_hdu(header: Mapping[str, Any]) -> SeenHdu:
    """What the header of an extension says.

    Parameters
    ----------
    header : mapping
        Its keywords, such as an astropy.io.fits.Header.

    Returns
    -------
    SeenHdu
    """
    name = str(header.get("EXTNAME") or "").strip().upper()
    if header.get("XTENSION") == "IMAGE":
        return SeenHdu(name, header.get("NAXIS", 0), header.get("BITPIX", 0), {})
    fields = range(1, header.get("TFIELDS", 0) + 1)
    return SeenHdu(name, 0, 0, {header.get(f"TTYPE{field}", ""): header.get(f"TFORM{field}", "") for field in fields})


def kind_of(primary: Mapping[str, Any], hdus: Sequence[SeenHdu], suffix: str | None = None) -> str | None:
    """The kind of product in a FITS file.

    Parameters
    ----------
    primary : mapping
        Keywords of the primary header.
    hdus : sequence of SeenHdu
        The other HDUs in order.
    suffix : str, optional
        Of the file's name, `suffix_of`.

    Returns
    -------
    str or None
        One of `SUFFIXES`; None for a file of JWST that is none of these products, such as a reference.
    """
    model = str(primary.get("DATAMODL", "")).strip()
    if "REFTYPE" in primary or model.startswith("Guider"):
        return None
    marked, held = _by_marks(hdus), _by_science(hdus)
    series = SERIES if model == "MultiSlitModel" else ()  # of several slits or orders, whatever the layout names
    modelled = tuple(kind for kind in SUFFIXES if model in product_layout(kind).models or kind in series)
    both = tuple(kind for kind in marked or held if kind in modelled)
    possible = _by_steps(both or marked or modelled or held, primary, {hdu.name for hdu in hdus})
    if suffix in possible or (suffix == "x1dints" and suffix in marked):  # its model was once that of x1d
        return suffix
    return possible[0] if possible and (modelled or not model or len(marked or held) == 1) else None


def _by_marks(hdus):
    """Kinds of which an extension is theirs alone, the likeliest first; none where there is none."""
    named = {hdu.name: hdu for hdu in hdus}
    for mark, kinds in MARKS.items():
        if mark in named:
            return _by_columns(kinds, named)
    return ()


def _by_science(hdus):
    """Kinds whose SCI has so many axes and such pixels, the likeliest first."""
    named = {hdu.name: hdu for hdu in hdus}
    science = named.get("SCI")
    if science is None:
        return ()
    if science.ndim == 4:
        return ("psfalign",) if "DQ" in named else ("uncal",) if science.bitpix == 16 else ("ramp",)
    if science.ndim == 3:
        return (*CUBES, "psfsub") if {"VAR_POISSON", "VAR_RNOISE", "INT_TIMES"} & set(named) else (*STACKS, "psfsub")
    return IMAGES if science.bitpix < 0 else ("segm",)


def _by_columns(kinds, named):
    """Kinds of tables that have such columns."""
    if "x1d" in kinds:
        return ("x1dints",) if "INT_NUM" in named["EXTRACT1D"].columns else kinds
    if "ami-oi" in kinds:
        array, amplitudes = named.get("OI_ARRAY"), named.get("OI_VIS")
        if array is not None and "PISTON_T" in array.columns:
            return ("aminorm-oi",)
        form = amplitudes.columns.get("VISAMP", "D") if amplitudes is not None else "D"
        return kinds if form in ("D", "1D", "E", "1E") else ("amimulti-oi",)
    return kinds


def _by_steps(kinds, primary, names):
    """Kinds that remain after what the keywords S_* of the primary header say, the likeliest first."""
    done = {key for key in primary if key.startswith("S_") and str(primary[key]).strip() == "COMPLETE"}
    if kinds and kinds[0] in (*IMAGES, *CUBES):
        if "psfsub" in kinds and "S_KLIP" in done:
            return ("psfsub",)
        ints = "ints" if kinds[0] in CUBES else ""
        wanted = [f"{kind}{ints}" for kind in _by_progress(done, names)] + ["psfsub"]
        return tuple(kind for kind in wanted if kind in kinds)
    for key, kind in (("S_KLIP", "psfsub"), ("S_PSFALI", "psfalign"), ("S_AMINOR", "aminorm-oi")):
        if key in done and kind in kinds:
            return (kind,)
    return kinds


def _by_progress(done, names):
    """Which of `IMAGES` an image is that has come so far, the likeliest first."""
    if "S_OUTLIR" in done:
        return ("crf", "cal")
    if "VAR_FLAT" in names or "S_PHOTOM" in done:
        return ("cal", "crf")
    if "S_RAMP" in done and "S_WCS" not in done:  # coordinates are what the next stage begins with
        return ("rate",)
    return ("bsub", "rate", "cal", "crf") if "S_BKDSUB" in done else ("rate", "bsub", "cal", "crf")


def kind_of_columns(columns: Iterable[str]) -> str | None:
    """The kind of product in an ECSV table.

    Parameters
    ----------
    columns : iterable of str
        Their names.

    Returns
    -------
    str or None
        ``cat``, ``phot`` or ``whtlt``; None where no column tells.
    """
    for column in columns:
        for mark, kind in COLUMNS.items():
            if column == mark or (kind == "whtlt" and column.startswith(f"{mark}_")):
                return kind
    return None


def described(primary: Mapping[str, Any], kind: str | None) -> str:
    """What a file is, in words.

    Parameters
    ----------
    primary : mapping
        Keywords of the primary header.
    kind : str or None
        Of `kind_of`.

    Returns
    -------
    str
        ``a JWST product (rate, NIRCam)``, ``a JWST reference file (FLAT, MIRI)`` or ``a JWST file (GuiderCalModel)``.
    """
    instrument = str(primary.get("INSTRUME", "")).strip()
    what = "product" if kind else "reference file" if "REFTYPE" in primary else "file"
    told = kind or str(primary.get("REFTYPE") or primary.get("DATAMODL") or "").strip()
    words = [word for word in (told, INSTRUMENTS.get(instrument, instrument)) if word]
    return f"a JWST {what} ({', '.join(words)})" if words else f"a JWST {what}"
