"""Files of JWST's third stage for tests: those of the golden set under names that the archive would give them."""

import atexit
import shutil
import tarfile
import tempfile
from functools import cache
from pathlib import Path

from astropy.io import fits

from tests.support.places import DATA

__all__ = ["FILES", "golden_product"]

EXPOSURE = "jw01234001001_02101_00001"

FILES = {
    "slices": ("spec", "in_cal.fits", f"{EXPOSURE}_mirifushort_cal.fits"),
    "s3d": ("cube", "in_s3d.fits", "jw01234-o001_t001_miri_ch1-short_s3d.fits"),
    "s3d_again": ("cube", "in_s3d.fits", "jw01234-o002_t001_miri_ch1-short_s3d.fits"),
    "calints": ("tso", "in_calints.fits", f"{EXPOSURE}_nrca1_calints.fits"),
    "crfints": ("tso", "out_crfints.fits", f"{EXPOSURE}_nrca1_o001_crfints.fits"),
    "coron_calints": ("coron", "in_target_calints.fits", f"{EXPOSURE}_nrcalong_calints.fits"),
    "ami_calints": ("ami", "in_target_calints.fits", f"{EXPOSURE}_nis_calints.fits"),
    "ami_star_calints": ("ami", "in_calib_calints.fits", "jw01234002001_02101_00001_nis_calints.fits"),
    "ami-oi": ("ami", "out_target_ami-oi.fits", f"{EXPOSURE}_nis_o001_ami-oi.fits"),
    "ami_star": ("ami", "out_calib_ami-oi.fits", "jw01234002001_02101_00001_nis_o002_ami-oi.fits"),
    "x1dints": ("tso", "in_x1dints.fits", "jw01234-o001_t001_nircam_f322w2-grismr_x1dints.fits"),
    "coronagraph": ("coron", "in_target_calints.fits", f"{EXPOSURE}_nrcalong_calints.fits"),
    "psfstack": ("coron", "out_psfstack.fits", "jw01234-o001_t002_nircam_f335m-maskrnd_psfstack.fits"),
    "psfalign": ("coron", "out_psfalign_f8.fits", f"{EXPOSURE}_nrcalong_o001_psfalign.fits"),
    "slit": ("spec", "in_cal.fits", f"{EXPOSURE}_mirimage_cal.fits"),
    "slit_series": ("spec", "in_calints.fits", f"{EXPOSURE}_mirimage_calints.fits"),
    "rectified": ("spec", "out_s2d.fits", f"{EXPOSURE}_mirimage_s2d.fits"),
    "extracted": ("spec", "in_x1d1.fits", f"{EXPOSURE}_mirimage_x1d.fits"),
    "extracted_again": ("spec", "out_x1d_of_s2d.fits", "jw01234001001_02101_00004_mirimage_x1d.fits"),
    "extracted2": ("spec", "in_x1d2.fits", "jw01234001001_02101_00002_mirimage_x1d.fits"),
    "extracted3": ("spec", "in_x1d3.fits", "jw01234001001_02101_00003_mirimage_x1d.fits"),
    "cube": ("cube", "in_s3d.fits", "jw01234-o001_t001_miri_ch1-short_s3d.fits"),
}
"""What a file is called in tests: the part of the golden set and the file there, and the name that it gets."""

LACKING = {"x1dints": {"TELESCOP": "JWST"}}
"""Keywords that a file of the golden set lacks."""


@cache
def _folder():
    folder = tempfile.TemporaryDirectory()
    atexit.register(folder.cleanup)
    Path(folder.name).chmod(0o755)  # some tests read as another user
    return folder


@cache
def golden_product(called):
    """Path of one of `FILES`, made once in a process; it is not to be changed."""
    part, file, name = FILES[called]
    folder = Path(_folder().name) / called
    folder.mkdir()
    with tarfile.open(DATA / "jwst" / f"{part}.tar.xz") as archive:
        member = next(one for one in archive.getmembers() if Path(one.name).name == file)
        member.name = file
        archive.extract(member, folder, filter="data")
    path = Path(shutil.move(folder / file, folder / name))
    if called in LACKING:
        with fits.open(path, mode="update") as hdus:
            hdus[0].header.update(LACKING[called])
    return path
