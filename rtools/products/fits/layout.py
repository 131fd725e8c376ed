"""How a product lies in a FITS file: its extensions and the types of its pixels.

HDU 0 has the keywords alone; then SCI, ERR, DQ, the other arrays, tables for human eyes (`fits_tables`), and last the
extension ASDF, which holds the whole tree with the exported arrays replaced by ``fits:NAME,1``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rtools.errors import InputError, with_article
from rtools.products.fits.pixel_types import STORED, ZEROS
from rtools.products.guide import is_old
from rtools.products.io.arrays import datatype_of
from rtools.products.schema import history, nodes
from rtools.wfi import metadata

if TYPE_CHECKING:
    from rtools.products.io.product import Product

__all__ = [
    "Extension",
    "container",
    "continued_history",
    "extensions",
    "rewritten",
]

CATALOGS = "rt-table converts catalogs"

REFUSED = ("wcs",)
"""Kinds that have no FITS form."""

NAMES = {
    "data": "SCI",
    "err": "ERR",
    "dq": "DQ",
    "amp33": "AMP33",
    "resultantdq": "GROUPDQ",
    "reference_read": "REFREAD",
    "reference_amp33": "REFAMP33",
    "reset_read": "RSTREAD",
    "reset_amp33": "RSTAMP33",
    "border_ref_pix_left": "REFPIX_L",
    "border_ref_pix_right": "REFPIX_R",
    "border_ref_pix_top": "REFPIX_T",
    "border_ref_pix_bottom": "REFPIX_B",
    "dq_border_ref_pix_left": "DQREF_L",
    "dq_border_ref_pix_right": "DQREF_R",
    "dq_border_ref_pix_top": "DQREF_T",
    "dq_border_ref_pix_bottom": "DQREF_B",
    "context": "CON",
    "weight": "WHT",
    "detection_image": "DETIMG",
}
"""Array to EXTNAME; any other array is called by its path in capitals."""

GUIDE_NAMES = {
    f"{section}.{word}_resultants": f"{short}{word[:3].upper()}"
    for section, short in (("acq_data", "ACQ"), ("edge_acq_data", "EDG"), ("track_data", "TRK"))
    for word in ("pedestal", "signal")
}
GUIDE_NAMES |= {
    f"amp33.amp33_{prefix}_{word}s": f"A33{short}{word[:3].upper()}"
    for prefix, short in (("acq", "ACQ"), ("edge_acq", "EDG"), ("track", "TRK"))
    for word in ("pedestal", "signal")
}
"""Cubes of guide windows to EXTNAME: ACQPED … TRKSIG, A33ACQPED … A33TRKSIG. The other arrays stay in the ASDF
extension; tables show them."""

ONLY = {"l1_gw": GUIDE_NAMES, "l1_face": {}}
"""Arrays that are images, of kinds where not every array is."""

REFERENCE_NAMES = ("data", "err", "dq")
"""Arrays of reference files that `NAMES` is for."""

INSIDE = ("jump_indices",)
"""Arrays that stay in the ASDF extension."""

BORDERS = ("border_ref_pix_", "dq_border_ref_pix_")
"""Beginnings of the names of arrays that a slim file has in the ASDF extension, too."""

FLAGS = {"DQ": "DQ_ROMAN", "PIXELDQ": "DQ_ROMAN", "GROUPDQ": "GROUPDQ_ROMAN"}
"""Extensions of flags that can be had in JWST's bits, and where the originals are then."""

FIRST = ("SCI", "ERR", "DQ")

CUBES = {"l1_uncal": ("data", "resultantdq"), "ramp": ("data", "groupdq")}
"""Arrays that get an axis of integrations, as JWST ramps have."""

UNITS = {"DN / s": "DN/s", "DN2 / s2": "DN2/s2", "MJy.sr**-1": "MJy/sr", "MJy**2.sr**-2": "MJy2/sr2"}
"""Units as FITS writes them."""


