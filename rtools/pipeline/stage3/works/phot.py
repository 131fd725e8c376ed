"""rt-phot on series of integrations: _calints and _crfints to _phot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.astrometry.positions import parse_pixel, parse_position
from rtools.errors import InputError, UsageError
from rtools.pipeline.stage3.series_files import ImageSeries, refuse_other_exposures, segments_in_order
from rtools.pipeline.stage3.target_light import columns_of_all, columns_of_target, find_target
from rtools.pipeline.stage3.work import ProductWork
from rtools.products.jwst import NewHdu, sky_of
from rtools.timeseries.photometry import TargetApertures
from rtools.timeseries.steps.phot import STEP
from rtools.wfi import metadata

if TYPE_CHECKING:
    from rtools.pipeline.stage3.making import ProductMaking
    from rtools.products.jwst import JwstProduct

__all__ = ["WORK"]

TOLD = {
    "instrument": "instrument.name",
    "detector": "instrument.detector",
    "channel": "instrument.channel",
    "subarray": "subarray.name",
    "filter": "instrument.filter",
    "pupil": "instrument.pupil",
    "target_name": "target.catalog_name",
}
"""What the table says of the exposure, and where that is said."""


def _make(making: ProductMaking) -> None:
    from astropy.table import Table

    products = segments_in_order(making.products)
    scale, unit = _scale(making, products[0])
    series = ImageSeries(products, scale)
    times = series.times()
    if (np.diff(times.numbers) > 1).any():
        making.log("warning", "a segment is missing: integrations are not all that the exposure had")
    options, apertures, total = making.options, _apertures(making.options), _is_defocused(products[0])
    places = find_target(series, _start(products[0], options), options, apertures.inner, making.work)
    columns: dict[str, Any] = {"MJD": times.middle, "BJD_TDB": times.middle_bjd}
    if total:
        columns |= columns_of_all(series, making.work)
    else:
        columns |= columns_of_target(series, places, apertures, making.work)
    columns |= {"aperture_x": places.x, "aperture_y": places.y} | _on_sky(making, products[0], places)
    if places.found is not None:
        columns |= {"centroid_x": places.found[:, 0], "centroid_y": places.found[:, 1]}
    if places.fits is not None:
        columns |= {
            "psf_width_x": places.fits.width_x,
            "psf_width_y": places.fits.width_y,
            "psf_flux": places.fits.flux,
        }
    meta = {key: metadata.get(products[0].meta, path) for key, path in TOLD.items()}
    meta["apertures"] = _in_words(apertures, total)
    making.write_new("phot", meta, [NewHdu("TABLE", Table(columns), units=_units(columns, unit))])


def _start(product, options):
    """Where the target is said to be, x and y in pixels from 0."""
    place = _said_place(product, options)
    height, width = product.arrays["data"].shape[-2:]
    if not (-0.5 <= place[0] < width - 0.5 and -0.5 <= place[1] < height - 0.5):
        raise InputError("the target is said to be outside of its images",
                         mend="--sky RA,DEC or --at X,Y says where it is", path=product.path)  # fmt: skip
    return place


def _said_place(product, options):
    if options["at"] is not None:
        return parse_pixel(options["at"])
    if options["sky"] is not None:
        x, y = sky_of(product).invert(*parse_position(options["sky"]), with_bounding_box=False)
        return float(x), float(y)
    told = [_number(product, f"wcsinfo.siaf_{axis}ref_sci") for axis in "xy"]
    if None in told:
        raise InputError("says no reference point of its aperture (XREF_SCI, YREF_SCI)",
                         mend="--sky RA,DEC or --at X,Y says where the target is", path=product.path)  # fmt: skip
    return told[0] - 1, told[1] - 1


def _number(product, path):
    """A finite number of the metadata; None where there is none."""
    value = metadata.get(product.meta, path)
    if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value):
        return None
    return float(value)


def _on_sky(making, product, places):
    names = ("aperture_ra_icrs", "aperture_dec_icrs")
    try:
        sky = sky_of(product)(places.x, places.y, with_bounding_box=False)
    except InputError as error:
        making.log("warning", f"no place on the sky: {error.args[0]}")
        sky = (np.full(len(places.x), np.nan),) * 2
    return dict(zip(names, map(np.asarray, sky), strict=True))


def _unit(product):
    return str(product.arrays["data"].unit or "").replace(" ", "")


def _scale(making, product):
    """What makes Jy, or electrons, of the data; and that unit."""
    unit = _unit(product)
    if unit == "MJy/sr":
        area = _number(product, "photometry.pixelarea_steradians")
        if area is None or area <= 0:
            raise InputError("says no area of a pixel (PIXAR_SR)", mend="rt-set writes it", path=product.path)
        return 1e6 * area, "Jy"
    if unit == "MJy":
        return 1e6, "Jy"
    if unit == "DN/s":
        gain, seconds = making.references["gain"], _number(product, "exposure.integration_time")
        if seconds is None or seconds <= 0:
            raise InputError("says no time of an integration (EFFINTTM)", path=product.path)
        if gain is None:
            making.log("warning", "no gain, so the light is in DN")
            return seconds, "DN"
        return gain.array("data").astype(np.float64) * seconds, "electron"
    making.log("warning", f"data in {unit or 'no unit'} stay in it")
    return 1.0, unit


def _uses(products: Sequence[JwstProduct], _options: Mapping[str, Any]) -> tuple:
    """The gain is needed where data are DN/s."""
    return STEP.references if _unit(products[0]) == "DN/s" else ()


def _is_defocused(product):
    """Whether a weak lens spreads the target over the whole of its small sub-array."""
    return (metadata.get(product.meta, "instrument.pupil"), metadata.get(product.meta, "subarray.name")) == (
        "WLP8", "SUB64P",
    )  # fmt: skip


def _apertures(options: Mapping[str, Any]) -> TargetApertures:
    try:
        inner, outer = (float(word) for word in str(options["annulus"]).replace(",", " ").split())
    except ValueError:
        inner = outer = np.nan
    if not 0 <= inner < outer < np.inf:
        raise UsageError(f"--annulus {options['annulus']}: two rising radii with a comma between expected")
    return TargetApertures(float(options["radius"]), inner, outer, options["annulus_stat"])


def _in_words(apertures, total):
    if total:
        return "Sum of all values of the sub-array. No background was subtracted."
    return (f"Circle of r={apertures.radius:g} pixels. Background: {apertures.statistic} of a ring with "
            f"r_inner={apertures.inner:g} and r_outer={apertures.outer:g} pixels.")  # fmt: skip


def _units(columns, unit):
    units = {"MJD": "d", "BJD_TDB": "d"}
    for name in columns:
        if name.startswith(("aperture_ra", "aperture_dec")):
            units[name] = "deg"
        elif name.endswith(("_x", "_y")):
            units[name] = "pix"
        elif name not in ("MJD", "BJD_TDB", "n_bad"):
            units[name] = unit
    return {name: one for name, one in units.items() if one}


def _foresee(_kind: str, products: Sequence[JwstProduct], options: Mapping[str, Any]) -> None:
    _apertures(options)
    for name in ("search", "fit"):
        if options[name] % 2 == 0:
            raise UsageError(f"--{name} {options[name]}: an odd number expected")
    if options["moving"] and not options["centroid"]:
        raise UsageError("--moving and --no-centroid do not go together")
    if options["at"] is not None and options["sky"] is not None:
        raise UsageError("--at and --sky do not go together", mend="give positions in one way")
    refuse_other_exposures(products)


def _check(products: Sequence[JwstProduct], options: Mapping[str, Any]) -> None:
    segments_in_order(products)
    _start(products[0], options)


def _idle(products: Sequence[JwstProduct], options: Mapping[str, Any]) -> dict[str, str]:
    """Options that do nothing for these files, and what is said of them."""
    told = {} if options["centroid"] else dict.fromkeys(("search", "fit"), "does nothing with --no-centroid")
    if _is_defocused(products[0]):
        told |= dict.fromkeys(("radius", "annulus", "annulus_stat"), "does nothing: the whole sub-array is summed")
    return told


WORK = ProductWork(
    step=STEP,
    takes=("calints", "crfints"),
    gives=lambda kind, options: ("phot",),
    make=_make,
    uses=_uses,
    segments=True,
    foresee=_foresee,
    check=_check,
    idle=_idle,
    copies=0.2,
)
