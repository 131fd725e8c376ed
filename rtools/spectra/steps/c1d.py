"""Declaration of the combination of spectra; `rtools.spectra.combine` does the work."""

from rtools.declare import Option, ProductStep
from rtools.spectra.choices import GRIDS, METHODS, WEIGHTS

__all__ = ["STEP"]

STEP = ProductStep(
    name="c1d",
    cal_step="combine_1d",
    suffix="c1d",
    summary="Combine extracted spectra of a source.",
    description=(
        "Takes extracted spectra (_x1d), and writes the weighted mean of those of each source and spectral order "
        "(_c1d), of each slit where files name no source (SOURCEID), with its error, the sum of the weights and the "
        "number of spectra at each wavelength. Points with "
        "DO_NOT_USE or without a flux do not count; wavelengths to which nothing came are left out.\n\n"
        "The grid has a point for each clump of wavelengths, one of each spectrum, which is what the mission's "
        "pipeline makes (--grid merged); or it is that of the first spectrum, one of equal ratios, or that of a file. "
        "Several points of one spectrum that come to one point of the grid are averaged. --method overlap shares "
        "points out by the part of a bin that they cover, where grids differ much.\n\n"
        "With --sigma-clip, fluxes are left out that differ from the median of their point by more than this many "
        "times the median absolute deviation there, or their own error, if that is larger."
    ),
    examples=(
        "rt-c1d X_00001_x1d.fits X_00002_x1d.fits -o star_c1d.fits",
        "rt-c1d *_x1d.fits -o star_c1d.fits --sigma-clip 5 --exptime-key unit_weight",
        "rt-c1d *_x1d.fits -o star_c1d.fits --grid other_c1d.fits --method overlap",
    ),
    options=(
        Option("grid", "merged", f"Wavelengths of the result: {', '.join(GRIDS)}, or a file that has a column "
               "WAVELENGTH (FITS or ECSV).", names_file=True),
        Option("method", "nearest", "How points of spectra come to the grid.", choices=METHODS),
        Option("sigma-clip", 0.0, "Fluxes further from the median of their point than this are left out; 0 for none.",
               minimum=0.0),
        Option("exptime-key", "exposure_time", "What spectra are weighted with: EFFEXPTM, EFFINTTM, or all alike.",
               choices=WEIGHTS),
    ),
    memory="0.3 GB and ten times the spectra.",
    repeatable=True,
)  # fmt: skip
