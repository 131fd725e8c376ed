"""Declaration of the cube of slices; `rtools.spectra.cube_building` does the work."""

from rtools.declare import Option, ProductStep

__all__ = ["STEP"]

STEP = ProductStep(
    name="cube",
    word="build",
    cal_step="cube_build",
    suffix="s3d",
    summary="A cube of sky and wavelength from exposures of an integral field.",
    description=(
        "Takes calibrated exposures of an integral-field spectrograph (_cal, _crf) and writes one cube (_s3d). Each "
        "pixel is a volume: a quadrilateral on the sky with a depth in wavelength. A voxel of the cube is the mean of "
        "the pixels that it shares a volume with, weighted by that volume; its error follows from theirs, and WMAP "
        "counts them. A voxel in which nothing falls is NaN, with DO_NOT_USE and NON_SCIENCE. With --method emsm "
        "pixels are points whose weight falls off exponentially with the squared distance.\n\n"
        "Where pixels lie says the gwcs of the file; that of NIRSpec opens with the extra jwst (pip install "
        "'roman-rtools[jwst]'). Else --map names a FITS file of the detector's shape with images RA, DEC, LAMBDA "
        "(centres, degrees and micrometres), RA1 to RA4 and DEC1 to DEC4 (corners, in order around the pixel) and "
        "DLAMBDA (depth). Spaxels and planes of MIRI's channels are those of the mission's cubes; otherwise they "
        "are as large as the pixels, to two digits, unless --spaxel and --step say them. A detector that has two "
        "channels needs --channel."
    ),
    examples=(
        "rt-cube build X_mirifushort_cal.fits --channel 1 -o target_s3d.fits",
        "rt-cube build *_nrs1_cal.fits --spaxel 0.1 --step 0.0018 -o target_s3d.fits",
        "rt-cube build X_cal.fits --map X_map.fits --spaxel 0.13 --step 0.001",
    ),
    options=(
        Option(
            "spaxel",
            None,
            "Side of a spaxel, arcsec; by default that of MIRI's channel, or of the pixels.",
            type=float,
            minimum=1e-4,
        ),
        Option(
            "step",
            None,
            "From plane to plane, micrometres; by default that of MIRI's channel, or of the pixels.",
            type=float,
            minimum=1e-9,
        ),
        Option(
            "channel",
            None,
            "Channel of MIRI's spectrometer; two are side by side on each detector.",
            type=str,
            choices=("1", "2", "3", "4"),
        ),
        Option("rotate", "north", "What is up: north, ifu (along the slices' order), or a position angle in degrees."),
        Option("wave", None, "Shortest and longest wavelength, LO:HI, micrometres; by default all.", type=str),
        Option("method", "drizzle", "Pixels as volumes, or as points.", choices=("drizzle", "emsm")),
        Option("rois", None, "With emsm: radius on the sky, arcsec; by default two spaxels.", type=float, minimum=1e-6),
        Option(
            "roiw",
            None,
            "With emsm: reach in wavelength, micrometres; by default two planes.",
            type=float,
            minimum=1e-12,
        ),
        Option("scale", None, "With emsm: scale of the weight, arcsec; by default a spaxel.", type=float, minimum=1e-6),
        Option("like", None, "A cube whose spaxels are taken: its planes may be others.", type=str, names_file=True),
        Option("map", None, "File with the places of the detector's pixels.", type=str, names_file=True),
    ),
    memory="9 times the cube and 24 times the exposures, beside 0.3 GB.",
    repeatable=True,
)
