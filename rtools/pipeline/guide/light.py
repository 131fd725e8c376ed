"""Light curves of guide stars as tables, in barycentric time where a science file gives the ephemeris."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rtools.errors import InputError
from rtools.guide import LightCurve, LightScatter, bin_light, light_spectrum, make_light_curve, measure_scatter
from rtools.pipeline.guide.columns import LIGHT_CURVE, PERIODOGRAM, make_table
from rtools.pipeline.guide.measure import Measured
from rtools.pipeline.guide.request import GuideRequest
from rtools.pipeline.guide.tables import about
from rtools.products.io import open_product
from rtools.wfi import metadata
from rtools.wfi.barycentre import Ephemeris, barycentric_mjd
from rtools.wfi.guide import DROPPED_BY_PHOTOMETRY
from rtools.wfi.times import JD_OF_MJD_0
from rtools.wfi.units import DAY_S

if TYPE_CHECKING:
    from astropy.table import Table

    from rtools.products.guide import Guide

__all__ = ["Light", "light_of", "light_table", "periodogram_table", "read_ephemeris"]


class Light(NamedTuple):
    """The light of a guide star.

    Attributes
    ----------
    curve : rtools.guide.LightCurve
        Of all pairs.
    scatter : rtools.guide.LightScatter
        Found and expected, of pairs or of bins.
    bins : rtools.guide.LightBins or None
        Where bins are wanted.
    cycle_s : float
        Seconds from a pair to the next.
    """

    curve: LightCurve
    scatter: LightScatter
    bins: Any
    cycle_s: float


def light_of(measured: Measured, request: GuideRequest, seconds: float | None) -> Light:
    """The light of the star in every pair, or in bins.

    Parameters
    ----------
    measured : Measured
        Of a stage.
    request : GuideRequest
        Which flags keep a pair out.
    seconds : float or None
        Length of a bin.

    Returns
    -------
    Light

    Raises
    ------
    InputError
        The exposure time of a pair is not known.
    """
    stage, pairs, found = measured.stage, measured.pairs, measured.centroids
    if stage.exptime is None and len(pairs):
        raise InputError("the file does not say the exposure time of a pair", path=stage.product.path)
    curve = make_light_curve(
        stage.t[pairs],
        found.flux,
        found.flux_err,
        exptime_s=np.nan if stage.exptime is None else stage.exptime,
        exposure=stage.exposure[pairs].astype(np.int64),
        use=measured.use,
        dropped=request.dropped(DROPPED_BY_PHOTOMETRY),
    )
    if seconds is None:
        return Light(curve, measure_scatter(curve.flux[curve.used], curve.flux_err[curve.used]), None, stage.cycle_s)
    bins = bin_light(curve, seconds, cycle_s=stage.cycle_s)
    return Light(curve, measure_scatter(bins.flux, bins.flux_err), bins, stage.cycle_s)


def light_table(
    guide: Guide, measured: Measured, light: Light, request: GuideRequest, ephemeris: Ephemeris | None
) -> Table:
    """Flux against time.

    Parameters
    ----------
    guide : rtools.products.guide.Guide
        The file.
    measured : Measured
        Of its tracking.
    light : Light
        The star's.
    request : GuideRequest
        How it was measured.
    ephemeris : rtools.wfi.barycentre.Ephemeris or None
        Of the telescope, where barycentric times are wanted.

    Returns
    -------
    astropy.table.Table
        Columns as `columns.LIGHT_CURVE`.

    Raises
    ------
    InputError
        Barycentric times are wanted, and the file does not say where the star is on the sky.
    """
    curve, bins = light.curve, light.bins
    if bins is None:
        values: dict[str, Any] = {"pair": measured.pairs, "exposure": curve.exposure, "t": curve.t, "flux": curve.flux,
                  "flux_err": curve.flux_err, "use": curve.use}  # fmt: skip
    else:
        values = {"exposure": bins.exposure, "t": bins.t, "flux": bins.flux, "flux_err": bins.flux_err,
                  "pairs": bins.pairs, "use": np.zeros(len(bins.t), int)}  # fmt: skip
    values["mjd"] = guide.t_start_mjd + values["t"] / DAY_S
    said = about(guide, request) | {"found_ppm": light.scatter.found_ppm, "expected_ppm": light.scatter.expected_ppm}
    if ephemeris is not None:
        ra, dec = (metadata.get(guide.meta, f"guide_star.predicted_{axis}") for axis in ("ra", "dec"))
        if not all(isinstance(angle, int | float) and abs(angle) <= 360 for angle in (ra, dec)):
            raise InputError("the file does not say where the star is on the sky", path=guide.path)
        values["bjd_tdb"] = barycentric_mjd(values["mjd"], float(ra), float(dec), ephemeris) + JD_OF_MJD_0
    return make_table(LIGHT_CURVE, values, said)


def periodogram_table(guide: Guide, light: Light, request: GuideRequest) -> Table:
    """Variance of the light by frequency.

    Parameters
    ----------
    guide : rtools.products.guide.Guide
        The file.
    light : Light
        The star's.
    request : GuideRequest
        How it was measured.

    Returns
    -------
    astropy.table.Table
        Columns as `columns.PERIODOGRAM`.
    """
    spectrum = light_spectrum(light.curve, cycle_s=light.cycle_s)
    values = {"frequency": spectrum.frequency, "power": spectrum.power, "floor": spectrum.floor}
    return make_table(PERIODOGRAM, values, about(guide, request))


def read_ephemeris(path: str) -> Ephemeris:
    """The ephemeris of the telescope that a science file has.

    Parameters
    ----------
    path : str
        The file.

    Returns
    -------
    rtools.wfi.barycentre.Ephemeris

    Raises
    ------
    InputError
        It cannot be read, or has none.
    """
    with open_product(path) as product:
        meta = product.meta
    keys = ["time", *(f"{what}_{axis}" for what in ("spatial", "velocity") for axis in "xyz")]
    values = [metadata.usable(meta, f"ephemeris.{key}") for key in keys]
    if any(value is None for value in values):
        raise InputError("no ephemeris", mend="a science file of the same time has one", path=path)
    time, x, y, z, vx, vy, vz = map(float, values)
    return Ephemeris(time, (x, y, z), (vx, vy, vz))
