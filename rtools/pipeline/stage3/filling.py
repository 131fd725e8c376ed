"""Bad pixels of apertures of slits: the spatial profile that stands for them, and what is said of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rtools.pipeline.stage3.slits import Slit
from rtools.spectra.box import BoxExtraction
from rtools.spectra.columns import SpectralSums
from rtools.spectra.profile import SpatialProfile, spatial_profile

if TYPE_CHECKING:
    from rtools.pipeline.stage3.making import ProductMaking

__all__ = ["Lack", "lack_of", "profile_of", "tell_lack"]

LEAST_TOLD = 0.999
"""Apertures of which less than this share is good are told."""


def profile_of(making: ProductMaking, parts: Sequence[tuple[Slit, tuple[BoxExtraction, int]]]) -> SpatialProfile | None:
    """The spatial profile of a spectrum, of the mean of all integrations; None where it is not asked for or needed.

    Images are read some at a time, and once more to be extracted. So all integrations have the same profile, and a
    pixel that is bad in all of them makes no change in time.

    Parameters
    ----------
    making : ProductMaking
        Options.
    parts : sequence of (Slit, (BoxExtraction, int))
        The slit in each segment, the aperture laid on it, and the axis along which the wavelength changes.

    Returns
    -------
    SpatialProfile or None
    """
    if making.options["fill"] != "profile":
        return None
    shape = parts[0][1][0].weights.shape
    total, count, noise = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    for slit, (extraction, dispersion) in parts:
        for block in slit.blocks():
            light, variance = extraction.light(slit.planes(block, dispersion))
            good = np.isfinite(light) & np.isfinite(variance)
            for number, known in enumerate(good):  # one by one: the same bits however they are divided into blocks
                total += np.where(known, light[number], 0.0)
                noise += np.where(known, variance[number], 0.0)
                count += known
    with np.errstate(invalid="ignore", divide="ignore"):
        return spatial_profile(total / count, noise / np.square(count), parts[0][1][0].weights)


class Lack(NamedTuple):
    """What apertures lack.

    Attributes
    ----------
    wavelengths, lacking, without : int
        Apertures; those that are bad in part; those without a flux.
    covered, filled : float
        The least share of an aperture that is good; the largest share of a flux that is a profile's.
    """

    wavelengths: int
    lacking: int
    without: int
    covered: float
    filled: float


def lack_of(found: SpectralSums) -> Lack:
    """What the apertures of spectra lack.

    Parameters
    ----------
    found : SpectralSums
        Of one or several integrations.

    Returns
    -------
    Lack
    """
    lacking = int((found.covered < LEAST_TOLD).sum())
    filled = 0.0 if found.filled is None else float(np.nan_to_num(found.filled).max(initial=0.0))
    least = float(found.covered.min(initial=1.0))
    return Lack(found.flux.size, lacking, int(np.isnan(found.flux).sum()), least, filled)


def tell_lack(making: ProductMaking, slit: Slit, told: Sequence[Lack]) -> None:
    """Say what the apertures of a spectrum lack, and what stands for it.

    Parameters
    ----------
    making : ProductMaking
        Options, and who takes messages.
    slit : Slit
        Whose spectrum it is.
    told : sequence of Lack
        Of its integrations, block by block.
    """
    lacking, covered, without = (sum(one.lacking for one in told), min(one.covered for one in told),
                                 sum(one.without for one in told))  # fmt: skip
    if not lacking:
        return
    begin = (
        f"{slit.name}: at {lacking} of {sum(one.wavelengths for one in told)} wavelengths part of the aperture is bad"
    )
    if making.options["fill"] == "none":
        making.log("warning", f"{begin}, as little as {covered:.0%} of it good; NPIXELS says what is, and FLUX is the "
                              "sum of it")  # fmt: skip
        return
    filled = max(one.filled for one in told)
    making.log("info", f"{begin}; up to {filled:.0%} of a flux is what the spatial profile says (FILLED)")
    if without:
        making.log("warning", f"{slit.name}: at {without} wavelengths there is no flux, because half of the light or "
                              "more is bad")  # fmt: skip
