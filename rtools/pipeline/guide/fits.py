"""How pairs of a guide window are fitted: by what ``--centroid`` says, and by what some of them tell of all."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from rtools.errors import InputError
from rtools.guide import (
    Centroids,
    Difference,
    GuidePsf,
    PairFlags,
    cropped,
    fit_edge,
    fit_edge_shape,
    fit_gaussians,
    fit_psf,
    flag_pairs,
    match_psf,
    measure_moments,
    section_of,
    shift_widths,
    sum_widths,
)
from rtools.guide.measured import COLUMNS, centroids_of
from rtools.wfi.guide import DROPPED_BY_JITTER

if TYPE_CHECKING:
    from rtools.products.guide import Guide
    from rtools.work import Work

__all__ = ["Fit", "edge_fit", "plain_fit", "psf_fit", "relative"]

Fit = Callable[[Difference, "Work"], Centroids]
"""How centroids are measured."""

MATCHED = 250
"""Pairs of an exposure at most that tell how wide the star is, before all are fitted with a PSF of this width."""

ROUNDS = 2
"""Times that the width is measured: once in first order, and once about it."""


def plain_fit(centroid: str) -> Fit:
    """A fit that needs nothing but the pair.

    Parameters
    ----------
    centroid : str
        ``gauss``; else moments are taken.

    Returns
    -------
    callable
        The fit.
    """
    if centroid == "gauss":
        return lambda difference, work: fit_gaussians(difference, work=work)
    return lambda difference, work: measure_moments(difference, work=work)


def psf_fit(difference: Difference, said: PairFlags, psf: GuidePsf, work: Work) -> Fit:
    """The fit of a PSF that is as wide as the star.

    Parameters
    ----------
    difference : rtools.guide.Difference
        Pairs that tell the width.
    said : rtools.guide.PairFlags
        What the file says of them.
    psf : rtools.guide.GuidePsf
        Of the reference, at the star.
    work : rtools.work.Work
        Threads.

    Returns
    -------
    callable
        The fit. Its widths are relative to the PSF of the reference.
    """
    every = -(-len(difference.images) // MATCHED)
    sample = difference._replace(images=difference.images[::every], masked=difference.masked[::every])
    said = PairFlags._make(flags[::every] for flags in said)
    psf = cropped(psf, difference.variance.shape)
    fit = _fit_of_width(psf, psf)
    for _ in range(ROUNDS):
        found = fit(sample, work)
        use = flag_pairs(said, found, difference.saturated[::every], difference.variance.shape)
        fit = _fit_of_width(match_psf(psf, sum_widths(found, (use & DROPPED_BY_JITTER) == 0)), psf)
    return fit


def _fit_of_width(fitted: GuidePsf, psf: GuidePsf) -> Fit:
    """The fit of one PSF, with widths relative to another."""
    excess = np.subtract(fitted.jitter, psf.jitter).tolist()
    return lambda images, work: shift_widths(fit_psf(images, fitted, work=work), excess)


def edge_fit(difference: Difference, psf: GuidePsf, guide: Guide, work: Work) -> Fit:
    """The fit of the edge of a spectrum.

    Parameters
    ----------
    difference : rtools.guide.Difference
        Pairs that tell the shape of the edge.
    psf : rtools.guide.GuidePsf
        Whose cross-section the spectrum has.
    guide : rtools.products.guide.Guide
        The file.
    work : rtools.work.Work
        Log.

    Returns
    -------
    callable
        The fit; without an edge nothing is fitted, and a warning says so.
    """
    section = section_of(psf)
    try:
        shape = fit_edge_shape(difference, section, edge=guide.edge)
    except InputError as error:
        work.log("warning", f"{guide.path}: {error.message}")
        return lambda images, _work: centroids_of(np.full((len(images.images), COLUMNS), np.nan))
    return lambda images, share: fit_edge(images, section, shape=shape, work=share)


def relative(centroids: Centroids | None) -> Centroids | None:
    """The same with χ² by its median: a star in focus is not a Gaussian, and only what differs from others is odd.

    Parameters
    ----------
    centroids : rtools.guide.Centroids or None
        Of Gaussians.

    Returns
    -------
    rtools.guide.Centroids or None
    """
    if centroids is None or not np.isfinite(centroids.chi2).any():
        return centroids
    return centroids._replace(chi2=centroids.chi2 / max(float(np.nanmedian(centroids.chi2)), 1.0))
