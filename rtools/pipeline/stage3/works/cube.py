"""rt-cube build on files: _cal and _crf of integral fields to _s3d."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.errors import UsageError
from rtools.jwst.instrument import cube_facts
from rtools.pipeline.stage3.cube_files import cloud_of, joined
from rtools.pipeline.stage3.cube_meta import cube_hdus, cube_meta, grid_like, gwcs_of, instrument_of
from rtools.pipeline.stage3.making import exposed_together, passed_on, refuse_other
from rtools.pipeline.stage3.work import ProductWork
from rtools.spectra.cube_building import CubeGrid, PixelCloud, PointReach, build_cube, choose_grid, pixel_sides
from rtools.spectra.steps.cube import STEP
from rtools.wfi.sphere import distance_and_angle

if TYPE_CHECKING:
    from rtools.pipeline.stage3.making import ProductMaking
    from rtools.products.jwst import JwstProduct

__all__ = ["WORK"]

NO_PIXELS = PixelCloud(*([np.zeros(0)] * 3), *([np.zeros((0, 4))] * 2), *([np.zeros(0)] * 3))

SAME = ("instrument.name", "exposure.type")
POINTING = ("wcsinfo.ra_ref", "wcsinfo.dec_ref", "wcsinfo.roll_ref")


def _make(making: ProductMaking) -> None:
    options, first = making.options, making.products[0]
    channel = _channel(first, options)
    low, high = _wave(options["wave"])
    clouds = [cloud_of(product, options["map"], channel) for product in making.products]
    if channel is not None and len(_channels(first)) == 2:  # before any wavelengths are left out
        cloud = _of_channel(joined(clouds, -np.inf, np.inf), upper=channel == _channels(first)[1])
        clouds = [cloud]
    cloud = joined(clouds, low, high)
    del clouds
    spaxel, step = _sides(making, cloud, channel)
    grid = choose_grid(cloud, spaxel, step, _angle(options["rotate"], cloud))
    if options["like"] is not None:
        grid = grid_like(options["like"], grid)
    cube = build_cube(cloud, grid, _reach(options, grid), making.work)
    meta = passed_on(first, "wcs", "wcsinfo", cube_build="COMPLETE") | cube_meta(first, grid, options)
    meta["exposure"] = exposed_together(making.products)
    meta["instrument"] = dict(meta.get("instrument") or {}) | instrument_of(making.products, channel or "")
    unit = first.arrays["data"].unit
    making.write_new("s3d", meta, cube_hdus(cube, grid, unit), tree={"meta": {"wcs": gwcs_of(grid)}})


def _channels(product: JwstProduct) -> str:
    """Channels of MIRI's spectrometer on the detector, shorter wavelengths first; empty for another instrument."""
    told = str((product.meta.get("instrument") or {}).get("channel") or "")
    return "".join(sorted(told)) if told.isdecimal() else ""


def _channel(product, options):
    known, asked = _channels(product), options["channel"]
    if not known:
        if asked is not None:
            raise UsageError(f"--channel {asked}: {product.path} has no channels")
        return None
    if asked is None and len(known) == 1:
        return known
    if asked is None or asked not in known:
        raise UsageError(f"{product.path} has the channels {' and '.join(known)}", mend="--channel says which")
    return asked


def _sides(making, cloud, channel):
    """Side of a spaxel and step of the planes: as asked for, as the mission's cubes have them, else as the pixels."""
    options = making.options
    facts = cube_facts(channel) if channel else pixel_sides(cloud)
    spaxel, step = options["spaxel"] or facts.spaxel, options["step"] or facts.step
    if not channel and not (options["step"] and (options["spaxel"] or options["like"])):
        making.log("info", f"voxels of {spaxel:g} arcsec and {step:g} um, as the pixels are")
    return float(spaxel), float(step)


def _wave(word: str | None) -> tuple[float, float]:
    if word is None:
        return -np.inf, np.inf
    try:
        low, high = (float(part) if part else sign * np.inf
                     for part, sign in zip(word.split(":"), (-1, 1), strict=True))  # fmt: skip
    except ValueError:
        low, high = 1.0, 0.0
    if not low < high:
        raise UsageError(f"--wave {word}: LO:HI expected, micrometres")
    return low, high


def _of_channel(cloud: PixelCloud, *, upper: bool) -> PixelCloud:
    """Pixels of one of two channels: between these no light falls, so the largest gap in wavelength parts them."""
    waves = np.sort(cloud.wavelength)
    gap = int(np.argmax(np.diff(waves))) if len(waves) > 1 else 0
    parting = (waves[gap] + waves[min(gap + 1, len(waves) - 1)]) / 2
    return joined([cloud], *((parting, np.inf) if upper else (-np.inf, parting)))


def _angle(word: str, cloud: PixelCloud) -> float:
    """Position angle of upward, degrees."""
    if word == "north":
        return 0.0
    if word == "ifu":
        _distance, angles = distance_and_angle(
            (cloud.corner_ra[:, 0], cloud.corner_dec[:, 0]), (cloud.corner_ra[:, 3], cloud.corner_dec[:, 3])
        )
        return float(np.rad2deg(np.angle(np.exp(1j * angles).mean())))
    try:
        turned = float(word)
    except ValueError:
        turned = np.nan
    if not np.isfinite(turned):
        raise UsageError(f"--rotate {word}: north, ifu or a position angle expected")
    return turned


def _reach(options, grid: CubeGrid) -> PointReach | None:
    if options["method"] == "drizzle":
        return None
    return PointReach(
        options["rois"] or 2 * grid.spaxel, options["roiw"] or 2 * grid.step, options["scale"] or grid.spaxel
    )


def _foresee(_kind: str, products: Sequence[JwstProduct], options: Mapping[str, Any]) -> None:
    refuse_other(products, *SAME, *(("instrument.detector",) if _channels(products[0]) else ()))
    _channel(products[0], options)
    _wave(options["wave"])
    if options["rotate"] != "ifu":
        _angle(options["rotate"], NO_PIXELS)
    for name in ("rois", "roiw", "scale"):
        if options[name] is not None and options["method"] != "emsm":
            raise UsageError(f"--{name} goes with --method emsm")


def _check(products: Sequence[JwstProduct], options: Mapping[str, Any]) -> None:
    refuse_other(products, "bunit_data")
    if options["map"] is not None:
        refuse_other(products, *POINTING)  # one map has the places of one pointing


def _idle(_products: Sequence[JwstProduct], options: Mapping[str, Any]) -> dict[str, str]:
    """Options that do nothing beside others, and what is said of them."""
    return (
        dict.fromkeys(("spaxel", "rotate"), "does nothing with --like, whose spaxels are taken")
        if options["like"]
        else {}
    )


WORK = ProductWork(
    step=STEP,
    takes=("cal", "crf"),
    gives=lambda kind, options: ("s3d",),
    make=_make,
    foresee=_foresee,
    check=_check,
    idle=_idle,
    together=True,
    copies=24,
)
