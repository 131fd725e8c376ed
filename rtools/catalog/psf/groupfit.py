"""Groups of sources fitted together: small ones at once, large ones piece by piece.

Groups of more than `TOGETHER` sources, in crowded fields, are halved by position until no piece has more than `PIECE`.
A piece is fitted with the light of the rest of its group taken away, piece after piece, until nothing moves: memory and
time grow with the number of sources, not with its square or cube.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rtools.catalog.psf._psffit_work import (
    FLAGS,
    PIXELS,
    SIDE,
    FittedStars,
    LightReach,
    Pieces,
    PsfModel,
    RegionPixels,
    RestOfGroup,
)

if TYPE_CHECKING:
    from rtools.reference.epsf import Psf

__all__ = ["ChunkFit", "fit_groups"]

TOGETHER = 20
"""Sources of the largest group that is fitted at once."""

PIECE = 10
"""Sources of the largest piece of a larger group."""

NEAR = 12
"""Pixels: light from farther sources of a large group is not taken anew in every sweep."""

FAR_SWEEPS = (0, 2)
"""Sweeps in which it is: when fluxes are first known, and when they are known well."""

SWEEPS = 20
"""Times that all pieces of a large group are fitted, at most."""

MOVED = 1e-2
"""A large group is done when no parameter changes by more than this share of its error."""


class ChunkFit:
    """The sources of a chunk as the kernels take them.

    Parameters
    ----------
    regions : RegionPixels
        Pixels around each source.
    model : PsfModel
        The PSF at each source.
    start : ndarray float64 (n, 3)
        x, y and flux to begin with.
    fixed : bool
        Fluxes alone are fitted: x and y stay.
    """

    def __init__(self, regions: RegionPixels, model: PsfModel, start: np.ndarray, *, fixed: bool = False) -> None:
        self.regions, self.model, self.fixed = regions, model, fixed
        n = len(start)
        errors, gof, flags = np.full((n, 4), np.nan), np.full(n, np.nan), np.zeros(n, np.int32)
        self.stars = FittedStars(start, errors, gof, flags)
        self.noise = None

    def fit(self, pieces: Pieces, *, once: bool) -> None:
        """Fit pieces.

        Parameters
        ----------
        pieces : Pieces
            Sources that are fitted together.
        once : bool
            Pixels in several regions of a piece count once, not once for each.
        """
        from rtools.catalog.psf._fixed_fit_kernels import fit_fluxes
        from rtools.catalog.psf._psffit_kernels import fit_pieces

        kernel = fit_fluxes if self.fixed else fit_pieces
        kernel(pieces, self.regions, self.model, self.stars, once)

    def take_model_variance(self, pieces: Pieces) -> None:
        """Take the variance of the pieces from their fit.

        Parameters
        ----------
        pieces : Pieces
            Sources that have been fitted.
        """
        from rtools.catalog.psf._psf_light_kernels import model_variance

        out = self.regions.variance.copy()
        model_variance(pieces, self.regions, self.model, self.stars.values, self.noise, out)
        self.regions = self.regions._replace(variance=out)

    def add_others(self, rest: RestOfGroup, reach: LightReach, out: np.ndarray) -> None:
        """Add the light of the rest of a group to the regions of a piece.

        Parameters
        ----------
        rest : RestOfGroup
            The piece, and the group around it.
        reach : LightReach
            From which distances.
        out : ndarray (n, pixels)
            Receives the light.
        """
        from rtools.catalog.psf._psf_light_kernels import add_others

        add_others(rest, reach, self.model, self.stars.values, self.regions.variance, out)


def fit_groups(fit: ChunkFit, starts: np.ndarray, psf: Psf, *, once: bool) -> None:
    """Fit the groups of a chunk with the variance that it has, or with that of the model if its noise is known.

    Parameters
    ----------
    fit : ChunkFit
        The sources, in the order of their groups; receives the results.
    starts : ndarray int64
        First source of each group, and the end.
    psf : rtools.reference.epsf.Psf
        Its envelope says how far light reaches.
    once : bool
        Pixels in several regions of a piece count once, not once for each.
    """
    every = np.arange(starts[-1])
    sizes = np.diff(starts)
    small = np.repeat(sizes <= TOGETHER, sizes)
    if small.any():
        pieces = Pieces(every[small], np.concatenate([[0], np.cumsum(sizes[sizes <= TOGETHER])]))
        if fit.noise is not None:
            fit.take_model_variance(pieces)
        fit.fit(pieces, once=once)
    for g in np.flatnonzero(sizes > TOGETHER):
        _fit_large(fit, every[starts[g] : starts[g + 1]], psf, once=once)


def _fit_large(fit, group, psf, *, once):
    """Fit a large group piece by piece, bright and faint light of the others taken away as it is known."""
    corners, values = fit.model.corners, fit.stars.values
    pieces = _halves(corners, group)
    rests = _rests(pieces, group, corners)
    envelope, far = psf.envelope, np.zeros_like(fit.regions.others)
    first = fit.noise is None
    if first:
        # The aperture holds the neighbours' light; the middle pixel has less of it.
        middle = fit.regions.data[group, PIXELS // 2] / psf.peak
        values[group, 2] = np.where(middle > 0, middle, values[group, 2])

    def take_others(rest):
        fit.add_others(rest, LightReach(envelope, 0, NEAR), fit.regions.others)
        fit.regions.others[rest.piece] += far[rest.piece]

    for sweep in range(SWEEPS):
        if sweep in (FAR_SWEEPS if first else FAR_SWEEPS[:1]):
            for rest in rests:
                fit.add_others(rest, LightReach(envelope, NEAR, envelope.size + SIDE), far)
        if sweep == 0 and not first:
            for rest in rests:
                take_others(rest)
                fit.take_model_variance(_whole(rest))
        before = values[group]
        for rest in rests:
            take_others(rest)
            fit.fit(_whole(rest), once=once)
        moved = np.abs(values[group] - before) > MOVED * fit.stars.errors[group, :3]
        if not moved.any():
            return
    fit.stars.flags[group[moved.any(axis=1)]] |= FLAGS["not_converged"]


def _whole(rest):
    """The one piece of a `RestOfGroup`."""
    return Pieces(rest.piece, np.array([0, rest.piece.size]))


def _rests(pieces, group, corners):
    """Each piece with the group around it."""
    piece_of = np.full(len(corners), -1)
    for number, piece in enumerate(pieces):
        piece_of[piece] = number
    by_x = group[np.argsort(corners[group, 0], kind="stable")]
    return [RestOfGroup(piece, piece_of, by_x) for piece in pieces]


def _halves(corners, group):
    """The group cut across its longer side into halves, and these again, until none has more than `PIECE`."""
    if group.size <= PIECE:
        return [group]
    axis = np.argmax(np.ptp(corners[group], axis=0))
    order = group[np.argsort(corners[group, axis], kind="stable")]
    return _halves(corners, order[: order.size // 2]) + _halves(corners, order[order.size // 2 :])
