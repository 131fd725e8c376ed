"""Images shifted by fractions of a pixel, in the Fourier plane, without what leaves one edge coming in at the other."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

__all__ = ["ImageTransform", "shifted", "transform_of"]


class ImageTransform(NamedTuple):
    """The transform of an image.

    Attributes
    ----------
    values : ndarray of complex128
        (..., rows, columns // 2 + 1) of `size`, because the image is of real numbers.
    shape : tuple of int
        Rows and columns of the image.
    size : tuple of int
        Rows and columns of what was transformed: the image, and what continues it.
    """

    values: np.ndarray
    shape: tuple[int, int]
    size: tuple[int, int]

    def shifted(self, dx: float, dy: float) -> np.ndarray:
        """The image, moved to larger columns by dx and to larger rows by dy.

        Parameters
        ----------
        dx, dy : float
            Pixels.
        """
        return self._image(self.values * self._turn(dx, dy))

    def slopes(self, dx: float, dy: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The moved image, and its derivatives with respect to dx and dy.

        Parameters
        ----------
        dx, dy : float
            Pixels.
        """
        moved = self.values * self._turn(dx, dy)
        y, x = self._frequencies
        return self._image(moved), self._image(-2j * np.pi * x * moved), self._image(-2j * np.pi * y * moved)

    @property
    def _frequencies(self):
        from scipy.fft import fftfreq, rfftfreq

        return fftfreq(self.size[0])[:, np.newaxis], rfftfreq(self.size[1])

    def _turn(self, dx, dy):
        y, x = self._frequencies
        return np.exp(-2j * np.pi * y * dy) * np.exp(-2j * np.pi * x * dx)

    def _image(self, values):
        from scipy.fft import irfft2

        rows, columns = self.shape
        return irfft2(values, s=self.size)[..., :rows, :columns]


def transform_of(image: np.ndarray, *, mirrored: bool = True) -> ImageTransform:
    """The transform of an image, continued by its mirror image.

    With its mirror image beside it the image is periodic and has no step at its edges: nothing rings there, and what is
    shifted in is the neighbourhood of the same edge.

    Parameters
    ----------
    image : ndarray
        (..., y, x), finite.
    mirrored : bool
        Without it, the image is continued by itself, as the plain transform has it.

    Returns
    -------
    ImageTransform
    """
    from scipy.fft import rfft2

    rows, columns = image.shape[-2:]
    if mirrored:
        image = np.pad(image, [*[(0, 0)] * (image.ndim - 2), (0, rows), (0, columns)], mode="symmetric")
    return ImageTransform(rfft2(image), (rows, columns), image.shape[-2:])


def shifted(image: np.ndarray, dx: float, dy: float, *, mirrored: bool = True) -> np.ndarray:
    """An image, moved to larger columns by dx and to larger rows by dy.

    Parameters
    ----------
    image : ndarray
        (..., y, x), finite.
    dx, dy : float
        Pixels.
    mirrored : bool
        As `transform_of` takes it.

    Returns
    -------
    ndarray of float64
    """
    return transform_of(np.asarray(image, np.float64), mirrored=mirrored).shifted(dx, dy)
