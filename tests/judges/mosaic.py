"""Write a mosaic with roman_datamodels, as romancal has it: ``python mosaic.py FILE PLANES``."""

import sys

import gwcs
import numpy as np
from astropy import coordinates, units
from astropy.modeling.models import Pix2Sky_TAN
from astropy.table import Table
from gwcs import coordinate_frames
from roman_datamodels import datamodels

SIZE = 60
CRPIX, CRVAL, SCALE = [-31000.25, 12345.5], [269.7, 65.8], 0.055 / 3600
TURN = np.array([[np.cos(0.3), np.sin(0.3)], [-np.sin(0.3), np.cos(0.3)]])


def make(path, planes):
    rng = np.random.default_rng(1)
    mosaic = datamodels.MosaicModel.create_fake_data(shape=(planes, SIZE, SIZE))
    mosaic.context = rng.integers(0, 1 << 32, (planes, SIZE, SIZE), dtype="u4")
    for name in ("data", "err", "weight", "var_poisson", "var_rnoise"):
        mosaic[name] = rng.random((SIZE, SIZE)).astype("f4")
    detector = coordinate_frames.Frame2D(name="detector", unit=(units.pix, units.pix))
    sky = coordinate_frames.CelestialFrame(reference_frame=coordinates.ICRS(), name="icrs")
    cdelt = [SCALE, SCALE]
    transform = gwcs.FITSImagingWCSTransform(Pix2Sky_TAN(), crpix=CRPIX, crval=CRVAL, cdelt=cdelt, pc=TURN)
    mosaic.meta.wcs = gwcs.WCS([(detector, transform), (sky, None)])
    told = {"x_ref": CRPIX[0], "y_ref": CRPIX[1], "ra_ref": CRVAL[0], "dec_ref": CRVAL[1], "projection": "TAN"}
    for key, value in (
        told | {"pixel_scale_ref": SCALE, "pixel_scale": SCALE, "rotation_matrix": TURN.tolist()}
    ).items():
        mosaic.meta.wcsinfo[key] = value
    members = [f"m{number}_cal.asdf" for number in range(32 * planes - 1)] + ["ümlaut_cal.asdf"]
    count = len(members)
    mosaic.meta.resample.members = members
    mosaic.meta.individual_image_meta = {
        "basic": Table({"filename": members, "telescope": ["ROMAN"] * count}),
        "exposure": Table({"exposure_time": np.r_[np.arange(count - 1.0), np.nan]}),
        "background": Table({"level": ["None"] * count, "subtracted": np.arange(count) % 2 == 0}),
        "visit": Table({"nexposures": np.arange(count - 1)}),
    }
    mosaic["individual_image_cal_logs"] = [["one"], ["two"]]
    mosaic.save(path)


make(sys.argv[1], int(sys.argv[2]))
