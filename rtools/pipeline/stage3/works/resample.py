"""rt-resample on images of spectra: _cal and _crf of slits to one _s2d."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.declare import ProductStep
from rtools.errors import InputError
from rtools.jwst.dq import PIXEL_FLAGS
from rtools.mosaic.arrays import MosaicImage, drizzle_images
from rtools.mosaic.drizzle.options import FILL, GOOD_BITS, GOOD_OF_JWST, KERNEL, PIXFRAC, PLANES, WEIGHT
from rtools.mosaic.grid.pixmap import exact_map
from rtools.mosaic.options import parse_resample
from rtools.mosaic.steps.resample import STEP as OF_IMAGES
from rtools.pipeline.mosaic.i2d_metadata import table_of_headers
from rtools.pipeline.stage3.making import exposed_together, passed_on, refuse_other
from rtools.pipeline.stage3.slits import Slit, slits_of
from rtools.pipeline.stage3.work import ProductWork
from rtools.products.jwst import NewHdu
from rtools.spectra.rectified import SlitCoordinates, SlitFrame, slit_frame
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

FALLING = ("MIR_LRS-FIXEDSLIT",)
"""Exposure types whose wavelengths fall along the axis, as on the detector."""

PASSED = ("SLTNAME", "SOURCEID", "SRCNAME", "SRCALIAS", "SRCTYPE", "SRCXPOS", "SRCYPOS", "SRCRA", "SRCDEC", "STLARITY",
          "SPORDER", "DISPAXIS", "PHOTMJSR", "PIXAR_SR", "PIXAR_A2", "VPARITY", "V3I_YANG", "ROLL_REF")  # fmt: skip
"""Keywords of a slit that its rectified image has, too."""


def _make(making: ProductMaking) -> None:
    products = making.products
    members = [slits_of(product) for product in products]
    sets: dict[tuple[Any, ...], list[Slit]] = {}
    for slits in members:
        for slit in slits:
            sets.setdefault(_key(slit), []).append(slit)
    hdus: list[NewHdu] = []
    frames = []
    for version, same in enumerate(sets.values(), 1):
        frame, made = _rectified(making, same, version)
        hdus += made
        frames.append(frame)
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


def _key(slit: Slit) -> tuple[Any, ...]:
    return slit.told("SOURCEID"), slit.told("SLTNAME"), slit.order


def _rectified(making: ProductMaking, slits: Sequence[Slit], version: int) -> tuple[SlitFrame, list[NewHdu]]:
    """One slit of all exposures on one frame."""
    dispersion, unit = slits[0].dispersion(), slits[0].scale().unit
    places = [_coordinates(slit) for slit in slits]
    falling = slits[0].exposure_type in FALLING
    frame = slit_frame([coordinates for _cut, coordinates in places], dispersion, falling=falling)
    options = _options(making.options)
    images = [_image(slit, cut, coordinates) for slit, (cut, coordinates) in zip(slits, places, strict=True)]
    planes = drizzle_images(images, frame, options, making.work, ratio=1.0, mapped=exact_map)  # type: ignore[arg-type]
    rows, columns = np.mgrid[: frame.shape[0], : frame.shape[1]]
    wavelength = np.asarray(frame.to_world(columns, rows)[2], np.float32)
    corners = np.stack(frame.to_world(*_corners(frame.shape))[:2], axis=1)
    cards = {key: slits[0].told(key) for key in PASSED} | {"S_REGION": s_region(corners)}
    cards = {key: value for key, value in cards.items() if value is not None}
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


def _coordinates(slit: Slit) -> tuple[tuple[slice, slice], SlitCoordinates]:
    """The part of an image that has coordinates, and these."""
    rows, columns = np.mgrid[: slit.shape[-2], : slit.shape[-1]].astype(np.float64)
    found = slit.wcs(columns, rows)
    if not isinstance(found, tuple | list) or len(found) != 3:
        raise InputError("its gwcs gives no wavelengths", path=slit.product.path)
    whole = [np.asarray(part, np.float64) for part in found]
    known = np.isfinite(whole[0] + whole[1] + whole[2])
    if not known.any():
        raise InputError("no pixel has coordinates", path=slit.product.path)
    at = np.nonzero(known)
    cut = _reach(at[0]), _reach(at[1])
    return cut, SlitCoordinates(*(np.where(known, part, np.nan)[cut] for part in whole))


def _reach(numbers: np.ndarray) -> slice:
    """From the lowest to the highest."""
    return slice(int(numbers.min()), int(numbers.max()) + 1)


def _image(slit: Slit, cut: tuple[slice, slice], coordinates: SlitCoordinates) -> MosaicImage:
    """The part of an image that is on the slit; pixels without coordinates are not to be used."""
    first = cut[1].start, cut[0].start

    def place(x, y):
        return slit.wcs(x + first[0], y + first[1], with_bounding_box=False)

    def read(name):
        if slit.version not in slit.product.versions(name):
            return None
        return slit.product.pixels(name, slit.version, cut)

    flags = read("DQ")
    flags = np.zeros(coordinates.ra.shape, np.uint32) if flags is None else flags.copy()
    flags[np.isnan(coordinates.ra)] |= np.uint32(PIXEL_FLAGS["DO_NOT_USE"])
    time = slit.product.value("TMEASURE") or slit.product.value("EFFEXPTM") or 1.0
    return MosaicImage(read("SCI"), place, read("ERR"), flags, read("VAR_RNOISE"), read("VAR_POISSON"),
                       read("VAR_FLAT"), float(time))  # fmt: skip


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


def _refuse_twins(product: JwstProduct) -> None:
    """Slits of one file are told from each other: those of several exposures are found by their names."""
    names = [_key(slit) for slit in slits_of(product)]
    if len(set(names)) < len(names):
        raise InputError("two of its slits have the same name, source and order (SLTNAME, SOURCEID, SPORDER)",
                         path=product.path)  # fmt: skip


def _is_spectral(product: JwstProduct) -> bool:
    """Whether an image is one of spectra: it says along which axis the wavelength changes, or has wavelengths."""
    first = product.versions("SCI")[:1]
    return "WAVELENGTH" in {hdu.name for hdu in product.hdus} or any(
        Slit(product, version).told("DISPAXIS") in (1, 2) for version in first
    )


def _check(products: Sequence[JwstProduct], options: Mapping[str, Any]) -> None:
    _options(options)
    refuse_other(products, "instrument.name", "exposure.type", "bunit_data")
    for product in products:
        if why := NOT_OFFERED.get(str(product.value("EXP_TYPE") or "").upper()):
            raise InputError(why, path=product.path)
        _refuse_twins(product)
        for slit in slits_of(product):
            slit.dispersion()
            slit.refuse_incomplete()
            if not product.tree.get("meta", {}).get("wcs") and not product.tree.get("slits"):
                raise slit.refusal_without_wcs()


WORK = ProductWork(
    step=STEP,
    takes=("cal", "crf"),
    gives=lambda kind, options: ("s2d",),
    make=_make,
    check=_check,
    of=_is_spectral,
    together=True,
    copies=4.0,
)
