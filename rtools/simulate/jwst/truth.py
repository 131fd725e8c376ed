"""What is true of a simulated exposure of JWST, as tables: sources, the light curve of the target, visibilities."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.jwst.instrument import bandpass
from rtools.jwst.pupil import mask_centres, non_redundant_mask
from rtools.simulate.light import describe
from rtools.wfi.units import AB_ZERO_NJY, ARCSEC

if TYPE_CHECKING:
    from rtools.simulate.jwst.exposure import JwstScene

__all__ = ["Columns", "light_curve", "source_columns", "visibilities"]

Columns = dict[str, tuple[np.ndarray, str | None]]
"""Columns of a table and their units."""

MICRON = 1e-6


def source_columns(scene: JwstScene) -> Columns:
    """Sources whose light may fall on what is read, as in Roman's truth; the target and its companion first.

    Parameters
    ----------
    scene : rtools.simulate.jwst.exposure.JwstScene
        From `set_up`.

    Returns
    -------
    Columns
        Empty without a sky. Rates are those of all light, before the flat.
    """
    light = scene.light
    if light.found is None:
        return {}
    columns = describe(light.found, light.psf.peak)
    if light.target is None:
        return columns
    own = _of_target(scene, columns)
    return {name: (np.concatenate([own[name], values]), unit) for name, (values, unit) in columns.items()}


def _of_target(scene, columns):
    """Columns of the target and its companions: stars of flat spectra."""
    target, plane = scene.light.target, scene.view.plane
    dx, dy, share = np.array([(0.0, 0.0, 1.0), *target.others]).T
    x, y, rate = target.x + dx, target.y + dy, target.rate * share
    ra, dec = plane.attitude.to_sky(*plane.transform(x, y))
    magnitude = target.magnitude - 2.5 * np.log10(share)
    own: dict[str, Any] = {"ra": ra, "dec": dec, "x": x, "y": y, "magnitude": magnitude, "rate": rate}
    own["type"] = np.array(["target", *["companion"] * len(target.others)])
    own["flux"] = AB_ZERO_NJY * 10 ** (-0.4 * magnitude)
    own["peak_rate"] = rate * scene.light.psf.peak
    usual = {"axis_ratio": 1.0, "temperature": np.nan}
    return {name: own.get(name, np.full(len(x), usual.get(name, 0.0))) for name in columns}


def light_curve(scene: JwstScene) -> Columns:
    """The target in each integration.

    Parameters
    ----------
    scene : rtools.simulate.jwst.exposure.JwstScene
        With a target.

    Returns
    -------
    Columns
        Times of the middle (MJD in UTC, and at the barycentre in TDB), place in pixels, light in units of that outside
        of the transit, and DN/s of all its light.
    """
    target = scene.light.target
    if target is None:
        raise ValueError("there is no target")
    numbers = range(scene.request.integrations)
    curve = np.array([scene.light.curve(number) for number in numbers])
    x, y = np.array([scene.light.place(number) for number in numbers]).T
    rows = scene.int_times
    return {
        "integration": (rows["integration_number"], None),
        "mjd_utc": (rows["int_mid_MJD_UTC"], "d"),
        "bjd_tdb": (rows["int_mid_BJD_TDB"], "d"),
        "x": (x, "pixel"),
        "y": (y, "pixel"),
        "relative_flux": (curve, None),
        "rate": (target.rate * curve, "DN / s"),
    }


def visibilities(scene: JwstScene) -> Columns:
    """Visibilities of the target with its companion on the baselines of the mask, at the filter's pivot wavelength.

    A companion of contrast c at Δ gives V = (1 + c exp(-2πi b·Δ/λ)) / (1 + c) on the baseline b; the sign is that
    of OIFITS.

    Parameters
    ----------
    scene : rtools.simulate.jwst.exposure.JwstScene
        Of NIRISS with its mask.

    Returns
    -------
    Columns
        Holes by their number from 1 and the names of their segments; the baseline along x and y of the detector, m;
        amplitude, and phase in degrees.
    """
    target, request = scene.light.target, scene.request
    wave = bandpass(request.detector, request.element).pivot_um * MICRON
    holes, names = mask_centres(), non_redundant_mask().names
    pairs = np.array(list(combinations(range(len(names)), 2)))
    base = holes[pairs[:, 0]] - holes[pairs[:, 1]]
    pixel = non_redundant_mask().pixel_arcsec * ARCSEC
    total, light = np.ones(len(pairs), complex), 1.0
    for dx, dy, share in target.others if target is not None else ():
        total += share * np.exp(-2j * np.pi * (base @ (np.array([dx, dy]) * pixel)) / wave)
        light += share
    value = total / light
    return {
        "hole_1": (pairs[:, 0] + 1, None),
        "hole_2": (pairs[:, 1] + 1, None),
        "name_1": (np.array(names)[pairs[:, 0]], None),
        "name_2": (np.array(names)[pairs[:, 1]], None),
        "x": (base[:, 0], "m"),
        "y": (base[:, 1], "m"),
        "visamp": (np.abs(value), None),
        "visphi": (np.rad2deg(np.angle(value)), "deg"),
    }
