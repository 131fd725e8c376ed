"""Exposures of integral fields with coordinates made as the mission makes them: a transform for each slice by a map."""

from typing import NamedTuple

import numpy as np

from rtools.products.jwst import NewHdu, stage_new
from rtools.spectra.cube_building import CubeGrid

__all__ = ["FIELDS", "SKY", "SlicedField", "coordinates", "exposure"]

SKY = CubeGrid(10.0, -30.0, 0.0, 0.0, 1.0, 35.0, 0.0, 1.0, (1, 1, 1))
"""The slicer is turned by 35 degrees."""

SLICES, LONG, WAVES, GAP = 16, 24, 40, 4
PIXEL, WIDTH, FIRST, STEP = 0.13, 0.177, 5.0, 0.0008
"""Arcsec along a slice and across the slices; micrometres."""


class SlicedField(NamedTuple):
    """How an instrument lays its slices.

    Attributes
    ----------
    meta : dict
        Of its exposures.
    frame : str
        Of the slicer.
    turned : bool
        Wavelengths change along the rows, and slices lie above each other.
    unit : float
        Of the slicer, arcsec.
    name : str
        Of a file.
    """

    meta: dict
    frame: str
    turned: bool
    unit: float
    name: str


FIELDS = {
    "MIRI": SlicedField(
        {"instrument": {"name": "MIRI", "detector": "MIRIFUSHORT", "channel": "1", "band": "SHORT"},
         "exposure": {"type": "MIR_MRS"}, "wcsinfo": {"dispersion_direction": 2}},
        "alpha_beta", False, 1.0, "jw01234001001_02101_00001_mirifushort_cal.fits",
    ),
    "NIRSPEC": SlicedField(
        {"instrument": {"name": "NIRSPEC", "detector": "NRS1"}, "exposure": {"type": "NRS_IFU"}},
        "slicer", True, 250.0, "jw01234001001_02101_00001_nrs1_cal.fits",
    ),
}  # fmt: skip


def coordinates(field):
    """The gwcs of a field: pixel to slicer by a map of slices, slicer to the sky."""
    import gwcs
    from astropy import coordinates as skies
    from astropy import units
    from astropy.modeling import models
    from gwcs import coordinate_frames as frames
    from gwcs import selector

    labels = np.zeros((WAVES, SLICES * (LONG + GAP)), int)
    chosen = {}
    for number in range(SLICES):
        start = number * (LONG + GAP) + GAP // 2
        labels[:, start : start + LONG] = number + 1
        tilt = PIXEL * 0.02 * (number - SLICES / 2) / SLICES  # slices are not quite straight
        along = models.Polynomial2D(1, c0_0=-PIXEL * (start + (LONG - 1) / 2), c1_0=PIXEL, c0_1=tilt)
        across = models.Const1D((number - (SLICES - 1) / 2) * WIDTH / field.unit)
        wave = models.Polynomial2D(1, c0_0=FIRST + 2e-5 * number, c1_0=1e-6, c0_1=STEP)
        if field.turned:  # x and y, and along and across, change places
            chosen[number + 1] = models.Mapping((1, 1, 0, 1, 0)) | across & (
                along | models.Scale(1 / field.unit)) & wave  # fmt: skip
        else:
            chosen[number + 1] = models.Mapping((0, 1, 0, 0, 1)) | along & across & wave
    if field.turned:
        labels = labels.T.copy()
    to_slicer = selector.RegionsSelector(
        ("x", "y"), (*("ab" if field.turned else "ba"), "lam"), selector=chosen,
        label_mapper=selector.LabelMapperArray(labels),
    )  # fmt: skip
    order = models.Mapping((1, 0)) if field.turned else models.Identity(2)
    plane = order | models.Scale(field.unit) & models.Scale(field.unit) | models.AffineTransformation2D(
        SKY.matrix / 3600)  # fmt: skip
    to_sky = plane | models.Pix2Sky_TAN() | models.RotateNative2Celestial(SKY.ra, SKY.dec, 180)
    axes, unit = ["SPATIAL", "SPATIAL", "SPECTRAL"], (units.arcsec, units.arcsec, units.um)
    slicer = frames.CoordinateFrame(3, axes, (0, 1, 2), name=field.frame, unit=unit)
    celestial = frames.CelestialFrame(reference_frame=skies.ICRS(), axes_order=(0, 1), name="sky")
    world = frames.CompositeFrame([celestial, frames.SpectralFrame(axes_order=(2,), unit=(units.um,), name="wave")])
    detector = frames.Frame2D(name="detector", unit=(units.pix, units.pix))
    return gwcs.WCS([(detector, to_slicer), (slicer, to_sky & models.Identity(1)), (world, None)]), labels


def exposure(folder, field, light):
    """Write an exposure; its path.

    Parameters
    ----------
    folder : Path
        Where.
    field : SlicedField
        Whose.
    light : callable
        Of along and across, arcsec, and wavelength.
    """
    wcs, labels = coordinates(field)
    row, column = np.mgrid[: labels.shape[0], : labels.shape[1]].astype(float)
    ra, dec, wave = wcs(column, row)
    dark = labels == 0
    data = np.where(dark, np.nan, light(*SKY.pixels(ra, dec), wave)).astype("f4")
    images = {"SCI": data, "ERR": np.where(dark, np.nan, 0.5).astype("f4"), "DQ": np.where(dark, 513, 0).astype("u4")}
    images |= {f"VAR_{kind}": np.full(labels.shape, 0.08, "f4") for kind in ("POISSON", "RNOISE", "FLAT")}
    path = folder / field.name
    hdus = [NewHdu(name, array) for name, array in images.items()]
    stage_new(path, "cal", field.meta, hdus, tree={"meta": {"wcs": wcs}}).commit()
    return path
