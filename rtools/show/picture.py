"""Pictures of images, for files and talks: x to the right, row 0 at the bottom."""

import numpy as np

__all__ = ["save_image"]


def save_image(path, data, *, title="", unit="", bad=None):
    """Save an image as PNG, stretched by asinh between the zscale limits.

    Parameters
    ----------
    path : str or Path
        File to write.
    data : ndarray, (rows, columns)
        The image.
    title, unit : str
        Shown above the image and along the colour bar.
    bad : ndarray of bool, optional
        Pixels drawn in grey.
    """
    import matplotlib

    matplotlib.use("agg")
    from astropy.visualization import AsinhStretch, ImageNormalize, ZScaleInterval
    from matplotlib import pyplot

    shown = np.array(data, np.float32)
    if bad is not None:
        shown[bad] = np.nan
    low, high = ZScaleInterval(contrast=0.15).get_limits(shown[np.isfinite(shown)])
    norm = ImageNormalize(vmin=low, vmax=high, stretch=AsinhStretch(0.2))
    figure, axes = pyplot.subplots(figsize=(10, 9), layout="constrained")
    colours = pyplot.get_cmap("inferno").with_extremes(bad="0.5")
    image = axes.imshow(shown, origin="lower", cmap=colours, norm=norm, interpolation="antialiased")
    axes.set(title=title, xlabel="x [pixel]", ylabel="y [pixel]")
    figure.colorbar(image, ax=axes, label=unit, shrink=0.9, extend="both")
    figure.savefig(path, dpi=130)
    pyplot.close(figure)
