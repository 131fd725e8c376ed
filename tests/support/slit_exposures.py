"""Dithered exposures of a slit with a known spectrum, noise, and cosmic rays."""

import numpy as np

from rtools.products.jwst import NewHdu, stage_new

__all__ = ["NAME", "SHAPE", "slit_exposure"]

NAME = "jw01234001001_02101_{:05d}_mirimage_cal.fits"
SHAPE = (160, 44)
SCALE, FIRST, STEP, TILT = 0.11, 5.0, 0.02, 0.3
"""Of pixels: arcsec along the slit, micrometres along dispersion; rows that lines rise by from column to column."""


def slit_wcs(shift):
    """A slit along the rows, tilted on the sky, whose wavelengths rise along the columns, and `shift` pixels away."""
    import gwcs
    from astropy import coordinates, units
    from astropy.modeling import models
    from gwcs import coordinate_frames as frames

    middle, side = shift - (SHAPE[1] - 1) / 2, SCALE / 3600
    along = models.Polynomial2D(1, c0_0=FIRST, c1_0=STEP * TILT, c0_1=STEP)
    to_plane = [models.Shift(middle) | models.Scale(side * part) for part in (0.6, 0.8)]
    mapping = models.Mapping((0, 0, 0, 1), n_inputs=2) | to_plane[0] & to_plane[1] & along
    sky = (models.Pix2Sky_TAN() | models.RotateNative2Celestial(80.0, -69.5, 180)) & models.Identity(1)
    celestial = frames.CelestialFrame(reference_frame=coordinates.ICRS(), axes_order=(0, 1), name="sky")
    world = frames.CompositeFrame([celestial, frames.SpectralFrame(axes_order=(2,), unit=(units.um,), name="wave")])
    found = gwcs.WCS([(frames.Frame2D(name="detector", unit=(units.pix, units.pix)), mapping | sky), (world, None)])
    found.bounding_box = ((-0.5, SHAPE[1] - 0.5), (-0.5, SHAPE[0] - 0.5))
    return found


def slit_exposure(folder, number, shift, rays=0, slits=("S1",)):
    """Write an exposure of one source on lines and continuum; its path, and which pixels cosmic rays hit.

    Parameters
    ----------
    folder : Path
        Where.
    number : int
        Of the exposure, and of the noise.
    shift : float
        Pixels by which the telescope moved along the slit.
    rays : int
        Cosmic rays in each slit, of three pixels each.
    slits : sequence of str
        Names of slits, which have the same sky.
    """
    rng, row, column = np.random.default_rng(number), *np.mgrid[: SHAPE[0], : SHAPE[1]]
    wave = FIRST + STEP * (row + TILT * column)
    profile = np.exp(-((column + shift - (SHAPE[1] - 1) / 2 - 2.3) ** 2) / (2 * 0.95**2)) / 0.95 / np.sqrt(2 * np.pi)
    lines = sum(np.exp(-((wave - at) ** 2) / (2 * 0.025**2)) for at in (5.7, 6.6, 7.35))
    light = 30 + (300 * (1 + 0.3 * np.sin(wave * 4)) + 900 * lines) * profile
    hdus, hit = [], np.zeros((len(slits), *SHAPE), bool)
    for version, name in enumerate(slits, 1):
        variance = light / 20 + 1.0
        data = light + rng.normal(0, np.sqrt(variance))
        for y, x in rng.integers(2, (SHAPE[0] - 3, SHAPE[1] - 2), (rays, 2)):
            track = (y, y, y + 1), (x, x + 1, x + 1)
            data[track] += rng.uniform(15, 80, 3) * np.sqrt(variance[track])
            hit[version - 1][track] = True
        images = {"SCI": data, "ERR": np.sqrt(variance), "VAR_POISSON": light / 20, "VAR_RNOISE": np.ones(SHAPE),
                  "VAR_FLAT": np.zeros(SHAPE)}  # fmt: skip
        cards = {"DISPAXIS": 2, "PIXAR_SR": 2.8e-13, "BUNIT": "MJy/sr", "SRCTYPE": "POINT", "SLTNAME": name}
        hdus += [NewHdu(key, image.astype("f4"), version, cards=cards if key == "SCI" else {})
                 for key, image in images.items()]  # fmt: skip
        hdus.append(NewHdu("DQ", np.zeros(SHAPE, "u4"), version))
    told = {
        "instrument": {"name": "MIRI", "detector": "MIRIMAGE"},
        "exposure": {"type": "MIR_LRS-FIXEDSLIT", "exposure_time": 100.0},
    }
    wcs, path = slit_wcs(shift), folder / NAME.format(number)
    tree = {"meta": {"wcs": wcs}} if len(slits) == 1 else {"slits": [{"meta": {"wcs": wcs}} for _slit in slits]}
    model = "SlitModel" if len(slits) == 1 else "MultiSlitModel"
    stage_new(path, "cal", told | {"model_type": model}, hdus, tree=tree).commit()
    return path, hit
