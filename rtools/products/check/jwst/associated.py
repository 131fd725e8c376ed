"""JWST files that belong together: C11 catalog and segmentation map, C13 coronagraphy, segments of an exposure."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from rtools.errors import InputError, UsageError, with_article
from rtools.findings import Finding, error, info
from rtools.products.check.jwst.pieces import count_of, meta_value, pieces
from rtools.products.jwst import JwstProduct, open_jwst

__all__ = ["check_associated", "check_pair", "partner_of"]

PAIR = {"cat": "segm", "segm": "cat"}
"""Products of which each has the labels of the other."""

PSF_KINDS = ("psfstack", "psfalign", "psfsub")

SEGMENT = re.compile(r"-seg\d{3}(?=_)")

AREA = 0.5
"""Pixels by which an area may differ from the number of pixels."""


def partner_of(product: JwstProduct, name: str | Path, others: Iterable[str | Path] = ()) -> Path | None:
    """The segmentation map of a catalog, or the other way round.

    Parameters
    ----------
    product : JwstProduct
        One of the two.
    name : str or Path
        What it is called.
    others : iterable of str or Path
        Further files among which to look; one beside it comes first.

    Returns
    -------
    Path or None
        None where there is none.
    """
    return _sibling(name, product.kind, PAIR[product.kind], others) if product.kind in PAIR else None


def _sibling(name, kind, wanted, others=()):
    """The file of the same name but its suffix, beside a file or among others."""
    base = os.path.basename(name)
    if f"_{kind}" not in base:
        return None
    before, _, _after = base.rpartition(f"_{kind}")
    sought = [f"{before}_{wanted}.{extension}" for extension in ("fits", "ecsv")]
    places = [Path(name).parent / one for one in sought] + [Path(one) for one in others]
    return next((one for one in places if one.name in sought and one.is_file()), None)


def check_pair(product: JwstProduct, partner: str | Path, image: str | Path | None = None) -> list[Finding]:
    """C11: labels, areas and centroids of a catalog against its segmentation map, whose shape is that of the image.

    Parameters
    ----------
    product : JwstProduct
        The catalog, or the segmentation map.
    partner : str or Path
        File of the other one.
    image : str or Path, optional
        File of the image in which sources were found.

    Returns
    -------
    list of Finding

    Raises
    ------
    InputError
        A file cannot be read, or is not the other one.
    UsageError
        The product is neither.
    """
    if product.kind not in PAIR:
        raise UsageError("--with names the other one of a catalog and a segmentation map", mend="this is neither")
    other = _opened(partner, (PAIR[product.kind],))
    catalog, segmentation = (product, other) if product.kind == "cat" else (other, product)
    found = list(_labels(catalog, segmentation, os.path.basename(partner)))
    if image is not None:
        mosaic = _opened(image, ("i2d",))
        shapes = [one.arrays["data"].shape if one.has("data") else () for one in (segmentation, mosaic)]
        if shapes[0] != shapes[1]:
            found.append(
                error("C11", "SCI", f"the segmentation map is {shapes[0]}, {os.path.basename(image)} {shapes[1]}")
            )
    return found


def _opened(path, kinds):
    product = open_jwst(path)
    if product.kind not in kinds:
        raise InputError(f"{with_article(product.kind)}, not {with_article(' or '.join(kinds))}", path=path)
    return product


def _labels(catalog, segmentation, name):
    image = segmentation.arrays.get("data")
    if image is None or image.dtype.kind not in "iu" or len(image.shape) != 2:
        yield info("C11", "SCI", "not compared: the segmentation map is no image of whole numbers")
        return
    table = catalog.table()
    if "label" not in table.colnames:
        yield info("C11", "label", "not compared: the catalog has no column label")
        return
    labels = np.asarray(table["label"]).astype(np.int64)
    highest = max(int(labels.max(initial=0)), _highest(segmentation))
    if highest > math.prod(image.shape):
        yield error("C11", "label", f"not compared: label {highest} is greater than the number of pixels")
        return
    counts, boxes = _extents(segmentation, highest)
    present = np.flatnonzero(counts)
    for some, message in (
        (np.setdiff1d(labels, present), "in the catalog, not in the segmentation map"),
        (np.setdiff1d(present, labels), "in the segmentation map, not in the catalog"),
    ):
        if some.size:
            few = " ".join(map(str, some[:5])) + (" …" if some.size > 5 else "")
            yield error("C11", "label", f"{some.size} label{'s' * (some.size != 1)} ({few}) {message} ({name})")
    both = np.isin(labels, present)
    yield from _sources(table, labels, both, counts, boxes)


def _sources(table, labels, both, counts, boxes):
    """Areas and centroids of sources that both have."""
    if "isophotal_area" in table.colnames:
        areas = np.asarray(table["isophotal_area"], float)
        wrong = np.flatnonzero(both & (np.abs(areas - counts[labels * both]) > AREA))
        if wrong.size:
            row = wrong[0]
            about = f"label {labels[row]}: {areas[row]:g}, {counts[labels[row]]} pixels"
            yield error("C11", "isophotal_area", f"{wrong.size} areas are not the number of pixels ({about})")
    for name, (low, high) in (("xcentroid", boxes[:2]), ("ycentroid", boxes[2:])):
        if name not in table.colnames:
            continue
        values, index = np.asarray(table[name], float), labels * both
        inside = (values >= low[index] - 0.5) & (values <= high[index] + 0.5)
        wrong = np.flatnonzero(both & ~inside)
        if wrong.size:
            yield error("C11", name, f"{wrong.size} sources lie outside of their pixels (label {labels[wrong[0]]})")


def _highest(segmentation):
    """The highest label in the segmentation map."""
    return max(int(piece.arrays["SCI"].max(initial=0)) for piece in pieces(segmentation, ("SCI",)))


def _extents(segmentation, most):
    """Number of pixels of each label, and their first and last columns and rows."""
    size = most + 1
    counts = np.zeros(size, np.int64)
    boxes = [np.full(size, far) for far in (np.inf, -np.inf, np.inf, -np.inf)]
    for piece in pieces(segmentation, ("SCI",)):
        labels = piece.arrays["SCI"]
        rows, columns = np.nonzero(labels > 0)
        here = labels[rows, columns].astype(np.int64)
        counts += np.bincount(here, minlength=size)
        rows += piece.rows.start
        for box, values, pick in zip(boxes, (columns, columns, rows, rows), (np.minimum, np.maximum) * 2, strict=True):
            pick.at(box, here, values)
    counts[0] = 0
    return counts, boxes


def check_associated(product: JwstProduct, name: str | Path, others: Sequence[str | Path]) -> list[tuple[str, list]]:
    """What a file says about those that belong to it: among others, and beside it.

    Parameters
    ----------
    product : JwstProduct
        Opened.
    name : str or Path
        What it is called.
    others : sequence of str or Path
        Files of the same command.

    Returns
    -------
    list of (str, list of Finding)
        Each check that was made, and what it found.

    Raises
    ------
    InputError
        One of the other files cannot be read.
    """
    made: list[tuple[str, list[Finding]]] = []
    partner = partner_of(product, name, others)
    if partner is not None:
        made.append(("C11", check_pair(product, partner, _sibling(name, product.kind, "i2d", others))))
    if product.kind in PSF_KINDS:
        made.append(("C13", list(_coronagraphy(product, name, others))))
    if SEGMENT.search(os.path.basename(name)):
        made.append(("segments", list(_segments(product, name, others))))
    return made


def _beside(name, others, belongs):
    """Files among others and in the directory of a file, by base name, that belong to it."""
    folder = Path(name).parent
    beside = [one for one in sorted(folder.iterdir()) if one.suffix in (".fits", ".ecsv")]
    found = {one.name: one for one in (*beside, *map(Path, others)) if belongs(one.name)}
    return [found[base] for base in sorted(found)]


def _segments(product, name, others):
    """Segments of an exposure follow each other from its first integration to its last; told by the first of them."""
    base = os.path.basename(name)
    family = SEGMENT.sub("", base)
    files = _beside(name, others, lambda other: SEGMENT.search(other) and SEGMENT.sub("", other) == family)
    if not files or files[0].name != base:
        return
    segments = [product if path.name == base else open_jwst(path) for path in files]
    total = count_of(product, "EXSEGTOT")
    numbers = [count_of(one, "EXSEGNUM") for one in segments]
    if total is not None and numbers != list(range(1, total + 1)):
        yield error("segments", "EXSEGNUM", f"segments {numbers} of {total}")
    expected = 1
    for one in segments:
        start, end = count_of(one, "INTSTART"), count_of(one, "INTEND")
        if start is None or end is None:
            yield error("segments", "INTSTART", f"{one.path.name} does not say which integrations it has")
            return
        if start != expected:
            yield error("segments", "INTSTART", f"{one.path.name} begins with integration {start}, not {expected}")
        expected = end + 1
    integrations = count_of(product, "NINTS")
    if integrations is not None and expected != integrations + 1:
        yield error("segments", "INTEND", f"the segments end with integration {expected - 1} of {integrations}")


def _coronagraphy(product: JwstProduct, name: str | Path, others: Sequence[str | Path]) -> Iterator[Finding]:
    """C13: numbers of reference images and of integrations, and the shape of images."""
    program = _program(name)
    files = _beside(
        name, others, lambda other: _program(other) == program and re.search(r"_(calints|crfints|psf\w+)\.fits", other)
    )
    related = [open_jwst(path) for path in files if path.name != os.path.basename(name)]
    shape: tuple[int, ...] = product.arrays["data"].shape if product.has("data") else ()
    if product.kind == "psfstack":
        yield from _stack(shape, related)
        return
    science = [one for one in related if one.kind in ("crfints", "calints") and not meta_value(one, "IS_PSF")]
    stacks = [one for one in related if one.kind == "psfstack" and one.has("data")]
    if product.kind == "psfalign" and len(stacks) == 1 and len(shape) > 2:
        count, wanted = shape[-3], stacks[0].arrays["data"].shape[0]
        if count != wanted:
            yield error("C13", "SCI", f"{count} reference images, but {stacks[0].path.name} has {wanted}")
    mine = [one for one in science if _exposure(one.path.name) == _exposure(name) and one.has("data")]
    for one in mine[:1]:
        wanted_shape = one.arrays["data"].shape
        if product.kind == "psfsub" and shape != wanted_shape:
            yield error("C13", "SCI", f"{shape}, but {one.path.name} is {wanted_shape}")
        if product.kind == "psfalign" and len(shape) == 4 and shape[0] != wanted_shape[0]:
            yield error("C13", "SCI", f"{shape[0]} integrations, but {one.path.name} has {wanted_shape[0]}")


def _stack(shape, related):
    """A stack has every integration of every reference; those of another form of the same exposure count once."""
    references = {_exposure(one.path.name): one for one in related if one.kind in ("calints", "crfints")}
    known = {key: one for key, one in references.items() if meta_value(one, "IS_PSF") and one.has("data")}
    total = sum(one.arrays["data"].shape[0] for one in known.values())
    if known and len(shape) == 3 and shape[0] != total:
        yield error(
            "C13", "SCI", f"{shape[0]} images, but its references have {total} integrations ({', '.join(known)})"
        )


def _program(name):
    found = re.match(r"jw\d{5}", os.path.basename(name))
    return found[0] if found else os.path.basename(name)


def _exposure(name):
    """What names of the products of an exposure begin with."""
    found = re.match(r"jw\d{11}_\w{5}_\d{5}(?:-seg\d{3})?_[a-z0-9]+", os.path.basename(name))
    return found[0] if found else os.path.basename(name).rpartition("_")[0]
