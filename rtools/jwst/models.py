"""Data models of JWST products: which node of the tree an HDU is, and which value of it a keyword is."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from rtools.jwst.keywords import MetadataKeyword, keywords

__all__ = ["EXTENSIONS", "NODE_NAMES", "keywords_of_path", "member_of", "node_of_hdu", "path_of_keyword"]

EXTENSIONS = {
    "data": "SCI",
    "weightmap": "WMAP",
    "pathloss_point": "PATHLOSS_PS",
    "pathloss_uniform": "PATHLOSS_UN",
    "flatfield_point": "FLATFIELD_PS",
    "flatfield_uniform": "FLATFIELD_UN",
    "photom_point": "PHOTOM_PS",
    "photom_uniform": "PHOTOM_UN",
    "trace_model": "TRACEMODEL",
    "average_dark_current": "AVDRKCUR",
    "centered_image": "CTRD",
    "norm_centered_image": "N_CTRD",
    "fit_image": "FIT",
    "norm_fit_image": "N_FIT",
    "resid_image": "RESID",
    "norm_resid_image": "N_RESID",
}
"""Names of images in the data models whose EXTNAME is not the same in capitals."""

NODE_NAMES = {extension: name for name, extension in EXTENSIONS.items()}
"""The same the other way round."""

TABLE_NODES = {
    "EXTRACT1D": "spec_table",
    "COMBINE1D": "spec_table",
    "SOLNS": "solns_table",
    "WCS-TABLE": "wavetable",
    "MSA_TARG_ACQ": "msa_targ_acq_table",
    "MOVING_TARGET_POSITION": "moving_target",
    **{f"OI_{name}": name.lower() for name in ("ARRAY", "TARGET", "T3", "VIS", "VIS2", "Q4", "WAVELENGTH")},
}
"""Nodes of tables whose names are not their EXTNAME in small letters."""

SAME_NAMES = (
    "ERR", "DQ", "PIXELDQ", "GROUPDQ", "ZEROFRAME", "REFOUT", "GROUP", "INT_TIMES", "INT_TIMES_STRIPE", "WAVELENGTH",
    "AREA", "CON", "WHT", "MASK", "VAR_POISSON", "VAR_RNOISE", "VAR_FLAT", "BARSHADOW", "REGIONS", "HDRTAB",
)  # fmt: skip
"""EXTNAMEs that are the names of their nodes in capitals."""

MEMBERS = {
    "MultiSlitModel": "slits",
    "MultiExposureModel": "exposures",
    "MultiSpecModel": "spec",
    "MRSMultiSpecModel": "spec",
    "WFSSMultiSpecModel": "spec",
    "TSOMultiSpecModel": "spec",
    "MultiCombinedSpecModel": "spec",
    "WFSSMultiCombinedSpecModel": "spec",
}
"""Data models that hold a list of slits or spectra, and the node of the list; EXTVER counts them from 1."""

OF_FILE = ("INT_TIMES", "INT_TIMES_STRIPE", "HDRTAB", "GROUP")
"""Tables that a file has once, whatever its members."""


def member_of(model: str, name: str, version: int) -> str:
    """The node to which an HDU belongs: of a slit or a spectrum, or the root.

    Parameters
    ----------
    model : str
        DATAMODL.
    name, version : str, int
        EXTNAME and EXTVER.

    Returns
    -------
    str
        ``slits.0``, ``spec.1``; empty for the root.
    """
    listed = MEMBERS.get(model)
    if listed is None or name in OF_FILE or (listed == "spec" and name not in ("EXTRACT1D", "COMBINE1D")):
        return ""
    return f"{listed}.{version - 1}"


def node_of_hdu(model: str, name: str, version: int) -> str:
    """The node of the tree whose array or table an HDU holds.

    Parameters
    ----------
    model : str
        DATAMODL.
    name, version : str, int
        EXTNAME and EXTVER.

    Returns
    -------
    str
        Dotted path: ``data``, ``slits.0.err``, ``spec.2.spec_table``; ``extra_fits.NAME.data`` for an extension that
        the data models do not know.
    """
    known = NODE_NAMES.get(name) or TABLE_NODES.get(name) or (name.lower() if name in SAME_NAMES else None)
    if known is None:
        return f"extra_fits.{name}.data"
    member = member_of(model, name, version)
    return f"{member}.{known}" if member else known


@cache
def _member_keywords() -> tuple[MetadataKeyword, ...]:
    told = json.loads(Path(__file__).with_name("members.json").read_text(encoding="utf-8"))
    return tuple(MetadataKeyword(*row) for row in told["rows"])


@cache
def _by_keyword() -> dict[tuple[str, str], MetadataKeyword]:
    of_meta = [one._replace(path=f"meta.{one.path}") for one in keywords()]
    return {(one.hdu, one.keyword): one for one in (*_member_keywords(), *of_meta)}


@cache
def _by_path() -> dict[str, tuple[MetadataKeyword, ...]]:
    found: dict[str, tuple[MetadataKeyword, ...]] = {}
    for one in _by_keyword().values():
        found[one.path] = (*found.get(one.path, ()), one)
    return found


def path_of_keyword(model: str, name: str, version: int, keyword: str) -> MetadataKeyword | None:
    """Where in the tree the value of a keyword stands.

    Parameters
    ----------
    model : str
        DATAMODL.
    name, version : str, int
        EXTNAME and EXTVER of the HDU that has the keyword, ``PRIMARY`` for the primary one.
    keyword : str
        In capitals.

    Returns
    -------
    MetadataKeyword or None
        Its path begins at the root: ``meta.exposure.type``, ``slits.1.source_id``; None where no data model knows it.
    """
    known = _by_keyword().get((name, keyword))
    member = member_of(model, name, version)
    if known is None or not (member or version == 1):
        return None
    if member and known.path.startswith("meta.") and version == 1 and not _of_slits(known.path):
        return known
    return known._replace(path=f"{member}.{known.path}") if member else known


def keywords_of_path(path: str, model: str) -> tuple[tuple[MetadataKeyword, int], ...]:
    """The keywords that say what a node of the tree says.

    Parameters
    ----------
    path : str
        From the root: ``meta.exposure.type``, ``slits.1.source_id``.
    model : str
        DATAMODL.

    Returns
    -------
    tuple of (MetadataKeyword, int)
        And the EXTVER of its HDU; several where the HDU depends on the product, none where the tree alone has it.
    """
    head, _, rest = path.partition(".")
    number, _, inner = rest.partition(".")
    version = 1
    if head == MEMBERS.get(model) and number.isdigit():
        path, version = inner, int(number) + 1
    return tuple((one, version) for one in _by_path().get(path, ()))


def _of_slits(path: str) -> bool:
    """Whether a slit has its own value of the metadata; others are those of the file."""
    groups = ("wcsinfo", "photometry", "coordinates", "aperture", "pointing", "velocity_aberration", "bunit_data")
    return path.startswith(tuple(f"meta.{group}" for group in (*groups, "bunit_err")))
