"""Tables of OIFITS files of JWST: made of observables, and read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from rtools.interferometry.binary import Fringes
from rtools.interferometry.observables import Observables
from rtools.interferometry.stations import PAIRS, QUADS, STATIONS, TRIANGLES, baselines_of
from rtools.products.jwst import JwstProduct, NewHdu
from rtools.wfi import metadata
from rtools.wfi.units import DEGREE_ARCSEC

__all__ = ["Q4_UNITS", "Observed", "fringes_in", "tables_of"]

Q4_UNITS = {
    "TIME": "s", "MJD": "d", "INT_TIME": "s", "Q4PHI": "deg", "Q4PHIERR": "deg",
    **{f"{axis}{number}COORD": "m" for number in "1234" for axis in "UV"},
}  # fmt: skip
"""Units of OI_Q4, a table that the layouts do not have."""


class Observed(NamedTuple):
    """What tables say beside the observables.

    Attributes
    ----------
    centres : ndarray (7, 2)
        Holes on the sky, m: CTRS_EQT.
    designed : ndarray (7, 2)
        As designed on the detector, m: x along columns, y along rows.
    diameter : float
        Of a hole, m.
    radius : float
        Of the field that was fitted, arcsec.
    mjd : float
        Middle of the exposure.
    seconds : float
        What the observables were integrated over.
    wave, band : float
        Effective wavelength and width, m.
    """

    centres: np.ndarray
    designed: np.ndarray
    diameter: float
    radius: float
    mjd: float
    seconds: float
    wave: float
    band: float


def tables_of(found: Observables, seen: Observed, meta: Mapping[str, Any]) -> list[NewHdu]:
    """The tables of an OIFITS file.

    Parameters
    ----------
    found : Observables
        Of the mean, or with an axis of integrations.
    seen : Observed
        Geometry, time and wavelength.
    meta : mapping
        Metadata of the exposure; the target is taken from it.

    Returns
    -------
    list of rtools.products.jwst.NewHdu
        OI_ARRAY, OI_TARGET, OI_T3, OI_VIS, OI_VIS2, OI_Q4, OI_WAVELENGTH.
    """
    pairs, triangles, quads = (baselines_of(seen.centres, groups) for groups in (PAIRS, TRIANGLES, QUADS))
    uv = {"UCOORD": pairs[:, 1], "VCOORD": pairs[:, 0]}
    vis = {"VISAMP": found.visamp, "VISAMPERR": found.visamp_err, "VISPHI": found.visphi, "VISPHIERR": found.visphi_err}
    vis2 = {"VIS2DATA": found.vis2, "VIS2ERR": found.vis2_err}
    t3 = {"T3AMP": found.t3amp, "T3AMPERR": found.t3amp_err, "T3PHI": found.t3phi, "T3PHIERR": found.t3phi_err}
    q4 = {"Q4AMP": found.q4amp, "Q4AMPERR": found.q4amp_err, "Q4PHI": found.q4phi, "Q4PHIERR": found.q4phi_err}
    fourth = -(quads[:, 1] + quads[:, 2])
    sides = np.concatenate([quads, fourth[:, None]], axis=1)
    wave = np.array([(seen.wave, seen.band)], [("EFF_WAVE", "f4"), ("EFF_BAND", "f4")])
    return [
        NewHdu("OI_ARRAY", _array(found, seen)),
        NewHdu("OI_TARGET", _target(meta)),
        NewHdu("OI_T3", _rows(t3, _steps(triangles), TRIANGLES, seen)),
        NewHdu("OI_VIS", _rows(vis, uv, PAIRS, seen)),
        NewHdu("OI_VIS2", _rows(vis2, uv, PAIRS, seen)),
        NewHdu("OI_Q4", _rows(q4, _steps(sides), QUADS, seen), units=Q4_UNITS),
        NewHdu("OI_WAVELENGTH", wave),
    ]


def _steps(steps):
    """U1COORD, V1COORD, U2COORD …: u from the second coordinate of the centres, v from the first."""
    return {f"{axis}{number + 1}COORD": steps[:, number, at] for number in range(steps.shape[1])
            for axis, at in (("U", 1), ("V", 0))}  # fmt: skip


def _structured(columns: Mapping[str, Any]) -> np.ndarray:
    arrays = {name: np.asarray(values) for name, values in columns.items()}
    kind = [(name, values.dtype, values.shape[1:]) for name, values in arrays.items()]
    table = np.zeros(len(next(iter(arrays.values()))), kind)
    for name, values in arrays.items():
        table[name] = values
    return table


def _rows(values, places, groups, seen):
    count = len(groups)
    known = np.isfinite(next(iter(values.values())))
    common = {"TARGET_ID": np.ones(count, "i2"), "TIME": np.zeros(count), "MJD": np.full(count, seen.mjd),
              "INT_TIME": np.full(count, seen.seconds)}  # fmt: skip
    flag = ~known.reshape(count, -1).any(axis=1)
    return _structured(common | dict(values) | places | {"STA_INDEX": (groups + 1).astype("i2"), "FLAG": flag})


def _array(found, seen):
    names = np.array([f"A{number}" for number in range(1, STATIONS + 1)], "S16")
    x, y = seen.designed.T
    return _structured(
        {
            "TEL_NAME": names,
            "STA_NAME": names,
            "STA_INDEX": np.arange(1, STATIONS + 1, dtype="i2"),
            "DIAMETER": np.full(STATIONS, seen.diameter, "f4"),
            "STAXYZ": np.stack([-y, -x, np.zeros(STATIONS)], axis=1),
            "FOV": np.full(STATIONS, seen.radius),
            "FOVTYPE": np.full(STATIONS, b"RADIUS", "S6"),
            "CTRS_EQT": seen.centres,
            "PISTONS": found.piston,
            "PIST_ERR": found.piston_err,
        }
    )


def _target(meta):
    """The target: angles in degrees, proper motions in degrees per year, as the standard has them."""
    told = {name: metadata.get(meta, f"target.{name}") for name in (
        "catalog_name", "proposer_name", "ra", "dec", "ra_uncertainty", "dec_uncertainty", "proper_motion_ra",
        "proper_motion_dec")}  # fmt: skip
    name = told["catalog_name"] if str(told["catalog_name"] or "UNKNOWN") != "UNKNOWN" else told["proposer_name"]
    degrees = {key: np.array([np.nan if told[key] is None else float(told[key])]) for key in ("ra", "dec")}
    small = {key: np.array([float(told[key] or 0.0) / DEGREE_ARCSEC]) for key in (
        "ra_uncertainty", "dec_uncertainty", "proper_motion_ra", "proper_motion_dec")}  # fmt: skip
    nothing = np.zeros(1)
    return _structured(
        {
            "TARGET_ID": np.ones(1, "i2"),
            "TARGET": np.array([str(name or "UNKNOWN").encode("ascii", "replace")[:16]], "S16"),
            "RAEP0": degrees["ra"],
            "DECEP0": degrees["dec"],
            "EQUINOX": np.full(1, 2000, "f4"),
            "RA_ERR": small["ra_uncertainty"],
            "DEC_ERR": small["dec_uncertainty"],
            "SYSVEL": nothing,
            "VELTYP": np.array([b"UNKNOWN"], "S8"),
            "VELDEF": np.array([b"OPTICAL"], "S8"),
            "PMRA": small["proper_motion_ra"],
            "PMDEC": small["proper_motion_dec"],
            "PMRA_ERR": nothing,
            "PMDEC_ERR": nothing,
            "PARALLAX": np.zeros(1, "f4"),
            "PARA_ERR": np.zeros(1, "f4"),
            "SPECTYP": np.array([b"UNKNOWN"], "S16"),
        }
    )


def fringes_in(product: JwstProduct) -> Fringes:
    """What a fit of a companion takes of an OIFITS file.

    Parameters
    ----------
    product : JwstProduct
        ``ami-oi`` or ``aminorm-oi``.

    Returns
    -------
    Fringes
        Without rows that are flagged, or have no error.
    """
    pairs, triangles = (product.table(name) for name in ("OI_VIS2", "OI_T3"))
    vis2, error, u, v = _good(pairs, "VIS2DATA", "VIS2ERR", "UCOORD", "VCOORD")
    phase, phase_err, *sides = _good(triangles, "T3PHI", "T3PHIERR", "U1COORD", "V1COORD", "U2COORD", "V2COORD")
    wave = float(product.table("OI_WAVELENGTH")["EFF_WAVE"][0])
    diameter = float(product.table("OI_ARRAY")["DIAMETER"][0])
    return Fringes(u, v, vis2, error, np.stack(sides, axis=1), phase, phase_err, wave, diameter)


def _good(table, value, error, *others):
    """Columns of the rows that are not flagged and have a value and an error."""
    columns = [np.asarray(table[name], float) for name in (value, error, *others)]
    good = ~np.asarray(table["FLAG"], bool) & np.isfinite(columns[0]) & (columns[1] > 0)
    return [column[good] for column in columns]
