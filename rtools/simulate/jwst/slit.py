"""A star behind the slit of MIRI's low-resolution spectrometer: a calibrated image of its spectrum, with its gwcs.

All numbers are nominal, none is of a reference. The slit is along rows, 0.1109 arcsec a pixel; wavelengths fall along
columns from 14 to 5 micrometres, faster at the short end. The star is a power law with an absorption, spread across the
slit by a Gaussian of the width of diffraction; the sky grows with wavelength.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from rtools.jwst.dq import PIXEL_FLAGS
from rtools.products import names
from rtools.simulate.streams import generator
from rtools.wfi.times import mjd_of
from rtools.wfi.units import AB_ZERO_JY, DAY_S

__all__ = ["SLIT_TYPE", "SimulatedSlit", "SlitRequest", "simulate_slit", "slit_wcs"]

SLIT_TYPE = "MIR_LRS-FIXEDSLIT"

ROWS, COLUMNS = 388, 60
SCALE = 0.1109
"""arcsec along the slit in a pixel."""

TILT = 0.03
"""Rows by which a wavelength moves from a column to the next."""

LONGEST, SHORTEST, BEND = 14.0, 5.0, 1.25
"""Micrometres at the first and last row; exponent of the way between them."""

PIXEL_SR = float((SCALE / 3600 * np.pi / 180) ** 2)
MIRROR = 6.5
"""Metres."""

GAIN, NOISE, FRAME = 5.5, 35.0, 2.775
"""Electrons in a DN, electrons of a read, seconds of a frame."""

COUNTS = 0.4
"""DN/s in 1 MJy/sr."""

FLAT_ERROR, BAD = 0.002, 0.003
"""Relative error of the flat field, and share of bad pixels."""

MAGNITUDE = 12.0
GROUPS = 30


@dataclass(frozen=True)
class SlitRequest:
    """One spectrum to simulate.

    Attributes
    ----------
    root : str
        Name without suffix.
    identity : mapping of str to object
        Metadata that the name gives, dotted path to value.
    ra, dec, pa : float
        Of the middle of the slit, and of the slit, degrees.
    date : str
        Start, ISO, UTC.
    seed : int
        Of the noise.
    magnitude : float
        AB, at 5 micrometres.
    groups : int
        NGROUPS.
    offset : float
        Pixels from the middle of the slit to the star.
    """

    root: str
    identity: Mapping[str, Any]
    ra: float
    dec: float
    pa: float
    date: str
    seed: int = 0
    magnitude: float = MAGNITUDE
    groups: int = GROUPS
    offset: float = 0.0

    def as_parameters(self) -> dict[str, Any]:
        """The request as plain values, for the history."""
        kept = ("ra", "dec", "pa", "date", "seed", "magnitude", "groups", "offset")
        return {"exposure_type": SLIT_TYPE} | {key: getattr(self, key) for key in kept}


@dataclass(frozen=True)
class SimulatedSlit:
    """A simulated spectrum.

    Attributes
    ----------
    arrays : dict of str to ndarray
        By EXTNAME.
    meta, tree : dict
        Metadata, and further nodes.
    truth : dict of str to (ndarray, str or None)
        Columns of the true spectrum, a row for each of the image, and their units.
    """

    arrays: dict[str, np.ndarray]
    meta: dict[str, Any]
    tree: dict[str, Any]
    truth: dict[str, tuple[np.ndarray, str | None]]


def simulate_slit(request: SlitRequest) -> SimulatedSlit:
    """Simulate a spectrum.

    Parameters
    ----------
    request : SlitRequest
        What is simulated.

    Returns
    -------
    SimulatedSlit
    """
    rows, columns = np.mgrid[:ROWS, :COLUMNS].astype(np.float64)
    middle = (COLUMNS - 1) / 2
    wavelength = _wavelength(rows + TILT * (columns - middle))
    light = _flux(wavelength, request.magnitude) * _share(columns - middle - request.offset, wavelength)
    truth = light / (PIXEL_SR * 1e6) + _sky(wavelength)
    arrays = _observed(truth, request)
    arrays["WAVELENGTH"] = wavelength.astype(np.float32)
    along = _wavelength(np.arange(ROWS) + TILT * request.offset)
    told: dict[str, tuple[np.ndarray, str | None]] = {
        "wavelength": (along, "um"),
        "flux": (_flux(along, request.magnitude), "Jy"),
        "sky": (_sky(along), "MJy/sr"),
        "x": (np.full(ROWS, middle + request.offset), "pixel"),
    }
    return SimulatedSlit(arrays, _metadata(request), {"meta": {"wcs": slit_wcs(request)}}, told)


def _wavelength(row):
    """Micrometres of a row."""
    way = np.clip(row / (ROWS - 1), -0.1, 1.1)
    return LONGEST + (SHORTEST - LONGEST) * np.sign(way) * np.abs(way) ** BEND


def _flux(wavelength, magnitude):
    """Jy: a power law as of warm stars, and an absorption of silicates."""
    level = AB_ZERO_JY * 10 ** (-0.4 * magnitude) * (wavelength / SHORTEST) ** -1.5
    return level * (1 - 0.3 * np.exp(-(((wavelength - 9.7) / 0.8) ** 2) / 2))


def _sky(wavelength):
    """MJy/sr: zodiacal light, and the telescope at long wavelengths."""
    return 5 + 40 * (wavelength / LONGEST) ** 4


def _share(away, wavelength):
    """Share of the light that falls on each pixel of a row."""
    from scipy.special import erf

    width = 0.42 * np.rad2deg(wavelength * 1e-6 / MIRROR) * 3600 / SCALE * np.sqrt(2)
    return (erf((away + 0.5) / width) - erf((away - 0.5) / width)) / 2


def _observed(truth, request):
    """The image with noise, as a straight line through the groups of a ramp leaves it, in MJy/sr."""
    rng, n = generator("jwst slit", request.seed, request.root), request.groups
    poisson = truth * COUNTS / (FRAME * GAIN * (n - 1)) / COUNTS**2
    rnoise = np.full(truth.shape, 12 * (NOISE / FRAME) ** 2 / ((n**3 - n) * GAIN**2) / COUNTS**2)
    flat = (FLAT_ERROR * truth) ** 2
    total = poisson + rnoise + flat
    bad = rng.random(truth.shape) < BAD
    images = {
        "SCI": truth + np.sqrt(total) * rng.standard_normal(truth.shape),
        "ERR": np.sqrt(total),
        "DQ": np.where(bad, np.uint32(PIXEL_FLAGS["DO_NOT_USE"] | PIXEL_FLAGS["HOT"]), np.uint32(0)),
        "VAR_POISSON": poisson,
        "VAR_RNOISE": rnoise,
        "VAR_FLAT": flat,
    }
    return {
        name: image if name == "DQ" else np.where(bad, np.nan, image).astype(np.float32)
        for name, image in images.items()
    }


def slit_wcs(request: SlitRequest) -> Any:
    """The gwcs: x, y to right ascension, declination and wavelength, with its inverse.

    Parameters
    ----------
    request : SlitRequest
        Where the slit lies.

    Returns
    -------
    gwcs.WCS
    """
    from astropy import coordinates, units
    from astropy.modeling import models
    from gwcs import WCS, coordinate_frames

    middle, turn = (COLUMNS - 1) / 2, np.deg2rad(request.pa)
    steps = SCALE / 3600 * np.sin(turn), SCALE / 3600 * np.cos(turn)
    grid = np.arange(-20, ROWS + 20, dtype=np.float64)
    options = {"bounds_error": False, "fill_value": None}
    table = models.Tabular1D(points=grid, lookup_table=_wavelength(grid), **options)
    back = models.Tabular1D(points=_wavelength(grid)[::-1].copy(), lookup_table=grid[::-1].copy(), **options)
    line = models.Polynomial2D(1, c0_0=-TILT * middle, c1_0=TILT, c0_1=1)
    lines = [models.Linear1D(step, -step * middle) for step in steps]
    slit = models.Mapping((0, 0, 0, 1)) | lines[0] & lines[1] & line | models.Identity(2) & table
    faster = int(abs(steps[1]) > abs(steps[0]))
    undo = models.Polynomial2D(1, c0_0=TILT * middle, c1_0=-TILT, c0_1=1)
    slit.inverse = (
        models.Mapping((faster, 2), n_inputs=3)
        | lines[faster].inverse & back
        | models.Mapping((0, 0, 1))
        | models.Identity(1) & undo
    )
    sky = models.Pix2Sky_TAN() | models.RotateNative2Celestial(request.ra, request.dec, 180.0)
    detector = coordinate_frames.Frame2D(name="detector", axes_order=(0, 1), unit=(units.pix, units.pix))
    celestial = coordinate_frames.CelestialFrame(name="sky", axes_order=(0, 1), reference_frame=coordinates.ICRS())
    spectral = coordinate_frames.SpectralFrame(name="spectral", axes_order=(2,), unit=(units.um,))
    world = coordinate_frames.CompositeFrame([celestial, spectral], name="world")
    made = WCS([(detector, slit | sky & models.Identity(1)), (world, None)])
    made.bounding_box = ((-0.5, COLUMNS - 0.5), (-0.5, ROWS - 0.5))
    return made


def _metadata(request):
    """What the file says of itself."""
    parsed = names.parse(f"{request.root}_cal.fits", forms=("name",), mission="jwst")
    start, seconds = mjd_of(request.date), FRAME * request.groups
    end = start + seconds / DAY_S
    date, _, clock = request.date.partition("T")
    done = ("assign_wcs", "dq_init", "flat_field", "photom", "ramp_fit", "jump", "dark_sub", "linearity", "saturation")
    return {
        "observation": {
            "date": date, "time": clock or "00:00:00", "program_number": parsed.program,
            "observation_number": parsed.observation, "visit_number": parsed.visit, "visit_group": parsed.visit_group,
            "sequence_id": parsed.parallel_seq, "activity_id": parsed.activity,
            "exposure_number": str(int(parsed.exposure)),
        },
        "program": {"title": "Simulated exposure", "pi_name": "UNKNOWN", "category": "CAL"},
        "target": {"ra": request.ra, "dec": request.dec, "catalog_name": "SIMULATED", "source_type": "POINT"},
        "instrument": {"name": "MIRI", "detector": "MIRIMAGE", "filter": "P750L"},
        "exposure": {
            "type": SLIT_TYPE, "readpatt": "FASTR1", "nints": 1, "ngroups": request.groups, "nframes": 1, "groupgap": 0,
            "frame_time": FRAME, "group_time": FRAME, "integration_time": seconds, "exposure_time": seconds,
            "measurement_time": seconds, "integration_start": 1, "integration_end": 1, "start_time": start,
            "mid_time": (start + end) / 2, "end_time": end,
        },
        "subarray": {
            "name": "GENERIC", "xstart": 1, "ystart": 1, "xsize": COLUMNS, "ysize": ROWS, "fastaxis": 1, "slowaxis": 2,
        },
        "cal_step": dict.fromkeys(done, "COMPLETE"),
        "bunit_data": "MJy/sr", "bunit_err": "MJy/sr",
        "photometry": {"conversion_megajanskys": 1 / COUNTS, "pixelarea_steradians": PIXEL_SR,
                       "pixelarea_arcsecsq": SCALE**2},
        "wcsinfo": {"dispersion_direction": 2, "ra_ref": request.ra, "dec_ref": request.dec, "roll_ref": request.pa},
    }  # fmt: skip