class Extension(NamedTuple):
    """An array as an image extension.

    Attributes
    ----------
    name : str
        EXTNAME.
    path : str
        Dotted, below ``roman``.
    dtype : str
        numpy name of the array's type.
    shape : tuple of int
        As in the file, C order.
    ndim : int
        Dimensions of the array; an axis of integrations may stand before them in `shape`.
    flipped : bool
        Whether the sign is shifted by BZERO; the context keeps its bits as signed numbers, as JWST's does.
    unit : str or None
        As FITS writes it, for BUNIT.
    translated : bool
        Flags in JWST's bits, for others to read; what they were is another extension.
    """

    name: str
    path: str
    dtype: str
    shape: tuple[int, ...]
    ndim: int
    flipped: bool
    unit: str | None
    translated: bool = False

    @property
    def node(self) -> nodes.TaggedDict:
        """The ndarray node that stands for it in the tree of the ASDF extension."""
        dtype = np.dtype(STORED[self.dtype] if not self.flipped else self.dtype)
        fields = {"source": f"fits:{self.name},1", "datatype": datatype_of(dtype)[0], "byteorder": "big"}
        return nodes.TaggedDict(fields | {"shape": list(self.shape)}, nodes.NDARRAY_TAG)


def container(path: str | Path) -> str:
    """``asdf`` or ``fits``, by the first bytes of a file.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    str
        The word.

    Raises
    ------
    InputError
        Missing, a directory, empty, or neither.
    """
    try:
        with open(path, "rb") as file:
            first = file.read(512)
    except OSError as error:
        reason = "no such file" if isinstance(error, FileNotFoundError) else (error.strerror or str(error)).lower()
        raise InputError(reason, path=path) from None
    if first.startswith(b"#ASDF"):
        return "asdf"
    if first.startswith(b"SIMPLE  ="):
        return "fits"
    if not first:
        raise InputError("an empty file", path=path)
    if first.startswith((b"PAR1", b"# %ECSV")) or b"<VOTABLE" in first:
        raise InputError("a catalog", mend=CATALOGS, path=path)
    if first.startswith(b"\x1f\x8b"):
        raise InputError("a gzip file", mend="gunzip it first", path=path)
    raise InputError("neither an ASDF nor a FITS file", path=path)


def extensions(
    product: Product, *, integrations: bool = True, slim: bool = False, flags: str = "roman"
) -> list[Extension]:
    """The image extensions of an opened product, in the order of the file.

    Parameters
    ----------
    product : rtools.products.io.product.Product
        Opened.
    integrations : bool
        Give ramps an axis of integrations, of length 1.
    slim : bool
        Leave the reference pixels of the border in the ASDF extension.
    flags : {"roman", "jwst"}
        Whose bits the flags have; with JWST's, the originals are in extensions of their own.

    Returns
    -------
    list of Extension

    Raises
    ------
    InputError
        The kind of product has no FITS form.
    """
    if product.kind in REFUSED:
        raise InputError(f"{with_article(product.kind)} product has no FITS form", path=product.path)
    if is_old(product):
        tag = product.tag.rpartition("/")[2]
        raise InputError(f"a guide-window file of an old form ({tag}) has no FITS form", path=product.path)
    found: dict[str, Extension] = {}
    for path, info in product.arrays.items():
        dtype = info.dtype.name
        if dtype not in STORED or not info.shape or 0 in info.shape or path in INSIDE:
            continue
        if path not in ONLY.get(product.kind, (path,)):
            continue
        if slim and path.startswith(BORDERS):
            continue
        name = _name(path, product.kind)
        cube = integrations and path in CUBES.get(product.kind, ()) and len(info.shape) == 3
        shape = (1, *info.shape) if cube else tuple(info.shape)
        extension = Extension(
            name, path, dtype, shape, len(info.shape), dtype in ZEROS and path != "context", _unit(product, path, info)
        )
        found.setdefault(name, extension)  # the second of a name stays inside
    if flags == "jwst":
        found = _with_translations(found)
    order = [*FIRST, *GUIDE_NAMES.values()]
    return sorted(found.values(), key=lambda one: order.index(one.name) if one.name in order else len(order))


