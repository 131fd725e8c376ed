"""Slits of several exposures as images that go onto one rectified frame: to be added up, or to be compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from rtools.errors import InputError
from rtools.jwst.dq import PIXEL_FLAGS
from rtools.mosaic.arrays import MosaicImage
from rtools.pipeline.stage3.slits import Slit, slits_of
from rtools.products.jwst import JwstProduct
from rtools.spectra.rectified import SlitCoordinates, SlitFrame, slit_frame

__all__ = ["PlacedSlit", "frame_of", "is_spectral", "place_slit", "refuse_no_slits", "same_slits"]

FALLING = ("MIR_LRS-FIXEDSLIT",)
"""Exposure types whose wavelengths fall along the axis, as on the detector."""


class PlacedSlit(NamedTuple):
    """The part of an image that has coordinates.

    Attributes
    ----------
    slit : Slit
        The image.
    cut : (slice, slice)
        Rows and columns of the part.
    coordinates : SlitCoordinates
        Of its pixels.
    """

    slit: Slit
    cut: tuple[slice, slice]
    coordinates: SlitCoordinates

    def image(self) -> MosaicImage:
        """Its pixels; those without coordinates are not to be used."""
        slit, cut = self.slit, self.cut
        first = cut[1].start, cut[0].start

        def place(x, y):
            return slit.wcs(x + first[0], y + first[1], with_bounding_box=False)

        def read(name):
            if slit.version not in slit.product.versions(name):
                return None
            return slit.product.pixels(name, slit.version, cut)

        flags = read("DQ")
        flags = np.zeros(self.coordinates.ra.shape, np.uint32) if flags is None else flags.copy()
        flags[np.isnan(self.coordinates.ra)] |= np.uint32(PIXEL_FLAGS["DO_NOT_USE"])
        time = slit.product.value("TMEASURE") or slit.product.value("EFFEXPTM") or 1.0
        return MosaicImage(read("SCI"), place, read("ERR"), flags, read("VAR_RNOISE"), read("VAR_POISSON"),
                           read("VAR_FLAT"), float(time))  # fmt: skip


def place_slit(slit: Slit) -> PlacedSlit:
    """Where the pixels of an image lie.

    Parameters
    ----------
    slit : Slit
        With a gwcs.

    Returns
    -------
    PlacedSlit

    Raises
    ------
    InputError
        No pixel has coordinates.
    """
    rows, columns = np.mgrid[: slit.shape[-2], : slit.shape[-1]].astype(np.float64)
    found = slit.wcs(columns, rows)
    if not isinstance(found, tuple | list) or len(found) != 3:
        raise InputError("its gwcs gives no wavelengths", path=slit.product.path)
    whole = [np.asarray(part, np.float64) for part in found]
    known = np.isfinite(whole[0] + whole[1] + whole[2])
    if not known.any():
        raise InputError("no pixel has coordinates", path=slit.product.path)
    at = np.nonzero(known)
    cut = _reach(at[0]), _reach(at[1])
    return PlacedSlit(slit, cut, SlitCoordinates(*(np.where(known, part, np.nan)[cut] for part in whole)))


def _reach(numbers: np.ndarray) -> slice:
    """From the lowest to the highest."""
    return slice(int(numbers.min()), int(numbers.max()) + 1)


def frame_of(places: Sequence[PlacedSlit]) -> SlitFrame:
    """The frame that holds a slit of all exposures.

    Parameters
    ----------
    places : sequence of PlacedSlit
        The slit in each of them.

    Returns
    -------
    SlitFrame
    """
    first = places[0].slit
    coordinates = [place.coordinates for place in places]
    return slit_frame(coordinates, first.dispersion(), falling=first.exposure_type in FALLING)


def _key(slit: Slit) -> tuple[Any, ...]:
    return slit.told("SOURCEID"), slit.told("SLTNAME"), slit.order


def same_slits(products: Sequence[JwstProduct]) -> list[list[Slit]]:
    """Slits of several exposures, those of one source, name and order together.

    Parameters
    ----------
    products : sequence of JwstProduct
        The exposures.

    Returns
    -------
    list of list of Slit
        In the order in which they first appear.
    """
    sets: dict[tuple[Any, ...], list[Slit]] = {}
    for product in products:
        for slit in slits_of(product):
            sets.setdefault(_key(slit), []).append(slit)
    return list(sets.values())


def is_spectral(product: JwstProduct) -> bool:
    """Whether an image is one of spectra: it says along which axis the wavelength changes, or has wavelengths.

    Parameters
    ----------
    product : JwstProduct
        Opened.
    """
    first = product.versions("SCI")[:1]
    return "WAVELENGTH" in {hdu.name for hdu in product.hdus} or any(
        Slit(product, version).told("DISPAXIS") in (1, 2) for version in first
    )


def refuse_no_slits(product: JwstProduct) -> None:
    """Refuse a file whose slits cannot go onto one frame with those of others.

    Parameters
    ----------
    product : JwstProduct
        Opened.

    Raises
    ------
    InputError
        Two of its slits cannot be told from each other, or one has no gwcs, no axis of dispersion, or lacks images.
    """
    names = [_key(slit) for slit in slits_of(product)]
    if len(set(names)) < len(names):
        raise InputError("two of its slits have the same name, source and order (SLTNAME, SOURCEID, SPORDER)",
                         path=product.path)  # fmt: skip
    for slit in slits_of(product):
        slit.dispersion()
        slit.refuse_incomplete()
        if not product.tree.get("meta", {}).get("wcs") and not product.tree.get("slits"):
            raise slit.refusal_without_wcs()
