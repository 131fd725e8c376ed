"""What reference files of JWST say of themselves, one by one and by directory: FITS, ASDF, JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rtools.errors import InputError
from rtools.products.forms import form_of
from rtools.reference.index import Indexed, scan_files
from rtools.reference.jwst.match import DETECTOR, SELECTORS, JwstCandidate, words_of
from rtools.reference.jwst.types import jwst_type
from rtools.reference.match import iso
from rtools.wfi import metadata

__all__ = ["jwst_candidate_of", "scan_jwst"]

LISTS = {
    "P_DETECT": "instrument.p_detector",
    "P_FILTER": "instrument.p_filter",
    "P_PUPIL": "instrument.p_pupil",
    "P_GRATIN": "instrument.p_grating",
    "P_CHANNE": "instrument.p_channel",
    "P_BAND": "instrument.p_band",
    "P_EXP_TY": "exposure.p_exptype",
    "P_READPA": "exposure.p_readpatt",
    "P_SUBARR": "subarray.p_subarray",
}
"""Where lists of selectors stand below ``meta`` in an ASDF file."""

PLACE = {
    "SUBSTRT1": "subarray.xstart", "SUBSTRT2": "subarray.ystart", "SUBSIZE1": "subarray.xsize",
    "SUBSIZE2": "subarray.ysize",
}  # fmt: skip

SAID = {
    "REFTYPE": "reftype",
    "TELESCOP": "telescope",
    "INSTRUME": "instrument.name",
    "DETECTOR": "instrument.detector",
    "USEAFTER": "useafter",
    "DATAMODL": "model_type",
    "DESCRIP": "description",
    "PEDIGREE": "pedigree",
}

PATHS = {**{key: path for key, (_list, path) in SELECTORS.items()}, **LISTS, **PLACE, **SAID}
"""Keyword to the path below ``meta`` where an ASDF file says the same."""


def scan_jwst(directory: str | Path) -> list[JwstCandidate]:
    """Every FITS, ASDF and JSON file of a directory (not below it), sorted by name.

    Parameters
    ----------
    directory : str or Path
        Where the reference files lie.

    Returns
    -------
    list of JwstCandidate
        Files that cannot be read have a `problem`, files that are no references of JWST have type None.

    Raises
    ------
    MissingReferenceError
        The directory does not exist or cannot be listed.
    """
    indexed = Indexed("jwst", (".fits", ".asdf", ".json"), jwst_candidate_of, JwstCandidate, _revived)
    found: list[JwstCandidate] = scan_files(directory, indexed)
    return found


def _revived(says):
    selectors = {key: tuple(words) for key, words in says["selectors"].items()}
    place = says["place"] and tuple(says["place"])
    return JwstCandidate(**{**says, "detectors": tuple(says["detectors"]), "selectors": selectors, "place": place})


def jwst_candidate_of(path: str | Path) -> JwstCandidate:
    """What one file says of itself.

    Parameters
    ----------
    path : str or Path
        The file; its headers alone are read, or its tree.

    Returns
    -------
    JwstCandidate
        Its type is None where it is not a reference of JWST that rtools knows.

    Raises
    ------
    InputError
        It cannot be read.
    """
    said, first_shape = _said(path)

    def word(key: str) -> str:
        value = said(key)
        return "" if value is None else str(value).strip()

    kind = jwst_type(word("REFTYPE")) if word("TELESCOP").upper() == "JWST" else None
    if kind is None:
        return JwstCandidate(path=str(Path(path).resolve()))
    chosen = {key: _words(said, key, list_) for key, (list_, _path) in SELECTORS.items()}
    return JwstCandidate(
        path=str(Path(path).resolve()),
        type=kind.name,
        instrument=word("INSTRUME").upper(),
        detectors=_words(said, "DETECTOR", DETECTOR[0]),
        selectors={key: words for key, words in chosen.items() if words},
        place=_place(said, first_shape if kind.is_plane else ()),
        useafter=iso(word("USEAFTER")) if word("USEAFTER") else "",
        model=word("DATAMODL"),
        description=word("DESCRIP"),
        pedigree=word("PEDIGREE"),
    )


def _words(said, keyword, list_):
    """Values of a selector: of its list, else of the keyword itself."""
    value = said(list_) or said(keyword)
    return () if value is None else words_of(value)


def _place(said, shape):
    """Where planes lie: SUBSTRT and SUBSIZE; the first pixel is 1, 1 and the size that of the array by default."""
    x, y, columns, rows = (said(key) for key in ("SUBSTRT1", "SUBSTRT2", "SUBSIZE1", "SUBSIZE2"))
    if columns is None and len(shape) >= 2:
        rows, columns = shape[-2:]
    if columns is None or rows is None:
        return None
    return int(x or 1), int(y or 1), int(columns), int(rows)


def _said(path) -> tuple[Callable[[str], Any], tuple[int, ...]]:
    """A function from keyword to what the file says, and the shape of its first image."""
    form = form_of(path)
    if form == "fits":
        from rtools.products.jwst.opening import open_jwst

        try:
            product = open_jwst(path, others=True)
        except InputError as error:
            if "TELESCOP" in error.message:  # of another mission, which is no fault of the file
                return (lambda _key: None), ()
            raise
        shapes = [hdu.shape for hdu in product.hdus if hdu.is_image]
        return product.hdus[0].values.get, shapes[0] if shapes else ()
    if form == "json":
        return _said_in_json(path), ()
    if form != "asdf":
        return (lambda _key: None), ()
    from rtools.products.io import header

    meta = header.read_header(path, cut_loops=True)[0].get("meta") or {}
    return (lambda key: metadata.get(meta, PATHS[key])), ()


def _said_in_json(path):
    """A JSON reference has its few selectors at its top, in small letters."""
    try:
        told = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"cannot be read ({' '.join(str(error).split())})", path=path) from None
    told = told if isinstance(told, Mapping) else {}
    names = {"REFTYPE": "reftype", "TELESCOP": "telescope", "INSTRUME": "instrument", "EXP_TYPE": "exp_type"}
    return lambda key: told.get(names.get(key, key.lower()))
