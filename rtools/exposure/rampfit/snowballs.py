"""Snowballs: large cosmic-ray events, a saturated core in a ring of jumps, whose faint halo no jump search finds.

In every resultant, groups of jump pixels that hold a fresh saturated core are replaced by an ellipse with the same
moments, made larger, and everything inside is flagged as a jump; cores are extended, too. Works on the group flags of
the whole frame, one resultant at a time; peak memory beyond the flags is a few bytes per pixel of one resultant.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from rtools.wfi.dq import GROUP
from rtools.wfi.frame import CHANNEL

__all__ = ["Ellipse", "ellipse_of", "fill_ellipse", "find_ellipses", "flag_snowballs"]

SATURATED = np.uint8(GROUP["SATURATED"])
JUMP_DET = np.uint8(GROUP["JUMP_DET"])

# Ellipses grow to no more than this full axis, in pixels.
LARGEST_AXIS = 200

# Pixels on the rim itself are outside, whatever sin^2 + cos^2 rounds to.
ROUNDING = 1e-9

# Neighbours that come later in memory order, of the eight: right, and the three below.
LATER_NEIGHBOURS = ((0, 1), (1, -1), (1, 0), (1, 1))


class Ellipse(NamedTuple):
    """An ellipse about a group of pixels.

    Attributes
    ----------
    x, y : float
        Column and row of the centre, pixels.
    minor, major : float
        Full axes, pixels.
    angle : float
        Of the major axis, in rad, from the row axis towards the column axis: 0 is a blob that is long in y, pi/2 one
        long in x.
    """

    x: float
    y: float
    minor: float
    major: float
    angle: float


def flag_snowballs(flags: np.ndarray, options: Mapping[str, Any]) -> list[int]:
    """Flag the surroundings of snowballs.

    Parameters
    ----------
    flags : ndarray uint8 (G, rows, columns)
        Group flags of the full frame after the jump search; changed in place. JUMP_DET is added inside expanded
        ellipses; extended cores become SATURATED (and nothing else) from their resultant on.
    options : mapping of str to object
        min_sat_area, min_jump_area, expand_factor, sat_required_snowball, min_sat_radius_extend, sat_expand and
        edge_size, as `rtools.exposure.steps.rampfit.STEP` declares them.

    Returns
    -------
    list of int
        Readout channels in which a flag changed.
    """
    groups = flags.shape[0]
    changed = set()
    for g in range(1, groups):
        cores = find_ellipses(_fresh(flags, g), options["min_sat_area"])
        coming = find_ellipses(_fresh(flags, g + 1), options["min_sat_area"]) if g + 1 < groups else []
        events = find_ellipses(flags[g] & JUMP_DET != 0, options["min_jump_area"])
        if options["sat_required_snowball"]:
            low, high = options["edge_size"], max(0, flags.shape[1] - options["edge_size"])
            events = [e for e in events if _near_edge(e, low, high) or any(_holds(e, c) for c in (*cores, *coming))]
            for core in cores:
                if core.minor > options["min_sat_radius_extend"]:
                    changed |= _extend_core(flags, g, core, 2 * options["sat_expand"])
        for event in events:
            changed |= _expand(flags, g, event, options["expand_factor"])
    return sorted(changed)


def _fresh(flags, g):
    """Pixels that saturate in resultant g."""
    return (flags[g] & SATURATED != 0) & (flags[g - 1] & SATURATED == 0)


def find_ellipses(mask: np.ndarray, least_area: float) -> list[Ellipse]:
    """Ellipses of the 8-connected groups of pixels whose area, holes filled, is at least `least_area`.

    Parameters
    ----------
    mask : ndarray bool (rows, columns)
        The pixels that are grouped.
    least_area : float
        In pixels.

    Returns
    -------
    list of Ellipse
        In memory order of each group's first pixel.
    """
    from scipy.ndimage import binary_fill_holes

    found = []
    for y, x in _blobs(mask):
        height, width = np.ptp(y) + 1, np.ptp(x) + 1
        if height * width < least_area:
            continue
        if y.size < least_area:
            stamp = np.zeros((height, width), bool)
            stamp[y - y.min(), x - x.min()] = True
            if np.count_nonzero(binary_fill_holes(stamp, np.ones((3, 3)))) < least_area:
                continue
        found.append(ellipse_of(y, x))
    return found


def _blobs(mask):
    """Rows and columns of each 8-connected group of pixels, from the few pixels that are set."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    y, x = np.nonzero(mask)
    if not y.size:
        return []
    columns = mask.shape[1] + 2  # a column of nothing on either side keeps rows apart
    position = y * columns + x + 1
    pairs = []
    for dy, dx in LATER_NEIGHBOURS:
        wanted = position + dy * columns + dx
        at = np.minimum(np.searchsorted(position, wanted), position.size - 1)
        this = np.flatnonzero(position[at] == wanted)
        pairs.append((this, at[this]))
    one, other = (np.concatenate(side) for side in zip(*pairs, strict=True))
    graph = coo_array((np.ones(one.size, bool), (one, other)), shape=(y.size, y.size))
    _, label = connected_components(graph, directed=False)
    order = np.argsort(label, kind="stable")
    edges = np.flatnonzero(np.diff(label[order])) + 1
    blobs = np.split(order, edges)
    blobs.sort(key=lambda members: members[0])
    return [(y[members], x[members]) for members in blobs]


