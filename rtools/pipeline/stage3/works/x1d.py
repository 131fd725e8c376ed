"""rt-x1d on files: _cal, _crf, _s2d and _s3d to _x1d, _calints and _crfints to _x1dints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.errors import InputError, UsageError
from rtools.pipeline.stage3.apertures import numbers_of, polynomials_of
from rtools.pipeline.stage3.extraction import cube_table, series_table, slit_table, source_type
from rtools.pipeline.stage3.making import passed_on, refuse_other
from rtools.pipeline.stage3.series_files import refuse_other_exposures
from rtools.pipeline.stage3.slits import slits_of
from rtools.pipeline.stage3.work import MissingInput, ProductWork
from rtools.products.jwst import NewHdu, first_integration
from rtools.spectra.steps.x1d import STEP

if TYPE_CHECKING:
    from rtools.pipeline.stage3.making import ProductMaking
    from rtools.products.jwst import JwstProduct

__all__ = ["WORK", "refuse_impossible"]

SERIES = ("calints", "crfints")

NOT_OFFERED = {"NIS_SOSS": "its orders overlap, and telling them apart (ATOCA) is not offered"}
"""Exposure types of which no box gives the spectrum."""

SLICED = ("MIR_MRS", "NRS_IFU")
"""Exposure types of integral fields: their spectra are those of cubes."""

OF_SLITS = ("xstart", "xstop", "ystart", "ystop", "extract_width", "src_coeff", "bkg_coeff", "independent_var",
            "bkg_fit", "bkg_order", "smoothing_length", "position_offset", "dispaxis", "fill")  # fmt: skip
OF_CUBES = ("source_type", "center", "radius", "annulus", "sigma_clip")
OF_POINTS = ("center", "radius", "annulus")
"""Options that say something of one kind of source alone."""


def _gives(kind: str, _options: Mapping[str, Any]) -> tuple[str, ...]:
    return ("x1dints",) if kind in SERIES else ("x1d",)


def _make(making: ProductMaking) -> None:
    product = min(making.products, key=first_integration)
    told = passed_on(product, "wcs", "wcsinfo", "bunit_data", "bunit_err", "photometry", extract_1d="COMPLETE")
    if product.kind == "s3d":
        making.write_new("x1d", told | {"model_type": _model(product)}, [cube_table(making, product)])
        return
    if making.references["extract1d"] is None and _is_bare(making.options):
        making.log("warning", "no reference of type extract1d and no aperture by options: whole slits are summed, "
                              "without a background")  # fmt: skip
    if product.kind in SERIES:
        _make_series(making, told)
        return
    tables: list[NewHdu] = []
    for slit in slits_of(product):
        table = slit_table(making, slit, len(tables) + 1)
        tables += [] if table is None else [table]
    _refuse_nothing(tables, product)
    making.write_new("x1d", told | {"model_type": "MultiSpecModel"}, tables)


def _make_series(making, told):
    """Segments one after the other, in the order of their integrations."""
    products = sorted(making.products, key=first_integration)
    slits = [slits_of(product) for product in products]
    tables: list[NewHdu] = []
    for same in zip(*slits, strict=True):
        table = series_table(making, same, len(tables) + 1)
        tables += [] if table is None else [table]
    _refuse_nothing(tables, products[0])
    exposure = dict(told.get("exposure") or {})
    exposure["integration_end"] = first_integration(products[-1]) + slits[-1][0].integrations - 1
    if len(products) > 1:
        exposure.pop("segment_number", None)
    times = _int_times(products)
    making.write_new("x1dints", told | {"exposure": exposure}, [*tables, *times])


def _int_times(products):
    """INT_TIMES of all segments."""
    from astropy.table import vstack

    found = [product.table("INT_TIMES") for product in products
             if "INT_TIMES" in product.tables and product.tables["INT_TIMES"].rows]  # fmt: skip
    if not found:
        return []
    table = vstack(found, metadata_conflicts="silent") if len(found) > 1 else found[0]
    _numbers, first = np.unique(np.asarray(table["integration_number"]), return_index=True)  # each may have them all
    return [NewHdu("INT_TIMES", table[np.sort(first)])]


def _model(product):
    return "MRSMultiSpecModel" if str(product.value("INSTRUME")).upper() == "MIRI" else "MultiSpecModel"


def _is_bare(options):
    return all(options[name] is None for name in ("xstart", "xstop", "ystart", "ystop", "extract_width", "src_coeff"))


def _refuse_nothing(tables, product):
    if not tables:
        raise InputError("no slit has a spectrum to extract", path=product.path)


def _foresee(made_of: str, products: Sequence[JwstProduct], options: Mapping[str, Any]) -> None:
    for name in ("src_coeff", "bkg_coeff"):
        if options[name]:
            polynomials_of(name.replace("_", "-"), options[name])
    for name in ("center", "annulus"):
        if options[name]:
            numbers_of(name, options[name], 2)
    refuse_impossible(options)
    for product in products:
        kind = str(product.value("EXP_TYPE") or "").upper()
        if kind in NOT_OFFERED:
            raise InputError(f"{kind}: {NOT_OFFERED[kind]}", path=product.path)
        if made_of != "s3d" and kind in SLICED:
            raise InputError(f"{kind}: its slices are not one slit; rt-cube build makes a cube, of which there are "
                             "spectra", path=product.path)  # fmt: skip
    if len(products) > 1:
        _refuse_no_series(made_of, products[0])
        refuse_other_exposures(products)


def _lacks(
    kind: str, products: Sequence[JwstProduct], options: Mapping[str, Any], references: Mapping[str, Any]
) -> MissingInput | None:
    """The radius of a point source in a cube, which has the type that the first exposure says."""
    if kind != "s3d" or options["radius"] is not None or references["extract1d"] is not None:
        return None
    if source_type(products[0], options) != "POINT":
        return None
    return MissingInput("its source is a point, which needs a radius", "extract1d", "radius R")


def _check(products: Sequence[JwstProduct], options: Mapping[str, Any]) -> None:
    for product in products:
        if product.kind != "s3d":
            for slit in slits_of(product):
                slit.refuse_incomplete()
    if len(products) > 1:
        _refuse_no_segments(products)


def refuse_impossible(options):
    """Numbers that can be nothing."""
    width, axis, least = (options[name] for name in ("extract_width", "dispaxis", "min_coverage"))
    if width is not None and width <= 0:
        raise UsageError(f"--extract-width {width:g}: more than 0 expected")
    if axis not in (None, 1, 2):
        raise UsageError(f"--dispaxis {axis}: 1 or 2 expected")
    if least > 1:
        raise UsageError(f"--min-coverage {least:g}: a share from 0 to 1 expected")
    if options["radius"] is not None and options["radius"] <= 0:
        raise UsageError(f"--radius {options['radius']:g}: more than 0 expected")


def _idle(products: Sequence[JwstProduct], options: Mapping[str, Any]) -> dict[str, str]:
    """Options that do nothing for these files, and what is said of them."""
    if any(product.kind != "s3d" for product in products):
        return dict.fromkeys(OF_CUBES, "is about cubes, and this is none")
    told = dict.fromkeys(OF_SLITS, "is about slits, and this is a cube")
    if all(source_type(product, options) != "POINT" for product in products):
        told |= dict.fromkeys(OF_POINTS, "is about point sources, and this one is extended; --source-type POINT says "
                              "otherwise")  # fmt: skip
    return told


def _refuse_no_series(kind, product):
    if kind not in SERIES:
        raise UsageError("-o names one product, and only segments of a time series are joined to one",
                         path=product.path)  # fmt: skip


def _refuse_no_segments(products):
    """Files that are joined are segments of one exposure, each integration in one of them."""
    for product in products:
        _refuse_no_series(product.kind, product)
    refuse_other(products, "bunit_data")
    shapes = [[slit.shape[-2:] for slit in slits_of(product)] for product in products]
    for product, found in zip(products, shapes, strict=True):
        if found != shapes[0]:
            raise InputError(
                f"its slits have other numbers or shapes than those of {products[0].path}", path=product.path
            )
    ends = 0
    for product in sorted(products, key=first_integration):
        if first_integration(product) <= ends:
            raise InputError(f"integration {first_integration(product)} is in two files", path=product.path)
        ends = first_integration(product) + slits_of(product)[0].integrations - 1


WORK = ProductWork(
    step=STEP,
    takes=("cal", "crf", "s2d", "calints", "crfints", "s3d"),
    gives=_gives,
    make=_make,
    foresee=_foresee,
    lacks=_lacks,
    check=_check,
    idle=_idle,
    segments=True,
    copies=0.5,
)
