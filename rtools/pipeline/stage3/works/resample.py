"""rt-resample on images of spectra: _cal and _crf of slits to one _s2d."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.declare import ProductStep
from rtools.errors import InputError
from rtools.jwst.dq import PIXEL_FLAGS
from rtools.mosaic.arrays import drizzle_images
from rtools.mosaic.drizzle.options import FILL, GOOD_BITS, GOOD_OF_JWST, KERNEL, PIXFRAC, PLANES, WEIGHT
from rtools.mosaic.grid.pixmap import exact_map
from rtools.mosaic.options import parse_resample
from rtools.mosaic.steps.resample import STEP as OF_IMAGES
from rtools.pipeline.mosaic.i2d_metadata import table_of_headers
from rtools.pipeline.stage3.making import exposed_together, passed_on, refuse_other
from rtools.pipeline.stage3.slit_images import frame_of, is_spectral, place_slit, refuse_no_slits, same_slits
from rtools.pipeline.stage3.slits import Slit
from rtools.pipeline.stage3.work import ProductWork
from rtools.products.jwst import NewHdu
from rtools.spectra.rectified import SlitFrame
from rtools.wfi.sphere import s_region

if TYPE_CHECKING:
    from rtools.pipeline.stage3.making import ProductMaking
    from rtools.products.jwst import JwstProduct

__all__ = ["WORK"]

STEP = ProductStep(
    name=OF_IMAGES.name,
    cal_step=OF_IMAGES.cal_step,
    suffix="s2d",
    summary=OF_IMAGES.summary,
    description=OF_IMAGES.description,
    options=(KERNEL, PIXFRAC, WEIGHT, replace(GOOD_BITS, default=GOOD_OF_JWST[1], elsewhere=()), FILL),
    repeatable=True,
)
"""The step on images, with those of its options that spectra have; the tool is one for both."""

VARIANCES = ("var_rnoise", "var_poisson", "var_flat")
IMAGES = {"data": "SCI", "err": "ERR", "weight": "WHT"} | {name: name.upper() for name in VARIANCES}
"""Planes of a mosaic, and their HDUs."""

SLICED = "its slices are not one slit: rt-cube build makes a cube of them"
NOT_OFFERED = {
    "MIR_MRS": SLICED,
    "NRS_IFU": SLICED,
    "NIS_SOSS": "its orders are curved and overlap: no rectified image is made of them",
}
"""Exposure types whose images are no slits."""

PASSED = ("SLTNAME", "SOURCEID", "SRCNAME", "SRCALIAS", "SRCTYPE", "SRCXPOS", "SRCYPOS", "SRCRA", "SRCDEC", "STLARITY",
          "SPORDER", "DISPAXIS", "PHOTMJSR", "PIXAR_SR", "PIXAR_A2", "VPARITY", "V3I_YANG", "ROLL_REF")  # fmt: skip
"""Keywords of a slit that its rectified image has, too."""


def _make(making: ProductMaking) -> None:
    products = making.products
    sets = same_slits(products)
    hdus: list[NewHdu] = []
    frames = []
    for version, same in enumerate(sets, 1):
        frame, made = _rectified(making, same, version, f"wavelength_{version}" if len(sets) > 1 else "wavelength")
        hdus += made
        frames.append(frame)
    hdus.append(_wavelength_table(hdus, frames))
    if len(products) > 1:
        hdus.append(NewHdu("HDRTAB", table_of_headers(products)))
    told = passed_on(products[0], "wcs", "wcsinfo", resample="COMPLETE")
    if len(sets) > 1:
        told = {key: value for key, value in told.items() if key not in ("photometry", "bunit_data", "bunit_err")}
        tree: dict[str, Any] = {"slits": [{"meta": {"wcs": frame.wcs()}} for frame in frames]}
    else:
        tree = {"meta": {"wcs": frames[0].wcs()}}
    model = "MultiSlitModel" if len(sets) > 1 else "SlitModel"
    making.write_new("s2d", told | _of_all(making) | {"model_type": model}, hdus, tree=tree)


def _wavelength_table(hdus: Sequence[NewHdu], frames: Sequence[SlitFrame]) -> NewHdu:
    """The table that keywords of the images refer to: one row, a column of wavelengths for each slit."""
    from astropy.table import Table

    names = [hdu.cards[f"PS{frame.dispersion}_1"] for hdu, frame in
             zip((one for one in hdus if one.name == "SCI"), frames, strict=True)]  # fmt: skip
    columns = {name: frame.wavelength[None, :, None] for name, frame in zip(names, frames, strict=True)}
    return NewHdu("WCS-TABLE", Table(columns), units=dict.fromkeys(columns, "um"))


def _rectified(
    making: ProductMaking, slits: Sequence[Slit], version: int, column: str
) -> tuple[SlitFrame, list[NewHdu]]:
    """One slit of all exposures on one frame; its keywords refer to a column of wavelengths."""
    unit, places = slits[0].scale().unit, [place_slit(slit) for slit in slits]
    frame, options = frame_of(places), _options(making.options)
    images = [place.image() for place in places]
    planes = drizzle_images(images, frame, options, making.work, ratio=1.0, mapped=exact_map)  # type: ignore[arg-type]
    rows, columns = np.mgrid[: frame.shape[0], : frame.shape[1]]
    wavelength = np.asarray(frame.to_world(columns, rows)[2], np.float32)
    corners = np.stack(frame.to_world(*_corners(frame.shape))[:2], axis=1)
    cards = {key: slits[0].told(key) for key in PASSED} | {"S_REGION": s_region(corners)}
    cards = {key: value for key, value in cards.items() if value is not None} | frame.cards("WCS-TABLE", column)
    made = [
        NewHdu(name, np.asarray(planes[plane], np.float32), version, cards=cards if name == "SCI" else {},
               unit=unit if name in ("SCI", "ERR") else None)
        for plane, name in IMAGES.items()
    ]  # fmt: skip
    context = np.ascontiguousarray(planes["context"]).view(np.int32)
    return frame, [*made, NewHdu("CON", context, version), NewHdu("WAVELENGTH", wavelength, version)]


def _corners(shape):
    rows, columns = shape
    return np.array([0, columns - 1, columns - 1, 0]), np.array([0, 0, rows - 1, rows - 1])


def _options(options: Mapping[str, Any]):
    named = dict(options) | {"var_flat": True, "dq": False, "planes": ",".join(n for n in PLANES if n != "var_sky")}
    return parse_resample(named | {"weight_type": _weight(options)}, PIXEL_FLAGS)


def _weight(options):
    return "ivm" if options["weight_type"] == "auto" else options["weight_type"]


def _of_all(making):
    """Times of all exposures together, and how they were resampled."""
    products, options = making.products, making.options
    resample = {"pointings": len(products), "weight_type": _weight(options), "pixfrac": float(options["pixfrac"]),
                "pixel_scale_ratio": 1.0, "kernel": options["kernel"], "fillval": str(options["fillval"])}  # fmt: skip
    return {"exposure": exposed_together(products), "resample": resample}


def _foresee(_kind: str, products: Sequence[JwstProduct], options: Mapping[str, Any]) -> None:
    _options(options)
    refuse_other(products, "instrument.name", "exposure.type")
    for product in products:
        if why := NOT_OFFERED.get(str(product.value("EXP_TYPE") or "").upper()):
            raise InputError(why, path=product.path)


def _check(products: Sequence[JwstProduct], options: Mapping[str, Any]) -> None:
    refuse_other(products, "bunit_data")
    for product in products:
        refuse_no_slits(product)


WORK = ProductWork(
    step=STEP,
    takes=("cal", "crf"),
    gives=lambda kind, options: ("s2d",),
    make=_make,
    foresee=_foresee,
    check=_check,
    of=is_spectral,
    together=True,
    copies=4.0,
)
