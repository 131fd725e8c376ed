"""Small mosaics of one sky in several filters, for the tests of the multiband catalog."""

import numpy as np

from rtools.catalog.psf.mosaic import mosaic_psf
from rtools.declare import Reference
from rtools.mosaic.grid.grid import centred_grid
from rtools.products.io import writer
from rtools.products.mosaic import metadata as mosaic_meta
from rtools.products.schema import nodes
from rtools.reference import find
from rtools.reference.epsf import from_reference
from rtools.simulate import render
from tests.support import samples

SHAPE = (280, 330)
SCALE = 0.055
SKY = (270.0, 66.0)
NOISE = {"F106": 0.010, "F158": 0.012, "F184": 0.020}
"""Read noise of a pixel, MJy/sr."""

PIXEL_SR = (np.radians(SCALE / 3600)) ** 2
NJY = PIXEL_SR * 1e15
"""nJy per MJy/sr in a pixel."""

GAIN = 60.0
"""Photons per nJy."""


def psf_of(element):
    """PSF per pixel of the mosaics."""
    meta = {
        "exposure": {"type": "WFI_IMAGE", "start_time": "2027-01-01T00:00:00.000"},
        "instrument": {"detector": "WFI02", "optical_element": element},
    }
    source = find.references(meta, (Reference("epsf"),), find.Config(builtin=True))["epsf"]
    return mosaic_psf(from_reference(source), SCALE)


def grid(shape=SHAPE, sky=SKY):
    """The grid of the mosaics."""
    return centred_grid(sky, SCALE / 3600, shape, angle=20.0)


def stars(count=24, *, shape=SHAPE, seed=3, flux=(300.0, 6000.0)):
    """x, y, flux in nJy of stars far from each other and from the border."""
    rng = np.random.default_rng(seed)
    side = int(np.ceil(np.sqrt(count)))
    places = np.stack(np.meshgrid(np.arange(side), np.arange(side))).reshape(2, -1)[:, :count]
    x, y = ((place + 0.5 + rng.uniform(-0.15, 0.15, count)) * (length - 50) / side + 25
            for place, length in zip(places, shape[::-1], strict=True))  # fmt: skip
    return x, y, np.exp(rng.uniform(*np.log(flux), count))


def image(element, sources, *, shape=SHAPE, seed=1, noise=True):
    """Planes of a mosaic of stars (x, y, flux in nJy), MJy/sr."""
    x, y, flux = sources
    light = np.zeros(shape, np.float32)
    render.add_stars(light, psf_of(element), x, y, np.asarray(flux, float))
    var_poisson = np.clip(light, 0, None) / GAIN / NJY**2
    var_rnoise = np.full(shape, NOISE[element] ** 2, np.float32)
    err = np.sqrt(var_rnoise + var_poisson)
    rng = np.random.default_rng([seed, int(element[1:])])
    data = light / NJY + 0.3 + (err * rng.standard_normal(shape) if noise else 0)
    return {
        "data": data.astype(np.float32),
        "err": err.astype(np.float32),
        "weight": (1 / var_rnoise).astype(np.float32),
        "context": np.ones((1, *shape), np.uint32),
        "var_poisson": var_poisson.astype(np.float32),
        "var_rnoise": var_rnoise,
        "var_sky": (np.ones(shape) * 1e-6).astype(np.float32),
    }


def write(path, element, arrays, *, sky=SKY):
    """Write a mosaic; its path."""
    shape = arrays["data"].shape
    member = samples.meta("l2_image") | {"filename": f"x_{element.lower()}_cal.asdf"}
    member["instrument"] = dict(member["instrument"]) | {"optical_element": element}
    member["exposure"] = dict(member["exposure"]) | {
        "start_time": nodes.time("2027-01-01T00:00:00.000"),
        "end_time": nodes.time(f"2027-01-01T00:{int(element[1:]) % 60:02d}:30.000"),
    }
    frame = grid(shape, sky)
    meta = mosaic_meta.mosaic_meta(
        [member],
        wcs=frame.wcs(),
        where=mosaic_meta.wcsinfo(frame.to_sky, frame.shape, reference=frame[1:]),
        resample={"good_bits": "~DO_NOT_USE", "pixel_scale_ratio": 0.5, "pixfrac": 1.0, "weight_type": "ivm",
                  "pixmap_stepsize": 64, "pixmap_order": 5},
        coverage={"exposure_time": 100.0 + int(element[1:]), "max_exposure_time": 2000.0},
        statistics={"image_median": 1.0, "image_rms": 0.1, "good_pixel_fraction": 1.0},
        filename=path.name,
    )  # fmt: skip
    writer.write_product(path, "l3_coadd", meta, arrays, history=samples.SIMULATED)
    return path