def ellipse_of(y: np.ndarray, x: np.ndarray) -> Ellipse:
    """The ellipse with the second moments of a group of pixels, its axes lessened by one pixel.

    A filled ellipse with semi-axis s has the variance s^2/4 along it, hence full axes of 4 sqrt(eigenvalue).

    Parameters
    ----------
    y, x : ndarray int64 (n,)
        Rows and columns of the pixels, one at least.

    Returns
    -------
    Ellipse
        Its axes are -1 for a single pixel.
    """
    cy, cx = y.mean(), x.mean()
    yy, xx, xy = np.mean((y - cy) ** 2), np.mean((x - cx) ** 2), np.mean((y - cy) * (x - cx))
    middle, radius = (yy + xx) / 2, np.hypot((yy - xx) / 2, xy)
    if yy == xx:
        angle = np.pi / 4 if xy > 0 else -np.pi / 4
    else:
        angle = np.arctan2(2 * xy, yy - xx) / 2
    minor, major = 4 * np.sqrt(max(middle - radius, 0)), 4 * np.sqrt(middle + radius)
    return Ellipse(float(cx), float(cy), float(minor) - 1, float(major) - 1, float(angle))


def fill_ellipse(
    center: tuple[int, int], radii: tuple[int, int], angle: float, shape: tuple[int, int]
) -> tuple[tuple[slice, slice], np.ndarray]:
    """Pixels strictly inside an ellipse around a pixel.

    Parameters
    ----------
    center : (int, int)
        Column and row.
    radii : (int, int)
        Minor and major; with a zero nothing is inside.
    angle : float
        As in `Ellipse`, in rad.
    shape : (int, int)
        Rows and columns of the frame.

    Returns
    -------
    box : (slice, slice)
        Rows and columns of the frame around the ellipse.
    inside : ndarray bool
        Which pixels of the box are inside.
    """
    cx, cy = center
    minor, major = radii
    reach = max(abs(minor), abs(major)) + 2
    rows = slice(max(cy - reach, 0), min(cy + reach + 1, shape[0]))
    columns = slice(max(cx - reach, 0), min(cx + reach + 1, shape[1]))
    y, x = np.ogrid[rows, columns]
    if minor == 0 or major == 0:
        return (rows, columns), np.zeros((y.size, x.size), bool)
    along = (y - cy) * np.cos(angle) + (x - cx) * np.sin(angle)
    across = (y - cy) * np.sin(angle) - (x - cx) * np.cos(angle)
    return (rows, columns), (along / major) ** 2 + (across / minor) ** 2 < 1 - ROUNDING


def _near_edge(event, low, high):
    """Whether a centre lies so near the edge that the core may be off the detector."""
    return event.x < low or event.y < low or event.x > high or event.y > high


def _holds(event, core):
    """Whether the centre of a core lies in an event."""
    phi = np.pi - event.angle
    dx, dy = core.x - event.x, core.y - event.y
    along = dx * np.cos(phi) - dy * np.sin(phi)
    across = dx * np.sin(phi) + dy * np.cos(phi)
    a, b = sorted((event.major / 2, event.minor / 2), reverse=True)
    return (along * b) ** 2 + (across * a) ** 2 <= (a * b) ** 2


def _extend_core(flags, g, core, growth):
    """Make the pixels of an extended core SATURATED from resultant g on; returns the channels touched."""
    radii = tuple(round(min(axis + growth, LARGEST_AXIS) / 2) for axis in (core.minor, core.major))
    box, inside = fill_ellipse((round(core.x), round(core.y)), radii, core.angle, flags.shape[1:])
    part = flags[g:, box[0], box[1]]
    touched = _channels(box, np.any((part != SATURATED) & inside, axis=0))
    part[:, inside] = SATURATED
    return touched


def _expand(flags, g, event, factor):
    """Flag the expanded event in resultant g except where saturated; returns the channels touched."""
    axes = (event.minor * factor, event.major + (factor - 1) * event.minor)
    radii = tuple(round(min(axis, LARGEST_AXIS) / 2) for axis in axes)
    box, inside = fill_ellipse((round(event.x), round(event.y)), radii, event.angle, flags.shape[1:])
    part = flags[g, box[0], box[1]]
    inside &= part & SATURATED == 0
    touched = _channels(box, inside & (part & JUMP_DET == 0))
    part[inside] |= JUMP_DET
    return touched


def _channels(box, changed):
    """Channels of the columns in which anything changed."""
    columns = box[1].start + np.flatnonzero(changed.any(axis=0))
    return {int(channel) for channel in np.unique(columns // CHANNEL)}
