"""The mission's steps on images and lists of images; runs in an environment that has jwst.

usage: jwst_stages.py REFERENCES image2 RATE… OUT
       jwst_stages.py REFERENCES skymatch|mosaic CAL… OUT

REFERENCES is a directory with one file of each type, as ``rt-refs make`` writes them. `image2` writes _cal files;
`skymatch` writes _skymatch files; `mosaic` flags outliers of what it is given, writes _crf files and x_i2d.fits.
"""

import json
import sys
from pathlib import Path

from jwst_detector1 import go_offline


def image2(references, paths, out):
    """Coordinates, flat and flux calibration of each image."""
    from jwst.assign_wcs import AssignWcsStep
    from jwst.flatfield import FlatFieldStep
    from jwst.photom import PhotomStep
    from stdatamodels.jwst import datamodels

    def given(*kinds):
        return {f"override_{kind}": str(next(Path(references).glob(f"*_{kind}_*"))) for kind in kinds}

    for path in paths:
        image = AssignWcsStep.call(datamodels.open(path), **given("distortion", "filteroffset"))
        image = FlatFieldStep.call(image, **given("flat"))
        image = PhotomStep.call(image, **given("photom", "area"))
        image.save(str(out / Path(path).name.replace("_rate", "_cal")))


def library(paths, folder):
    """The images as the mission's steps take them."""
    from jwst.datamodels import ModelLibrary

    members = [{"expname": str(Path(path).resolve()), "exptype": "science"} for path in paths]
    told = {"asn_type": "image3", "asn_id": "o001", "program": "01234", "asn_pool": "none", "target": "none",
            "asn_rule": "DMS_Level3_Base", "products": [{"name": "x", "members": members}]}  # fmt: skip
    asn = folder / "x_asn.json"
    asn.write_text(json.dumps(told))
    return ModelLibrary(str(asn))


def save(images, out, suffix):
    """Write each image of a library."""
    with images:
        for image in images:
            name = Path(image.meta.filename).name.rpartition("_")[0]
            image.save(str(out / f"{name}_{suffix}.fits"))
            images.shelve(image, modify=False)


def lists(stage, paths, out):
    """Sky levels; or outliers and the mosaic."""
    from jwst.outlier_detection import OutlierDetectionStep
    from jwst.resample import ResampleStep
    from jwst.skymatch import SkyMatchStep

    images = library(paths, out)
    if stage == "skymatch":
        save(SkyMatchStep.call(images), out, "skymatch")
        return
    images = OutlierDetectionStep.call(images)
    save(images, out, "crf")
    ResampleStep.call(images).save(str(out / "x_i2d.fits"))


def main(references, stage, *files):
    """Carry out a stage."""
    *paths, out = files
    out = Path(out)
    out.mkdir(exist_ok=True)
    go_offline()
    if stage == "image2":
        image2(references, paths, out)
    else:
        lists(stage, paths, out)


if __name__ == "__main__":
    main(*sys.argv[1:])
