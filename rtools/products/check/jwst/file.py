"""All checks of one JWST file: which there are, of which products, which of them read arrays."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from rtools.errors import InputError
from rtools.findings import Finding, error, failed_check, info, warning
from rtools.jwst.layout import SUFFIXES, ProductLayout, product_layout
from rtools.products.check.jwst import (
    columns,
    fringes,
    header,
    layout,
    mosaics,
    pixels,
    series,
    spectra,
    times,
    tree,
    wcs,
)
from rtools.products.check.jwst.associated import check_associated, check_pair, partner_of
from rtools.products.check.report import Report
from rtools.products.jwst import JwstProduct, open_jwst
from rtools.products.schema.history import NOT_FOR_SCIENCE, built_in_types
from rtools.products.tables.metadata import read_table

__all__ = ["check_jwst", "is_jwst"]

OF_FITS = tuple(suffix for suffix in SUFFIXES if product_layout(suffix).form == "fits")
RAMPS = ("uncal", "ramp")
IMAGES = ("rate", "rateints", "bsub", "bsubints", "cal", "calints", "crf", "crfints", "i2d", "s2d", "s3d", "psfstack",
          "psfalign", "psfsub")  # fmt: skip
RESAMPLED = ("i2d", "s2d")
FRINGES = ("ami-oi", "amimulti-oi", "aminorm-oi")

OF_CATALOGS = {"xcentroid", "sky_centroid.ra", "isophotal_flux", "aper_bkg_flux"}
"""Columns by which a catalog of JWST is told from one of Roman in the same form."""


NAMED = re.compile(r"jw\d{5}")
"""How names of JWST files begin."""


LAYOUT = ("L1", "L4", "L5", "L6")

ONE = re.compile(r"1 (?!axes)(?P<noun>\w+)s(?P<verb> have| begin| lie)?(?= |,|$)")
"""How messages begin that speak of one thing as of several."""


class Check(NamedTuple):
    """One function, what it looks for and where.

    Attributes
    ----------
    ids : tuple of str
        Checks that it makes; its findings are of these.
    function : callable
        ``function(product, layout)`` yields findings.
    kinds : tuple of str
        Products that it looks at; empty for all.
    reads : bool
        Whether it reads arrays or rows.
    """

    ids: tuple[str, ...]
    function: Callable[[JwstProduct, ProductLayout], Iterable[Finding]]
    kinds: tuple[str, ...] = ()
    reads: bool = True


CHECKS = (
    Check(("F1",), header.check_standard, OF_FITS, reads=False),
    Check(("F1",), header.check_sums, OF_FITS),
    Check(("F2",), header.check_primary, OF_FITS, reads=False),
    Check(("L1", "L2", "L3"), layout.check_extensions, OF_FITS, reads=False),
    Check(("L4",), layout.check_types, OF_FITS, reads=False),
    Check(("L5",), layout.check_axes, OF_FITS, reads=False),
    Check(("L6",), columns.check_columns, reads=False),
    Check(("L7",), layout.check_release, reads=False),
    Check(("C1", "C4"), pixels.check_flags_of_ramps, RAMPS),
    Check(("C1", "C2", "C3"), pixels.check_images, IMAGES),
    Check(("C5",), times.check_times, OF_FITS),
    Check(("C6",), mosaics.check_context, RESAMPLED),
    Check(("C7",), mosaics.check_weights, RESAMPLED),
    Check(("C8",), spectra.check_cube, ("s3d",)),
    Check(("C9",), spectra.check_spectra, ("x1d", "x1dints")),
    Check(("C10",), spectra.check_combined, ("c1d",)),
    Check(("C12",), series.check_light_curve, ("phot", "whtlt")),
    Check(("C14",), fringes.check_observables, FRINGES),
    Check(("C15",), series.check_fringe_fit, ("amilg",)),
    Check(("A1",), tree.check_tree, OF_FITS, reads=False),
    Check(("W1",), wcs.check_cards, wcs.KINDS, reads=False),
)
"""In the order in which they are made. F3 needs the name of the file, C11 and C13 other files (`associated`)."""


def is_jwst(path: str | Path) -> bool:
    """Whether a file is for these checks: FITS, or ECSV with what only products of JWST have.

    Parameters
    ----------
    path : str or Path
        The file; one that cannot be read is for others to refuse.

    Returns
    -------
    bool
    """
    try:
        with open(path, "rb") as file:
            head = file.read(9)
    except OSError:
        return False
    if not head.startswith(b"# %ECSV"):
        return head.startswith(b"SIMPLE  =")
    named = NAMED.match(os.path.basename(path)) is not None
    try:
        table = read_table(path, "ecsv")
    except InputError:
        return named
    names = {column.name for column in table.columns}
    light_curve = any(one.startswith(("aperture_sum", "net_aperture_sum", "whitelight_flux")) for one in names)
    return table.kind is None and (light_curve or bool(OF_CATALOGS & names) or (named and "label" in names))


def check_jwst(
    path: str | Path,
    name: str | Path,
    *,
    quick: bool = False,
    partner: str | Path | None = None,
    others: Sequence[str | Path] | None = None,
) -> Report:
    """Check one file.

    Parameters
    ----------
    path : str or Path
        A product of JWST.
    name : str or Path
        What it is called; "" if nobody knows.
    quick : bool
        Leave out what reads arrays or rows.
    partner, others
        As `rtools.products.check.check_file` takes them.

    Returns
    -------
    Report

    Raises
    ------
    InputError
        The file cannot be read, or is no product of JWST.
    UsageError
        A partner was given, and the file is neither a catalog nor a segmentation map.
    """
    product = open_jwst(path)
    report = Report(path, product.kind, product=product)
    told = product_layout(product.kind)
    if name:
        report.add("F3", header.check_name(product, str(name)))
    report.add("built-in", _references(product))
    for check in CHECKS:
        if (check.kinds and product.kind not in check.kinds) or (quick and check.reads):
            continue
        found = _findings(check, product, told, report)
        for one in check.ids:
            report.add(one, [finding for finding in found if finding.check == one])
    if not quick:
        _compare(report, product, name, partner, others)
    return report


def _findings(check, product, told, report):
    """What a check finds; data that cannot be read are a finding, too.

    Where extensions are not what the layout says, of which the checks before this have told, anything may go wrong.
    """
    try:
        return [one._replace(message=_of_one(one.message)) for one in check.function(product, told)]
    except InputError as problem:
        return [error(check.ids[0], "the file", problem.message)]
    except Exception as problem:  # anything may go wrong with what a file may say
        if not any(one.check in LAYOUT and one.severity != "info" for one in report.findings):
            return [failed_check(check.ids[0], problem)]
        return [info(check.ids[0], "the file", "not checked: its extensions are not those of its layout")]


def _of_one(message):
    """A message about a number of things, when that is 1."""
    found = ONE.match(message)
    if found is None:
        return message
    verb = {None: "", " have": " has"}.get(found["verb"], f"{found['verb']}s")
    return f"1 {found['noun']}{verb}{message[found.end() :]}".replace(" are ", " is ")


def _compare(report, product, name, partner, others):
    """C11 with the partner that was given, or the one beside the file; with others everything that belongs together."""
    if partner is not None:
        report.add("C11", check_pair(product, partner))
        return
    if not name:
        return
    if others is not None:
        for one, found in check_associated(product, name, others):
            report.add(one, found)
    elif (beside := partner_of(product, name)) is not None:
        report.add("C11", check_pair(product, beside))


def _references(product):
    """Whether the calibration is invented, which no later step mends."""
    try:
        types = built_in_types(product.meta, product.history)
    except InputError:  # a damaged tree is A1
        return []
    return [warning("built-in", "meta.ref_file", f"{NOT_FOR_SCIENCE}: {', '.join(types)}")] if types else []
