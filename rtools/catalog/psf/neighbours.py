"""Who is near whom: nearest neighbours and groups."""

import numpy as np

__all__ = ["friends", "nearest"]


def nearest(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The nearest other place of each place.

    Parameters
    ----------
    x, y : ndarray float64 (n,)
        NaN allowed.

    Returns
    -------
    index : ndarray int64 (n,)
        -1 where there is none.
    distance : ndarray float64 (n,)
        NaN where there is none.
    """
    from scipy.spatial import cKDTree

    index, distance = np.full(len(x), -1), np.full(len(x), np.nan)
    good = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    if len(good) > 1:
        places = np.stack([x[good], y[good]], axis=1)
        distances, found = cKDTree(places).query(places, k=2)
        # Of places that coincide, the tree may give a place itself as the second.
        own = found[:, 1] == np.arange(len(good))
        index[good] = good[np.where(own, found[:, 0], found[:, 1])]
        distance[good] = distances[:, 1]
    return index, distance


def friends(x: np.ndarray, y: np.ndarray, link: float) -> np.ndarray:
    """Groups of places that hang together by steps of at most `link`.

    Parameters
    ----------
    x, y : ndarray float64 (n,)
        NaN allowed: a group of its own.
    link : float
        Longest step, in the unit of the places.

    Returns
    -------
    ndarray int32 (n,)
        Number of the group, from 0 in the order of the first members.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import cKDTree

    good = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    if not len(good):
        return np.arange(len(x), dtype=np.int32)
    pairs = good[cKDTree(np.stack([x[good], y[good]], axis=1)).query_pairs(link, output_type="ndarray")]
    edges = coo_array((np.ones(len(pairs), np.int8), tuple(pairs.T)), shape=(len(x), len(x)))
    return connected_components(edges, directed=False)[1]
