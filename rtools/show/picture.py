"""An array as a picture, in one call."""

from pathlib import Path

import numpy as np

from rtools.show.image import ShownPlane
from rtools.show.plot import plot_image, save

__all__ = ["save_image"]


def save_image(path, data, *, title="", unit="", bad=None):
    """Save an image as PNG, stretched by asinh; x to the right, row 0 at the bottom.

    Parameters
    ----------
    path : str or Path
        File to write.
    data : ndarray, (rows, columns)
        The image.
    title, unit : str
        Shown above the image and along the colour bar.
    bad : ndarray of bool, optional
        Pixels that are left out.
    """
    shown = np.array(data, np.float32)
    if bad is not None:
        shown[bad] = np.nan
    figure = plot_image(ShownPlane(shown, unit=unit), title=title)
    with open(Path(path), "wb") as file:
        save(figure, file, "png")
