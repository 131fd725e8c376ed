"""Where on the sky the pixels of a JWST product lie: by its gwcs, else by the keywords of SCI."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rtools.errors import InputError
from rtools.wfi.gwcs_frames import shifted_wcs

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from rtools.products.jwst.product import JwstProduct

__all__ = ["ImageSky", "celestial_cards", "header_sky", "moved_sky", "sky_of"]

CELESTIAL = re.compile(
    r"(CTYPE|CRVAL|CRPIX|CDELT|CUNIT)[12]|(PC|CD)[12]_[12]|LONPOLE|LATPOLE|RADESYS|EQUINOX"
    r"|[AB]P?_(ORDER|DMAX|\d_\d)"
)
"""Keywords of a celestial system of the first two axes, with the polynomials of SIP."""

Box = tuple[tuple[float, float], tuple[float, float]]
Pair = tuple[Any, Any]


class ImageSky(NamedTuple):
    """The two celestial coordinates of the planes of an image, called as a gwcs is.

    Attributes
    ----------
    forward, inverse : callable
        x, y in pixels, from 0, to right ascension and declination in degrees; and back.
    bounding_box : ((float, float), (float, float)) or None
        Edges along x and along y, pixels.
    """

    forward: Callable[[Any, Any], Pair]
    inverse: Callable[[Any, Any], Pair]
    bounding_box: Box | None = None

    def __call__(self, x: ArrayLike, y: ArrayLike, *, with_bounding_box: bool = True) -> Pair:
        """Right ascension and declination of pixels, degrees.

        Parameters
        ----------
        x, y : array_like
            Pixels, from 0.
        with_bounding_box : bool
            Whether pixels outside of the box have no position: NaN.

        Returns
        -------
        (ndarray float64, ndarray float64)
            Of the shape of `x` and `y`.
        """
        x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
        ra, dec = (np.asarray(part, np.float64) for part in self.forward(x, y))
        outside = with_bounding_box & self._outside(x, y)
        return np.where(outside, np.nan, ra), np.where(outside, np.nan, dec)

    def invert(self, ra: ArrayLike, dec: ArrayLike, *, with_bounding_box: bool = True) -> Pair:
        """Pixels of positions.

        Parameters
        ----------
        ra, dec : array_like
            Degrees.
        with_bounding_box : bool
            Whether positions outside of the box have no pixel: NaN.

        Returns
        -------
        (ndarray float64, ndarray float64)
            x and y, of the shape of `ra` and `dec`.
        """
        ra, dec = np.asarray(ra, np.float64), np.asarray(dec, np.float64)
        x, y = (np.asarray(part, np.float64) for part in self.inverse(ra, dec))
        outside = with_bounding_box & self._outside(x, y)
        return np.where(outside, np.nan, x), np.where(outside, np.nan, y)

    def _outside(self, x, y):
        if self.bounding_box is None:
            return np.zeros(np.shape(x), bool)
        (x0, x1), (y0, y1) = self.bounding_box
        return (x < x0) | (x > x1) | (y < y0) | (y > y1)


def celestial_cards(product: JwstProduct) -> dict[str, Any]:
    """The keywords that say where the pixels of an image are, for another image of the same pixels.

    Parameters
    ----------
    product : JwstProduct
        The image; the header of SCI is read.

    Returns
    -------
    dict of str to object
        Empty where it says nothing.
    """
    values = product.hdu("SCI").values
    found = {key: value for key, value in values.items() if CELESTIAL.fullmatch(key)}
    return {"WCSAXES": 2, **found} if found else {}


def sky_of(product: JwstProduct) -> Any:
    """The celestial coordinates of a product's images.

    Parameters
    ----------
    product : JwstProduct
        Opened.

    Returns
    -------
    gwcs.WCS or ImageSky
        The gwcs of the tree where that leads from pixels to the sky alone; of a cube its celestial part. Where there
        is none, or one with transforms that only stdatamodels knows, what the header of SCI says.

    Raises
    ------
    InputError
        There are none, or they are those of a spectrum, which has wavelengths along one of its axes.
    """
    reason = InputError("has no WCS", path=product.path)
    try:
        wcs = product.node("meta.wcs")
    except KeyError:
        wcs = None
    except InputError as error:
        wcs, reason = None, error
    if wcs is not None:
        return _of_gwcs(wcs, product)
    try:
        hdu = product.hdu("SCI")
    except InputError:
        raise reason from None
    found = header_sky(hdu.values, hdu.shape[-2:])
    if found is None:
        raise reason
    return found


def _of_gwcs(wcs, product):
    inputs, outputs = wcs.forward_transform.n_inputs, wcs.forward_transform.n_outputs
    if (inputs, outputs) == (2, 2):
        return wcs
    if (inputs, outputs) != (3, 3):
        raise InputError("its WCS is of a spectrum, not of an image", path=product.path)
    wavelength = float(wcs(0, 0, 0, with_bounding_box=False)[2])
    box = None if wcs.bounding_box is None else _first_two(wcs.bounding_box)
    return ImageSky(
        lambda x, y: wcs(x, y, np.zeros(np.shape(x)), with_bounding_box=False)[:2],
        lambda ra, dec: wcs.invert(ra, dec, np.full(np.shape(ra), wavelength), with_bounding_box=False)[:2],
        box,
    )


def _first_two(box):
    """Edges along x and y of a box of three axes, pixels."""
    intervals = box.bounding_box(order="F")
    (x0, x1), (y0, y1) = (tuple(float(getattr(edge, "value", edge)) for edge in pair) for pair in intervals[:2])
    return (x0, x1), (y0, y1)


def header_sky(header: Mapping[str, Any], shape: tuple[int, ...]) -> ImageSky | None:
    """The celestial coordinates that a FITS header gives the first two axes, with the polynomials of SIP.

    Parameters
    ----------
    header : mapping
        Keywords of the image.
    shape : (int, int)
        Rows and columns.

    Returns
    -------
    ImageSky or None
        None where the header has no such coordinates, or mixes them with a wavelength.
    """
    from astropy.io import fits
    from astropy.wcs import WCS

    if not str(header.get("CTYPE1", "")).startswith("RA--") or not str(header.get("CTYPE2", "")).startswith("DEC-"):
        return None
    if any(header.get(f"{word}{one}_{two}") for word in ("PC", "CD") for one, two in ((1, 3), (2, 3), (3, 1), (3, 2))):
        return None
    cards = fits.Header()
    for key in header:
        if CELESTIAL.fullmatch(key):
            cards[key] = header[key]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wcs = WCS(cards)
    rows, columns = shape
    return ImageSky(
        lambda x, y: tuple(wcs.all_pix2world(x, y, 0)),
        lambda ra, dec: tuple(wcs.all_world2pix(ra, dec, 0, quiet=True)),
        ((-0.5, columns - 0.5), (-0.5, rows - 0.5)),
    )


def moved_sky(wcs: Any, x: int, y: int) -> Any:
    """The same coordinates for an image whose first pixel is another one.

    Parameters
    ----------
    wcs : gwcs.WCS or ImageSky
        Not changed.
    x, y : int
        The pixel that becomes 0, 0.

    Returns
    -------
    gwcs.WCS or ImageSky
    """
    if not isinstance(wcs, ImageSky):
        return shifted_wcs(wcs, x, y)

    def inverse(ra, dec):
        column, row = wcs.inverse(ra, dec)
        return column - x, row - y

    box = wcs.bounding_box
    if box is not None:
        (x0, x1), (y0, y1) = box
        box = (x0 - x, x1 - x), (y0 - y, y1 - y)
    return ImageSky(lambda column, row: wcs.forward(column + x, row + y), inverse, box)
