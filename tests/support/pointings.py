"""A pointing with published positions, and a distortion that is a scale alone."""

from astropy.modeling.models import Scale, Shift

from rtools.astrometry.wcs import Pointing

POINTING = Pointing(v2_ref=-503.0, v3_ref=-318.0, ra_ref=156.0, dec_ref=54.2, roll_ref=33.15)
SCALE = 1.0000612
REGION = (
    "POLYGON ICRS  155.996920051 54.200063494 155.999776624 54.202621929 "
    "156.008523764 54.199279671 156.005666879 54.196721444"
)


def distortion():
    return (Shift(-50) & Shift(-30)) | (Scale(0.11) & Scale(0.11)) | (Shift(-503) & Shift(-318))
