"""Images of several integrations on the way to a mosaic: their weighted mean stands for the exposure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from functools import cached_property, partial

import numpy as np

from rtools.jwst.dq import PIXEL_FLAGS
from rtools.products.io.arrays import ArrayInfo
from rtools.products.io.reading import Reading, one_by_one
from rtools.products.jwst import JwstProduct
from rtools.work import ALONE, Work

__all__ = ["MeanOfIntegrations", "mean_of"]

BAD = np.uint32(PIXEL_FLAGS["DO_NOT_USE"])

VARIANCES = ("var_poisson", "var_flat")
"""What else is of the read noise, or of a star that was subtracted, follows from the error: the mosaic finds it."""


class MeanOfIntegrations(JwstProduct):
    """A product of several integrations that answers like an image.

    Weights are 1/ERR² of each pixel. What the variances tell of the errors is independent from integration to
    integration; the rest is what the subtraction of a star leaves, which is alike in all of them and does not become
    less. Flags are those of the integrations that count. ``var_rnoise`` is left out, so that what is not in the other
    variances is taken from the error, be it read noise or what the subtraction of a star leaves.
    """

    @cached_property
    def arrays(self) -> dict[str, ArrayInfo]:
        """The images of two axes that it answers with."""
        held = super().arrays
        shape, found = held["data"].shape[-2:], {}
        for name, info in held.items():
            if len(info.shape) == 2 or name in ("data", "err", "dq", *VARIANCES):
                found[name] = ArrayInfo(shape, info.dtype, unit=info.unit)
        return found

    @cached_property
    def _made(self) -> dict[str, np.ndarray]:
        planes = {name: self.pixels(name) for name in ("data", "err", "dq", *VARIANCES) if name in self.arrays}
        wanted = ("VAR_POISSON", "VAR_FLAT", "VAR_RNOISE")
        known = all(self.versions(name) and self.hdu(name).shape == self.hdu("SCI").shape for name in wanted)
        return mean_of(planes, self.pixels("var_rnoise") if known else None)

    def array(self, name: str, work: Work = ALONE, *, part: bool = False) -> np.ndarray:
        """A whole image, to be kept or changed."""
        return self._made[name].copy() if name in self._made else self.pixels(name)

    def rows(self, name: str, start: int, stop: int, work: Work = ALONE) -> np.ndarray:
        """Rows of an image."""
        return self.array(name)[start:stop]

    def row_spans(self, name: str, spans: Iterable[tuple[int, int]]) -> Reading:
        """Rows of an image that are being read."""
        info, cuts = self.arrays[name], [tuple(span) for span in spans]
        shapes = [(max(stop - start, 0), *info.shape[1:]) for start, stop in cuts]
        return one_by_one(partial(self.rows, name), cuts, shapes, info.dtype)

    @classmethod
    def of(cls, product: JwstProduct) -> MeanOfIntegrations:
        """The same file.

        Parameters
        ----------
        product : JwstProduct
            Opened.
        """
        return cls(**{field.name: getattr(product, field.name) for field in fields(product) if field.init})


def mean_of(planes: dict[str, np.ndarray], read_noise: np.ndarray | None = None) -> dict[str, np.ndarray]:
    """The weighted mean of integrations.

    Parameters
    ----------
    planes : dict of str to ndarray
        ``data``, ``err``, ``dq`` and variances, (integrations, y, x).
    read_noise : ndarray, optional
        Variance of the read noise; with it errors are told apart into noise and what all integrations have in common.
        Without it all of them is noise.

    Returns
    -------
    dict of str to ndarray
        (y, x), of the types that they had. NaN, and DO_NOT_USE in ``dq``, where no integration counts.
    """
    data, err, dq = (planes[name] for name in ("data", "err", "dq"))
    good = np.isfinite(data) & np.isfinite(err) & (err > 0) & (dq & BAD == 0)
    weight = np.where(good, 1 / np.where(good, err, 1).astype(np.float64) ** 2, 0)
    total = weight.sum(axis=0)
    nothing = total == 0
    flags = np.where(nothing, dq[0] | BAD, np.bitwise_or.reduce(np.where(good, dq, 0), axis=0))
    total[nothing] = np.nan
    variance = np.where(good, err, 0).astype(np.float64) ** 2
    noise = variance if read_noise is None else read_noise + sum(planes[name].astype(np.float64) for name in VARIANCES)
    noise = np.minimum(np.where(good & np.isfinite(noise), noise, variance), variance)
    common = np.sum(weight * np.sqrt(variance - noise), axis=0) / total
    error = np.sqrt(np.sum(weight**2 * noise, axis=0) / total**2 + common**2)
    found = {"data": np.sum(weight * np.where(good, data, 0), axis=0) / total, "err": error}
    for name in planes.keys() & set(VARIANCES):
        found[name] = np.sum(weight**2 * np.where(good, planes[name], 0), axis=0) / total**2
    return {name: image.astype(planes[name].dtype) for name, image in (found | {"dq": flags}).items()}
