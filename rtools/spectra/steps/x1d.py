"""Declaration of the extraction of spectra; `rtools.spectra.box` and `rtools.spectra.cube` do the work."""

from rtools.declare import Option, ProductStep, Reference
from rtools.spectra.choices import FILLS, FITS, SOURCES, VARIABLES

__all__ = ["STEP"]

STEP = ProductStep(
    name="x1d",
    cal_step="extract_1d",
    suffix="x1d",
    summary="Extract spectra: boxes on slits and dispersed images, circles on cubes.",
    description=(
        "Takes images of spectra (_cal, _crf, _s2d; _calints, _crfints) and cubes (_s3d), and writes tables of "
        "wavelength, flux, surface brightness and background, each with its variances (_x1d); of time series a row "
        "for each integration (_x1dints). Each slit or source of a file gets a table of its own.\n\n"
        "On a slit, the flux of each wavelength is the sum over an aperture across the dispersion. Where the "
        "aperture has regions for the background, a polynomial or a median is fitted there at each wavelength, and "
        "subtracted. The aperture comes from a reference of type extract1d (JSON), in which the one is taken whose id "
        "is the slit or the exposure type; options of the same names count before it. Edges given as polynomials "
        "count before a width, and a width before start and stop. Without any of them the whole slit is summed.\n\n"
        "Bad pixels of the aperture are no dips: the spatial profile of the spectrum, which is measured in "
        "neighbouring wavelengths, says which share of the light they would have, and FLUX, its errors and NPIXELS "
        "are those of the whole aperture. The column FILLED is the share of the flux that was filled in so; where "
        "that would be half of it or more there is no flux. Where the source is too faint for a profile, the mean of "
        "good pixels stands for bad ones. All integrations of a series have one profile. With --fill none bad "
        "pixels are left out of the sum, and NPIXELS counts the others, as in the mission's tables.\n\n"
        "On a cube, a point source is summed in a circle at the target, less the clipped mean of a ring; both may "
        "grow with wavelength (extract1d reference, ASDF). What the circle misses of it is added by a reference of "
        "type apcorr with radii. Of an extended source the whole plane is summed.\n\n"
        "Segments of one exposure (-seg001, -seg002 …) make one table of all integrations, in their order, whose name "
        "has no -seg: together they are one series. Each file alone makes one of its own integrations."
    ),
    examples=(
        "rt-x1d X_cal.fits --ref extract1d=lrs.json",
        "rt-x1d X_s2d.fits --xstart 14 --xstop 25 --bkg-coeff '2.5;9.5;30;37.5' --bkg-fit median",
        "rt-x1d X-seg00?_mirimage_calints.fits --refdir refs",
        "rt-x1d X_s3d.fits --radius 0.4 --annulus 0.6,0.9 --center 24.1,22.7",
    ),
    options=(
        Option("xstart", None, "First column of the aperture, from 0.", type=float),
        Option("xstop", None, "Last column, which belongs to it.", type=float),
        Option("ystart", None, "First row, from 0.", type=float),
        Option("ystop", None, "Last row.", type=float),
        Option("extract-width", None, "Width across the dispersion in pixels, about the middle of start and stop.",
               type=float),
        Option("src-coeff", None, "Edges of the aperture: lower and upper in turn with semicolons between, each a "
               "polynomial of the pixel along the dispersion, its coefficients with commas between, lowest first; "
               "0 is the middle of the first pixel.", type=str),
        Option("bkg-coeff", None, "Edges of the regions of the background, in the same form.", type=str),
        Option("independent-var", None, "What these polynomials are of; pixel by default.", type=str,
               choices=VARIABLES),
        Option("bkg-fit", None, "What is fitted to the background; poly by default.", type=str, choices=FITS),
        Option("bkg-order", None, "Order of the polynomial; 0 by default.", type=int, minimum=0),
        Option("smoothing-length", None, "Wavelengths over which pixels are averaged for the background.", type=int,
               minimum=0),
        Option("subtract-background", True, "Subtract a background where there are regions for it."),
        Option("position-offset", 0.0, "Pixels by which the aperture and its background are moved."),
        Option("dispaxis", None, "Axis along which the wavelength changes, 1 or 2, where the file does not say it.",
               type=int, minimum=1),
        Option("fill", "profile", "What stands for bad pixels of the aperture of a slit: what the spatial profile "
               "says, or none.", choices=FILLS),
        Option("min-coverage", 0.0, "Least share of the aperture that must be good; else there is no flux.",
               minimum=0.0),
        Option("source-type", None, "Of a cube; what it says itself, else EXTENDED.", type=str, choices=SOURCES),
        Option("center", None, "Middle of the circle on a cube, X,Y in pixels from 0; the target by default.",
               type=str),
        Option("radius", None, "Radius of the circle on a cube, arcsec.", type=float, minimum=0.0),
        Option("annulus", None, "Edges of the ring on a cube, IN,OUT in arcsec.", type=str),
        Option("sigma-clip", 3.0, "Values of a ring further from the mean than this are left out; 0 for none.",
               minimum=0.0),
    ),
    references=(
        Reference("extract1d", nodes=("apertures",), absent="skip", optional=True),
        Reference("apcorr", nodes=("apcorr_table",), absent="skip", optional=True),
    ),
    memory="0.3 GB and the table; images of integrations are read some at a time.",
    repeatable=True,
)  # fmt: skip
