"""The detector and the PSF at a guide window, by the references of the exposure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rtools.declare import Reference
from rtools.errors import InputError
from rtools.guide import Readout
from rtools.guide.difference import ConverterCurve
from rtools.pipeline.guide.request import GuideRequest
from rtools.products.io import open_product
from rtools.products.schema.history import is_simulated
from rtools.reference import find
from rtools.reference.epsf import from_reference, jitter_of
from rtools.reference.epsf_choice import refuse_mission
from rtools.wfi import dq
from rtools.wfi.frame import BORDER, CHANNEL
from rtools.wfi.instrument import SPECTRAL_ELEMENTS
from rtools.wfi.units import MAS

if TYPE_CHECKING:
    from rtools.guide import GuidePsf
    from rtools.products.guide import Guide

__all__ = ["GuideInstrument", "angles_of_wcs", "instrument_of", "stretch_of"]

STEP = 1.0
"""Pixels over which the WCS is looked at."""

SPECTRAL_PSF = "F158"
"""Filter whose PSF stands for the profile across a spectrum."""

REFERENCES = ("gain", "readnoise", "saturation", "linearity", "mask")
"""Types whose planes are cut to the window."""


@dataclass(frozen=True, eq=False)
class GuideInstrument:
    """References of a guide window.

    Attributes
    ----------
    sources : mapping of str to reference source or None
        By type.
    gain : float or None
        That the user gives.
    linearity : bool
        Whether resultants are linearised.
    """

    sources: Mapping[str, Any]
    gain: float | None
    linearity: bool
    _known: dict[tuple[Any, ...], Readout] = field(default_factory=dict, repr=False)

    def readout_at(self, lower: tuple[int, int], shape: tuple[int, int], reads: tuple[int, int]) -> Readout:
        """The detector at a window.

        Parameters
        ----------
        lower : tuple of int
            Column and row of its first pixel, 0-based in the frame of 4096.
        shape : tuple of int
            Rows and columns.
        reads : tuple of int
            Readings that pedestal and signal are means of.

        Returns
        -------
        rtools.guide.Readout
            References are read once for each window.
        """
        key = (*lower, *shape, *reads)
        if key not in self._known:
            self._known[key] = self._readout(lower, shape, reads)
        return self._known[key]

    def _readout(self, lower, shape, reads):
        cut = {name: self._plane(name, array, lower, shape) for name, array in (
            ("gain", "data"), ("readnoise", "data"), ("saturation", "data"), ("mask", "dq"))}  # fmt: skip
        gain = np.float32(self.gain) if self.gain is not None else cut["gain"]
        masked = None if cut["mask"] is None else (cut["mask"].astype(np.uint32) & dq.PIXEL["DO_NOT_USE"]) > 0
        linearity = self._plane("linearity", "coeffs", lower, shape) if self.linearity else None
        noise = np.sqrt(2) * cut["readnoise"] * gain
        curves = self._curves(lower[0], shape[1]) if self.linearity else ()
        return Readout(gain, noise, cut["saturation"], masked, linearity, reads[0], reads[1], curves)

    def _curves(self, first, columns):
        """Integral non-linearity of the channels of a window."""
        source = self.sources.get("integralnonlinearity")
        if source is None:
            return ()
        value, tables = np.asarray(source.node("value"), float), source.node("inl_table")
        found = []
        for channel in range(first // CHANNEL, (first + columns - 1) // CHANNEL + 1):
            correction = (tables.get(f"science_channel_{channel + 1:02d}") or {}).get("correction")
            if correction is None or np.shape(correction) != value.shape:
                raise InputError(f"the integralnonlinearity reference has nothing right for channel {channel + 1}")
            own = slice(max(channel * CHANNEL - first, 0), (channel + 1) * CHANNEL - first)
            found.append(ConverterCurve(own, value, np.asarray(correction, float)))
        return tuple(found)

    def _plane(self, kind, array, lower, shape):
        """A reference cut to a window; None without the reference."""
        source = self.sources.get(kind)
        if source is None:
            return None
        (x, y), (rows, columns) = lower, shape
        band = source.columns(array, int(x), int(x) + columns)
        return np.ascontiguousarray(band[..., int(y) : int(y) + rows, :])

    def psf_at(self, x: float, y: float) -> GuidePsf:
        """The PSF of a star.

        Parameters
        ----------
        x, y : float
            Its place, 0-based in the frame of 4096.

        Returns
        -------
        rtools.guide.GuidePsf
        """
        from rtools.guide import psf_at  # what is compiled is loaded where it is needed

        source = self.sources["epsf"]
        refuse_mission(source, "roman")
        return psf_at(from_reference(source), x - BORDER, y - BORDER, jitter=jitter_of(source))


def instrument_of(guide: Guide, request: GuideRequest, log: Callable[[str, str], None]) -> GuideInstrument:
    """Find the references of a guide-window file.

    Parameters
    ----------
    guide : rtools.products.guide.Guide
        The file.
    request : GuideRequest
        What is asked.
    log : callable
        ``log(level, text)``.

    Returns
    -------
    GuideInstrument

    Raises
    ------
    MissingReferenceError
        One that is needed is nowhere.
    """
    spectral = guide.element in SPECTRAL_ELEMENTS
    kind = "WFI_SPECTRAL" if spectral else "WFI_IMAGE"
    element = SPECTRAL_PSF if spectral or guide.element in ("DARK", "NOT_CONFIGURED") else guide.element
    meta = {
        "exposure": {"type": kind, "start_time": guide.meta["t_start"]},
        "instrument": {"detector": guide.detector, "optical_element": element},
    }
    uses = [Reference(name, absent="skip") for name in ("saturation", "mask")]
    uses.append(Reference("readnoise"))
    curve = Reference("integralnonlinearity", nodes=("value", "inl_table"), absent="skip", optional=True)
    uses += [curve] * request.linearity
    uses += [Reference("gain")] * (request.gain is None) + [Reference("linearity", absent="skip")] * request.linearity
    uses += [Reference("epsf")] * (request.centroid == "psf")
    simulated = is_simulated(guide.product.history)
    sources = find.references(meta, uses, request.references, simulated=simulated, log=log)
    return GuideInstrument(sources, request.gain, request.linearity)


def angles_of_wcs(path: str, place: tuple[float, float]) -> NDArray[np.float64]:
    """Angles on the sky by pixel, by the WCS of a file.

    Parameters
    ----------
    path : str
        A _wcs file, or an image with its WCS.
    place : tuple of float
        x, y, 0-based in the frame of 4096.

    Returns
    -------
    ndarray float64 (2, 2)
        mas along +x and +y of the detector, which are square to each other, by pixel.

    Raises
    ------
    InputError
        The file has no WCS.
    """
    from rtools.products.edit.wcs import load_wcs
    from rtools.wfi.sphere import to_plane

    with open_product(path) as product:
        wcs = product.node("wcs_l2") if product.kind == "wcs" else load_wcs(product)
    x = np.array([place[0], place[0] + STEP, place[0]]) - BORDER
    y = np.array([place[1], place[1], place[1] + STEP]) - BORDER
    ra, dec = wcs(x, y)
    xi, eta = to_plane(ra, dec, (ra[0], dec[0]), unit=MAS)
    return stretch_of(np.array([xi[1:], eta[1:]]) / STEP)


def stretch_of(jacobian: NDArray[np.float64]) -> NDArray[np.float64]:
    """The symmetric part of a transform that turns and stretches.

    Parameters
    ----------
    jacobian : ndarray float64 (2, 2)
        Derivatives of angles by x and y of the pixel, in any axes on the sky.

    Returns
    -------
    ndarray float64 (2, 2)
        The root of JᵀJ: the same angles in the axes on the sky that are nearest to those of the pixels.
    """
    values, vectors = np.linalg.eigh(jacobian.T @ jacobian)
    return vectors @ np.diag(np.sqrt(values)) @ vectors.T
