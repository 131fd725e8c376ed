"""What a match is sought in: the sources of an image and the reference stars around it, in one plane.

Coordinates are those of the tangent plane in which the correction is fitted, arcsec.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

__all__ = ["Field", "PointingLimits", "make_field"]

VOTERS = (200, 5000)
"""Reference stars that vote: of each field at least, of a group in all. Not the brightest: they may be saturated."""


class Field(NamedTuple):
    """One image and the reference stars around it, in the plane of the fit (arcsec).

    Attributes
    ----------
    xy, sigma : ndarray (n, 2)
        Sources and their errors.
    blended : ndarray of bool, (n,)
        Sources with another one close by.
    weight : ndarray (n,)
        The catalog's own weights; ones where it has none.
    ref_xy, ref_sigma, ref_blended
        The same of reference stars.
    voters : ndarray of int
        Reference stars that vote.
    corners : ndarray (4, 2)
        Of the image, in order around it.
    tree, ref_tree : scipy.spatial.cKDTree
        Of `xy` and `ref_xy`; None where there are none.
    """

    xy: np.ndarray
    sigma: np.ndarray
    blended: np.ndarray
    weight: np.ndarray
    ref_xy: np.ndarray
    ref_sigma: np.ndarray
    ref_blended: np.ndarray
    voters: np.ndarray
    corners: np.ndarray
    tree: Any
    ref_tree: Any


class PointingLimits(NamedTuple):
    """What may be wrong with a pointing.

    Attributes
    ----------
    center, pivot : ndarray (2,)
        Middle of the field, and the point about which the telescope may be turned, in the plane (arcsec).
    shift : float
        Largest shift, arcsec: displacement of the middle, with or without that by the rotation about the pivot.
    rotation : float
        Largest rotation, degrees.
    scale : float
        Largest |scale - 1|.
    """

    center: np.ndarray
    pivot: np.ndarray
    shift: float
    rotation: float
    scale: float


def make_field(
    sources: tuple[np.ndarray, np.ndarray],
    references: tuple[np.ndarray, np.ndarray],
    corners: np.ndarray,
    separation: float,
    *,
    flux: np.ndarray | None = None,
    weight: np.ndarray | None = None,
    group: int = 1,
) -> Field:
    """A `Field`, with what is derived from positions: blends, voters, trees.

    Parameters
    ----------
    sources, references : tuple of ndarray (n, 2)
        Positions and errors in the plane, arcsec.
    corners : ndarray (4, 2)
        Of the image, in order around it, arcsec.
    separation : float
        Closer than this (arcsec) to another of its list a source or star is blended; sources of less than a tenth of
        its flux do not count.
    flux, weight : ndarray (n,), optional
        Of sources.
    group : int
        Number of fields that will be aligned together.

    Returns
    -------
    Field
        Its trees are None where there are no sources, or no stars.
    """
    from scipy.spatial import cKDTree

    xy, sigma = sources
    ref_xy, ref_sigma = references
    tree, ref_tree = (cKDTree(places) if len(places) else None for places in (xy, ref_xy))
    voters = np.arange(len(ref_xy))
    most = max(VOTERS[0], VOTERS[1] // group)
    if len(voters) > most:
        voters = np.linspace(0, len(voters) - 1, most).astype(np.int64)
    return Field(
        xy,
        sigma,
        _blended(tree, len(xy), separation, flux),
        np.ones(len(xy)) if weight is None else np.asarray(weight, float),
        ref_xy,
        ref_sigma,
        _blended(ref_tree, len(ref_xy), separation, None),
        voters,
        np.asarray(corners, float),
        tree,
        ref_tree,
    )


def _blended(tree, count, separation, flux):
    blended = np.zeros(count, bool)
    if tree is None or separation <= 0:
        return blended
    first, second = tree.query_pairs(separation, output_type="ndarray").T
    if flux is None:
        blended[first] = blended[second] = True
    else:
        blended[first[~(flux[second] < 0.1 * flux[first])]] = True
        blended[second[~(flux[first] < 0.1 * flux[second])]] = True
    return blended
