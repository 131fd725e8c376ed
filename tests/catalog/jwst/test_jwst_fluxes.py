"""Fluxes and places of stars in the catalog of a mosaic of JWST, against what was simulated."""

import numpy as np
import pytest
from astropy.table import Table, vstack
from scipy.spatial import cKDTree

from rtools.wfi.units import NJY_MAGNITUDE
from tests.support.runs import done

PLACES = ("80.0,-69.5", "80.0002,-69.5001", "80.0001,-69.5002", "80.0003,-69.5")
PIXEL = 0.0310
"""Arcsec."""

ALONE = 25
"""Pixels: within so many, an isolated star has no neighbours with more than 0.3 % of its light."""


def plane(ra, dec):
    """Positions in pixels on the tangent plane, near enough for a field of a minute of arc."""
    return np.stack([(ra - 80) * np.cos(np.deg2rad(69.5)), dec + 69.5], axis=1) * 3600 / PIXEL


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """Relative error of the flux, S/N and error of the place (pixels) of each isolated star."""
    folder = tmp_path_factory.mktemp("fluxes")
    roots = [folder / f"jw01234001001_02101_{number:05d}_nrca1" for number in range(1, 5)]
    for root, place in zip(roots, PLACES, strict=True):
        ra, dec = place.split(",")
        done("sim", f"{root}_cal.fits", "--crowded", "30000", "--ngroups", "6", "--ra", ra, "--dec", dec)
    cals = [f"{root}_cal.fits" for root in roots]
    done("run", *cals, "--mosaic", "-o", folder / "t_i2d.fits", "--set", "catalog.npixels=5", "-j", "2")
    truth = vstack([Table.read(f"{root}_truth.ecsv") for root in roots], metadata_conflicts="silent")
    _, first = np.unique(np.round([truth["ra"], truth["dec"]], 9), axis=1, return_index=True)
    truth, found = truth[first], Table.read(folder / "t_cat.ecsv")
    light = 10 ** (-0.4 * (np.asarray(truth["magnitude"]) - NJY_MAGNITUDE)) * 1e-9
    true = plane(np.asarray(truth["ra"]), np.asarray(truth["dec"]))
    place = plane(found["sky_centroid"].ra.deg, found["sky_centroid"].dec.deg)
    tree = cKDTree(true)
    away, index = tree.query(place)
    near = [[other for other in tree.query_ball_point(place[n], ALONE) if other != index[n]] for n in range(len(place))]
    alone = np.array([light[others].sum() < 0.003 * light[index[n]] for n, others in enumerate(near)]) & (away < 1)
    flux, err = np.asarray(found["aper_total_flux"]), np.asarray(found["aper_total_flux_err"])
    return (flux / light[index] - 1)[alone], (flux / err)[alone], (place - true[index])[alone]


@pytest.mark.long
@pytest.mark.parametrize("between", [(20, 50), (50, 400)])
def test_fluxes_of_isolated_stars_are_those_that_were_put_in(measured, between):
    """Their median is within 0.5 %, where it is known to 0.25 %; above S/N 400 stars are near saturation."""
    off, signal, _away = measured
    some = off[(signal > between[0]) & (signal < between[1])]
    assert len(some) > 50
    assert abs(np.median(some)) < 0.005


@pytest.mark.long
def test_isolated_stars_are_where_they_were_put(measured):
    _off, signal, away = measured
    bright = away[(signal > 50) & (signal < 400)]
    assert np.abs(bright.mean(axis=0)).max() < 0.02 and np.median(np.hypot(*bright.T)) < 0.05
