"""Declaration of the white light of a series of spectra; `rtools.timeseries.white_light` does the work."""

from rtools.declare import Option, ProductStep

__all__ = ["STEP"]

STEP = ProductStep(
    name="whtlt",
    cal_step="white_light",
    suffix="whtlt",
    summary="White-light curve of a series of spectra.",
    description=(
        "Takes spectra of a time series (_x1dints) and writes a table with a row for each integration: the middle of "
        "its time as MJD (UTC) and BJD (TDB), and the flux in a range of wavelengths, each order and each detector "
        "apart. With --bins the range is cut into bins, and each has a light curve of its own.\n\n"
        "The sum goes over the same wavelengths at all times: those at which half of the integrations or more have a "
        "good flux. Where an integration lacks one of them, the median spectrum stands in for it, scaled to what that "
        "integration has; so no gap looks like a dip, and n_pix says how many fluxes were measured. An integration "
        "without any is NaN. Integrations without a time are left out, and of two with the same time the second."
    ),
    examples=(
        "rt-whtlt X_x1dints.fits",
        "rt-whtlt X_x1dints.fits --min-wavelength 2.8 --max-wavelength 3.4",
        "rt-whtlt X_x1dints.fits --bins 20 -o spectral_whtlt.ecsv",
    ),
    options=(
        Option("min-wavelength", None, "Shortest wavelength, micrometres; by default all.", type=float),
        Option("max-wavelength", None, "Longest wavelength, micrometres; by default all.", type=float),
        Option("bins", None, "Light curves of bins, too: their number, or their edges with commas between.", type=str),
    ),
    memory="4 times the spectra, beside 0.2 GB.",
    repeatable=True,
)
