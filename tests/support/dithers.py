"""What the tests of mosaics share: small dithered exposures of a made-up sky, with sky steps and cosmic rays."""

import numpy as np

from rtools.astrometry.wcs import Pointing, build_wcs
from rtools.products.io import open_product, writer
from rtools.products.schema import nodes
from rtools.products.schema.blocks import initial_cal_step
from rtools.wfi.distortion import distortion
from rtools.wfi.instrument import WFI_CEN
from tests.support.samples import SIMULATED, START
from tests.support.samples import arrays as sample_arrays
from tests.support.samples import meta as sample_meta

SIZE = 200
FACTOR = 0.5
"""MJy/sr per DN/s."""

SKY = 0.4
"""DN/s of all exposures; each has its own step besides."""

STEPS = (0.0, 0.05, 0.02, -0.03)
DITHERS = ((0.0, 0.0), (3.3, 1.4), (-2.2, 4.1), (1.7, -3.6))
"""Arcsec."""

READ, GAIN_TIME = 0.01, 1 / 140
"""Standard deviation of the read noise, DN/s; Poisson variance per DN/s."""

SPREAD = 1.6e-5
"""Standard deviation of a star, degrees: half a pixel."""


def place(number, detector="WFI01"):
    """WCS and pointing of an exposure."""
    east, north = DITHERS[number % len(DITHERS)]
    pointing = Pointing(
        *WFI_CEN, 270.0 + east / 3600 / np.cos(np.deg2rad(66)), 66.0 + north / 3600, 60.0 + 0.1 * number
    )
    return build_wcs(distortion(detector), pointing, 1.0, (SIZE, SIZE)), pointing


def stars(count=40, seed=8):
    """Right ascension, declination and brightness (DN/s in the peak pixel, about) of stars in the first exposure."""
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(10, SIZE - 10, (2, count))
    return *place(0)[0](x, y, with_bounding_box=False), rng.uniform(1, 30, count)


def truth(wcs):
    """Brightness of every pixel without noise, DN/s."""
    y, x = np.mgrid[:SIZE, :SIZE].astype(float)
    ra, dec = wcs(x, y, with_bounding_box=False)
    image = np.full((SIZE, SIZE), SKY)
    for star_ra, star_dec, peak in zip(*stars(), strict=True):
        apart = ((ra - star_ra) * np.cos(np.deg2rad(star_dec))) ** 2 + (dec - star_dec) ** 2
        image += peak * np.exp(-apart / (2 * (2 * SPREAD) ** 2))
    return image


def rays(number, count=30):
    """Pixels (y, x) of an exposure that cosmic rays have hit."""
    return np.random.default_rng(100 + number).integers(20, SIZE - 20, (2, count))


def exposure(path, number, *, detector="WFI01", profile="2.1.0", hit=True, noise=True, change=(), drop=()):
    """Write an exposure; `change` are keys of its metadata and their values, `drop` arrays that it lacks."""
    wcs, pointing = place(number, detector)
    rng = np.random.default_rng(number)
    clean = truth(wcs) + STEPS[number % len(STEPS)]
    var_poisson = clean * GAIN_TIME / 140
    data = clean + (rng.normal(size=clean.shape) * np.sqrt(READ**2 + var_poisson) if noise else 0)
    if hit:
        data[tuple(rays(number))] += 20
    dq = np.zeros(data.shape, np.uint32)
    dq[rng.random(dq.shape) < 0.01] = 1
    dq[rng.random(dq.shape) < 0.01] = 4
    data[dq == 1] = 1e4
    small = sample_arrays("l2_image", profile)
    planes = {"data": data, "err": np.sqrt(READ**2 + var_poisson), "dq": dq, "var_poisson": var_poisson,
              "var_rnoise": np.full(data.shape, READ**2), "var_flat": np.full(data.shape, 1e-6)}  # fmt: skip
    arrays = {name: np.zeros(data.shape, np.float32) if name in ("chisq", "dumo") else small[name] for name in small}
    arrays |= {name: plane if name == "dq" else plane.astype(np.float32) for name, plane in planes.items()}
    meta = _meta(number, detector, pointing, profile) | {"wcs": wcs}
    for key, value in dict(change).items():
        block, _, field = key.partition(".")
        meta[block] = dict(meta.get(block, {})) | {field: value}
    kept = {name: array for name, array in arrays.items() if name not in drop}
    writer.write_product(path, "l2_image", meta, kept, profile=profile, compression="lz4", history=SIMULATED)
    return path


def _meta(number, detector, pointing, profile):
    meta = sample_meta("l2_image", profile)
    meta["instrument"] = dict(meta["instrument"]) | {"detector": detector, "optical_element": "F158"}
    start = f"{START[:14]}{number:02d}:00.000"
    meta["exposure"] = dict(meta["exposure"]) | {"type": "WFI_IMAGE", "exposure_time": 140.0}
    meta["exposure"] |= {"effective_exposure_time": 140.0, "start_time": nodes.time(start)}
    meta["exposure"]["end_time"] = nodes.time(start.replace(":00.000", ":30.000"))
    meta["observation"] = dict(meta["observation"]) | {"observation_id": f"exposure{number}", "exposure": number}
    meta["photometry"] = dict(meta["photometry"]) | {"conversion_megajanskys": FACTOR, "pixel_area": 2.84e-13}
    where = {"ra_ref": float(pointing.ra_ref), "dec_ref": pointing.dec_ref, "roll_ref": pointing.roll_ref}
    meta["wcsinfo"] = dict(meta["wcsinfo"]) | where | {"vparity": -1, "v3yangle": -60.0}
    meta["background"] = {"level": None, "method": "None", "subtracted": False}
    meta["cal_step"] = dict.fromkeys(initial_cal_step(), "COMPLETE")
    meta["cal_step"] |= dict.fromkeys(("flux", "skymatch", "outlier_detection"), "INCOMPLETE")
    meta["cal_logs"] = [f"log of {number}"]
    return meta


def exposures(directory, count=4, **settings):
    """So many exposures of one visit; their paths."""
    return [exposure(directory / f"r0000101001001001001_{number + 1:04d}_wfi01_f158_cal.asdf", number, **settings)
            for number in range(count)]  # fmt: skip


def planes(path, *names):
    """Arrays of a product by name; all of them by default."""
    with open_product(path) as product:
        return {name: np.array(product.array(name)) for name in names or product.arrays}


def same(first, second):
    """Names of arrays that two products do not have alike, to the bit."""
    one, two = planes(first), planes(second)
    return [name for name in one.keys() | two.keys()
            if name not in one or name not in two or one[name].tobytes() != two[name].tobytes()]  # fmt: skip
