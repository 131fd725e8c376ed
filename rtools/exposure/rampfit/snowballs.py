"""Snowballs: large cosmic-ray events, a saturated core in a ring of jumps, whose faint halo no jump search finds.

In every resultant, groups of jump pixels that hold a fresh saturated core are replaced by an ellipse with the same
moments, made larger, and everything inside is flagged as a jump; cores are extended, too. The search looks at the flags
of the whole frame, one resultant at a time, and says which ellipses are to be flagged; the flagging can be done in any
part of the frame. Peak memory beyond the flags is a few bytes per pixel of one resultant. Both missions are served.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from rtools.declare import Option
from rtools.exposure.rampfit.ellipses import box_around, fill_ellipse, find_ellipses, holds_any, reach_around
from rtools.wfi.dq import GROUP
from rtools.wfi.frame import CHANNEL

__all__ = ["EventArea", "event_options", "find_event_areas", "flag_area", "flag_snowballs", "reach_of"]

SATURATED = np.uint8(GROUP["SATURATED"])
JUMP_DET = np.uint8(GROUP["JUMP_DET"])

# Ellipses grow to no more than this full axis, in pixels.
LARGEST_AXIS = 200


class EventArea(NamedTuple):
    """An ellipse that is flagged for a large event.

    Attributes
    ----------
    group : int
        The resultant or group in which the event came.
    center : (int, int)
        Column and row, pixels.
    radii : (int, int)
        Minor and major, pixels.
    angle : float
        As in `Ellipse`, in rad.
    is_core : bool
        Whether it is an extended core, whose pixels become SATURATED and nothing else from its group on. Else they get
        JUMP_DET in its group, but for those that are SATURATED there.
    """

    group: int
    center: tuple[int, int]
    radii: tuple[int, int]
    angle: float
    is_core: bool

    def box(self, shape: tuple[int, int], first: tuple[int, int] = (0, 0)) -> tuple[slice, slice]:
        """Rows and columns around it, as far as a frame goes.

        Parameters
        ----------
        shape : (int, int)
            Rows and columns of the frame, or of the part of it that begins at `first`.
        first : (int, int)
            Row and column of the first pixel.
        """
        return box_around((self.center[0] - first[1], self.center[1] - first[0]), self.radii, shape)


def event_options(*, jump_area: float, factor: float, core_axis: float, edge: int) -> tuple[Option, ...]:
    """Options of the search, which both missions have, with the defaults that a mission has for its own.

    Parameters
    ----------
    jump_area : float
        Default of min-jump-area, pixels.
    factor : float
        Default of expand-factor.
    core_axis : float
        Default of min-sat-radius-extend, pixels.
    edge : int
        Default of edge-size, pixels.
    """
    return (
        Option("min-sat-area", 1.0, "Least area of a snowball's saturated core, in pixels.", minimum=0.0),
        Option(
            "min-jump-area", jump_area, "Least area of a group of jumps taken for a snowball, in pixels.", minimum=0.0
        ),
        Option("expand-factor", factor, "Factor on the axes of a snowball.", minimum=0.0),
        Option("sat-required-snowball", True, "A snowball has a saturated core."),
        Option(
            "min-sat-radius-extend", core_axis, "Cores with a larger minor axis are extended, in pixels.", minimum=0.0
        ),
        Option("sat-expand", 2, "How far a saturated core is extended on every side, in pixels.", minimum=0),
        Option("edge-size", edge, "Nearer to the edge than this a snowball needs no core, in pixels.", minimum=0),
    )


def flag_snowballs(flags: np.ndarray, options: Mapping[str, Any]) -> list[int]:
    """Flag the surroundings of snowballs.

    Parameters
    ----------
    flags : ndarray uint8 (G, rows, columns)
        Group flags of the full frame after the jump search; changed in place. JUMP_DET is added inside expanded
        ellipses; extended cores become SATURATED (and nothing else) from their resultant on.
    options : mapping of str to object
        As `find_event_areas` takes them.

    Returns
    -------
    list of int
        Readout channels in which a flag changed.
    """
    changed: set[int] = set()
    for area in find_event_areas(flags.__getitem__, flags.shape[0], options):
        (_rows, columns), touched = flag_area(flags, area)
        across = columns.start + np.flatnonzero(touched.any(axis=0))
        changed |= {int(channel) for channel in np.unique(across // CHANNEL)}
    return sorted(changed)


def find_event_areas(plane_of: Callable[[int], np.ndarray], groups: int, options: Mapping[str, Any]) -> list[EventArea]:
    """Find snowballs in the flags of a ramp, and what is to be flagged for them.

    A core that was extended is saturated from then on, for the search of later groups, too.

    Parameters
    ----------
    plane_of : callable
        ``plane_of(group)`` gives the flags of the whole frame in a group, uint8 (rows, columns). JUMP_DET and SATURATED
        are looked at, whose bits are the same in both missions. Each group is asked for once, in order.
    groups : int
        Number of groups.
    options : mapping of str to object
        min_sat_area, min_jump_area, expand_factor, sat_required_snowball, min_sat_radius_extend, sat_expand and
        edge_size, as `event_options` declares them.

    Returns
    -------
    list of EventArea
        In the order in which they are to be flagged.
    """
    found: list[EventArea] = []
    if groups < 2:
        return found
    saturated = plane_of(0) & SATURATED != 0
    flags = plane_of(1)
    extended = np.zeros(flags.shape, bool)  # by cores that came before
    fresh = (flags & SATURATED != 0) & ~saturated
    for g in range(1, groups):
        cores = find_ellipses(fresh & ~extended, options["min_sat_area"])
        events = find_ellipses((flags & JUMP_DET != 0) & ~extended, options["min_jump_area"])
        if g + 1 < groups:
            saturated, flags = flags & SATURATED != 0, plane_of(g + 1)
            fresh = (flags & SATURATED != 0) & ~saturated
            coming = find_ellipses(fresh & ~extended, options["min_sat_area"])
        else:
            coming = []
        if options["sat_required_snowball"]:
            x, y = (np.array([getattr(core, axis) for core in (*cores, *coming)], float) for axis in "xy")
            events = [e for e in events if _near_edge(e, extended.shape, options["edge_size"]) or holds_any(e, x, y)]
            large = [core for core in cores if core.minor > options["min_sat_radius_extend"]]
            for area in [_extended(g, core, 2 * options["sat_expand"]) for core in large]:
                box, inside = fill_ellipse(area.center, area.radii, area.angle, extended.shape)
                extended[box] |= inside
                found.append(area)
        found += [_expanded(g, event, options["expand_factor"]) for event in events]
    return found


def reach_of(areas: Sequence[EventArea]) -> np.ndarray:
    """First row, first column, row and column behind the last one of the boxes around areas.

    Parameters
    ----------
    areas : sequence of EventArea
        Any number of them.

    Returns
    -------
    ndarray int64 (areas, 4)
        They may lie beyond the edges of the frame.
    """
    center = np.array([area.center[::-1] for area in areas], np.int64).reshape(-1, 2)
    reach = np.array([reach_around(area.radii) for area in areas], np.int64).reshape(-1, 1)
    return np.concatenate([center - reach, center + reach + 1], axis=1)


def flag_area(
    flags: np.ndarray, area: EventArea, first: tuple[int, int] = (0, 0)
) -> tuple[tuple[slice, slice], np.ndarray]:
    """Flag what is to be flagged for an event, in place.

    Parameters
    ----------
    flags : ndarray uint8 (G, rows, columns)
        Flags of all groups, of the frame or of a part of it.
    area : EventArea
        In pixels of the frame.
    first : (int, int)
        Row and column of the frame at which `flags` begin.

    Returns
    -------
    box : (slice, slice)
        Rows and columns of `flags` around it.
    changed : ndarray bool
        Pixels of the box whose flags are others now.
    """
    center = area.center[0] - first[1], area.center[1] - first[0]
    box, inside = fill_ellipse(center, area.radii, area.angle, flags.shape[1:])
    if area.is_core:
        part = flags[area.group :, box[0], box[1]]
        changed = np.any((part != SATURATED) & inside, axis=0)
        part[:, inside] = SATURATED
        return box, changed
    part = flags[area.group, box[0], box[1]]
    inside &= part & SATURATED == 0
    changed = inside & (part & JUMP_DET == 0)
    part[inside] |= JUMP_DET
    return box, changed


def _near_edge(event, shape, distance):
    """Whether a centre lies so near the edge that the core may be off the detector."""
    rows, columns = shape
    low, high = distance, (max(0, columns - distance), max(0, rows - distance))
    return event.x < low or event.y < low or event.x > high[0] or event.y > high[1]


def _extended(g, core, growth):
    """A core that grows by so much on each of its axes."""
    radii = tuple(round(min(axis + growth, LARGEST_AXIS) / 2) for axis in (core.minor, core.major))
    return EventArea(g, (round(core.x), round(core.y)), radii, core.angle, is_core=True)


def _expanded(g, event, factor):
    """An event, larger by a factor."""
    axes = (event.minor * factor, event.major + (factor - 1) * event.minor)
    radii = tuple(round(min(axis, LARGEST_AXIS) / 2) for axis in axes)
    return EventArea(g, (round(event.x), round(event.y)), radii, event.angle, is_core=False)
