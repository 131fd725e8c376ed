"""Times at the barycentre: the delay of light, and what astropy says for a place that it knows."""

import numpy as np
import pytest

from rtools.wfi.barycentre import Ephemeris, barycentric_mjd, light_delay
from rtools.wfi.units import AU_KM, DAY_S, LIGHT_KM_S


def test_light_needs_eight_minutes_from_the_earth_to_the_barycentre():
    assert light_delay([AU_KM, 0, 0], 0.0, 0.0) == pytest.approx(499.005, abs=1e-3)
    assert light_delay([AU_KM, 0, 0], 180.0, 0.0) == pytest.approx(-499.005, abs=1e-3)
    assert light_delay([[0, 0, LIGHT_KM_S], [LIGHT_KM_S, 0, 0]], 90.0, 90.0) == pytest.approx([1.0, 0.0])


def test_times_are_those_of_astropy_for_the_centre_of_the_earth():
    import erfa
    from astropy import units
    from astropy.coordinates import EarthLocation, SkyCoord
    from astropy.time import Time

    begin = Time(58200.25, format="mjd", scale="utc")  # the rotation of the Earth is known
    times = begin.mjd + np.linspace(0, 1800, 4) / DAY_S
    place = EarthLocation.from_geocentric(0, 0, 0, unit=units.m)
    there = Time(times, format="mjd", scale="utc", location=place)
    star = SkyCoord(266.4, -28.9, unit="deg")
    truth = (there.tdb + there.light_travel_time(star, "barycentric", ephemeris="builtin")).mjd
    position, velocity = erfa.epv00(begin.tdb.jd1, begin.tdb.jd2)[1]
    earth = Ephemeris(begin.mjd, tuple(position * AU_KM), tuple(velocity * AU_KM / DAY_S))
    found = barycentric_mjd(times, 266.4, -28.9, earth)
    assert (found - truth) * DAY_S == pytest.approx(np.zeros(4), abs=1e-4)
    still = barycentric_mjd(times, 266.4, -28.9, earth._replace(velocity=(0.0, 0.0, 0.0)))
    assert abs(still - truth)[-1] * DAY_S > 1e-3
