"""Flux: images in MJy/sr; `rtools.mosaic.drizzle.flux` does the work."""

from rtools.declare import MosaicStep

__all__ = ["STEP"]


STEP = MosaicStep(
    name="flux",
    after="tweakreg",
    cal_step="flux",
    suffix="flux",
    summary="Convert DN/s to MJy/sr.",
    description=(
        "data and err times c = meta.photometry.conversion_megajanskys, variances times c². Other arrays stay as they "
        "are. Computed in float32 also where the file holds float16. A file without a conversion (null, -999999, "
        "prism and grism) is refused."
    ),
    examples=("rt-flux X_cal.asdf", "rt-flux r*_cal.asdf --outdir flux"),
    metadata=("photometry.conversion_megajanskys",),
    once=True,
    one_by_one=True,
)