def _name(path, kind):
    """EXTNAME of an array."""
    if kind in ONLY:
        return ONLY[kind][path]
    plain = re.sub("[^ -+.-~-]", "_", path.upper()).replace(".", "_")  # no comma: a source is called fits:NAME,1
    return plain if kind == "reference" and path not in REFERENCE_NAMES else NAMES.get(path, plain)


def _with_translations(found):
    """The extensions, those of flags twice: translated under their name, and as they are under another."""
    out = {}
    for name, extension in found.items():
        keep = FLAGS.get(name) if extension.dtype in ("uint8", "uint32") else None
        if keep is None or keep in found:
            out[name] = extension
        else:
            out[name], out[keep] = extension._replace(translated=True), extension._replace(name=keep)
    return out


def _unit(product, path, info):
    """Unit of an array: that of an old file's quantity, else what the kind of product says."""
    from rtools.products.schema import layout

    known = layout.arrays(product.kind, product.profile) if product.kind != "reference" else {}
    unit = info.unit or (known[path].unit if path in known else None)
    if isinstance(unit, list):
        unit = unit[metadata.get(product.meta, "cal_step.flux") == "COMPLETE"]  # before and after flux
    return unit and UNITS.get(unit, unit)


class FileHistory(NamedTuple):
    """What the history of a file says: entries, oldest first, and the asdf extensions that its nodes need."""

    entries: list[dict[str, Any]]
    extensions: list[dict[str, Any]]


def continued_history(
    product: Product, source: str | Path, parameters: Mapping[str, Any] | None = None, *, told: bool = True
) -> FileHistory:
    """History of a file that is made of a product.

    Parameters
    ----------
    product : rtools.products.io.product.Product
        What the file is made of.
    source : str or Path
        What the product is called in the new entry.
    parameters : mapping, optional
        What was asked for.
    told : bool
        Add an entry.

    Returns
    -------
    FileHistory
        That of the product, and an entry of rt-fits.
    """
    kept = product.about.get("history")
    known = kept.get("extensions", []) if isinstance(kept, dict) else []
    mine = [history.entry("rt-fits", parameters=parameters, inputs=[source], is_edit=True)] if told else []
    return FileHistory([*product.history, *mine], known)


def rewritten(node: Any, place: Callable[[Any, str], Any], path: str = "") -> Any:
    """A copy of a tree in which ``place(node, path)`` replaces every ndarray node; tags are kept.

    The path is dotted; the array of a quantity has that of the quantity. A node that occurs twice stays one node.

    Parameters
    ----------
    node : object
        Any part of a tree; not changed.
    place : callable
        Called with an ndarray node and its path, which is dotted.
    path : str
        Path of `node` itself.

    Returns
    -------
    object
        New containers.
    """
    return _Rewriter(place).copy(node, path)


class _Rewriter:
    def __init__(self, place):
        self.place = place
        self.done = {}

    def copy(self, node, path):
        if not isinstance(node, dict | list):
            return node
        if id(node) not in self.done:
            self.done[id(node)] = self._copy(node, path), node  # the node is kept, so that its id stays its own
        return self.done[id(node)][0]

    def _copy(self, node, path):
        tag = getattr(node, "tag", None)
        if nodes.is_array(node):
            return self.place(node, path)
        if isinstance(node, dict):
            whole = "/quantity-" in (tag or "")
            items = {
                key: self.copy(value, path if whole and key == "value" else f"{path}.{key}" if path else str(key))
                for key, value in node.items()
            }
            return nodes.TaggedDict(items, tag) if tag else items
        listed = [self.copy(value, f"{path}.{place}") for place, value in enumerate(node)]
        return nodes.TaggedList(listed, tag) if tag else listed
