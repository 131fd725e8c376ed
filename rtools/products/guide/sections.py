"""Reading one stage of a guide-window file: lengths, corners, flags, times, centroids, whatever the file's age."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from rtools.products.guide.problems import Notes
from rtools.products.guide.stage import PREFIXES, SECTIONS, GuideStage
from rtools.products.guide.timing import time_stage
from rtools.products.guide.values import column, is_empty_list, length_of, node_at, shape_of, texts
from rtools.products.io import Product
from rtools.wfi import metadata
from rtools.wfi.moments import Moments

__all__ = ["AMP33", "CENTROIDS", "places_of", "read_stage"]

CENTROIDS = ("centroid", "centroids")
"""The section of the centroids: as the schema has it, and as documents of the archive call it."""

AMP33 = "amp33"
"""The section of the reference output."""

PIXELS = ("pedestal_resultants", "signal_resultants")
COLUMNS = (
    "pedestal_times",
    "signal_times",
    "lower_left_corners",
    "upper_right_corners",
    "reset_read_flag",
    "reset_impacted_pairs",
    "sci_data_packet_counts",
    "sce_status_flag",
    "gw_resultant_err_flag",
    "min_bind_flag",
    "max_bind_flag",
    "pixel_offsets",
    "exposure_mapping",
)
OF_CENTROIDS = ("centroids", "centroid_errs", "centroid_quality", "centroid_times")
OF_AMP33 = ("pedestals", "signals")


def read_stage(notes: Notes, name: str, meta: Mapping[str, Any], since: Moments) -> GuideStage | None:
    """Read one stage; pixels stay where they are.

    Parameters
    ----------
    notes : Notes
        The file; remarks and problems go into it.
    name : str
        ``acq``, ``edge`` or ``track``.
    meta : mapping
        Metadata of the file.
    since : Moments
        When its times begin.

    Returns
    -------
    GuideStage or None
        None where the file has no such section.
    """
    section = node_at(notes.product, SECTIONS[name])
    if not isinstance(section, dict):
        if section is not None:
            notes.problem(SECTIONS[name], "not a group of arrays")
        return None
    places = places_of(notes.product, name)
    pairs = _check_lengths(notes, places)
    shape = _window(notes, places)
    _check_amp33(notes, places, shape)
    lower, upper = _corners(notes, places, pairs, shape)
    exposure = _exposures(notes, places, pairs, name)
    centroids = _centroids(notes, places, pairs)
    timing = time_stage(notes, places, (pairs, PREFIXES[name]), meta, since=since, exposure=exposure)
    flags = {
        field: _flags(notes, places, f"{array}_flag", pairs)
        for field, array in (
            ("sce_status", "sce_status"),
            ("resultant_err", "gw_resultant_err"),
            ("min_bind", "min_bind"),
            ("max_bind", "max_bind"),
        )
    }
    return GuideStage(
        name=name,
        pairs=pairs,
        shape=shape,
        lower=lower,
        upper=upper,
        reset_read=_one_per_pair(notes, places, "reset_read_flag", pairs).astype(bool),
        reset_impacted=_one_per_pair(notes, places, "reset_impacted_pairs", pairs).astype(bool),
        packet_counts=_two_per_pair(notes, places, "sci_data_packet_counts"),
        offsets=_one_per_pair(notes, places, "pixel_offsets", pairs),
        exposure=exposure,
        **flags,
        **centroids,
        **timing._asdict(),
        has=frozenset(places),
        product=notes.product,
        expected=_expected(meta),
    )


def places_of(product: Product, name: str) -> dict[str, str]:
    """Arrays that a file has of a stage, by the names of `GuideStage.has`.

    Parameters
    ----------
    product : Product
        The file.
    name : str
        ``acq``, ``edge`` or ``track``.

    Returns
    -------
    dict of str to str
        Name of each array, and its dotted path below ``roman``.
    """
    section, prefix = SECTIONS[name], PREFIXES[name]
    group = next((one for one in CENTROIDS if isinstance(node_at(product, one), dict)), CENTROIDS[0])
    places = {one: f"{section}.{one}" for one in (*PIXELS, *COLUMNS)}
    places |= {one: f"{group}.{prefix}_{one}" for one in OF_CENTROIDS}
    places |= {f"amp33_{one}": f"{AMP33}.amp33_{prefix}_{one}" for one in OF_AMP33}
    return {one: path for one, path in places.items() if node_at(product, path) is not None}


def _check_lengths(notes, places):
    """Number of pairs; arrays of another length are left out."""
    lengths = {name: length_of(notes.product, path) for name, path in places.items()}
    lengths = {name: length for name, length in lengths.items() if length is not None}
    if not lengths:
        return 0
    model = next((name for name in PIXELS if name in lengths), None)
    if model is None:
        most = Counter(lengths.values()).most_common(1)[0][0]
        model = next(name for name, length in lengths.items() if length == most)
    for name, length in lengths.items():
        if is_empty_list(notes.product, places[name]) and lengths[model]:
            notes.remark(f"{places.pop(name)}: empty")
        elif length != lengths[model]:
            notes.problem(places.pop(name), f"{length} entries, not {lengths[model]} as {places[model]}")
    return lengths[model]


def _window(notes, places):
    """Rows and columns of the windows; pixels that are not a cube are left out."""
    shapes = {}
    for name in PIXELS:
        if name in places:
            shape = shape_of(notes.product, places[name])
            if shape is None or len(shape) != 3:
                notes.problem(places.pop(name), "not an array of three dimensions")
            else:
                shapes[name] = shape[1:]
    if len(set(shapes.values())) > 1:
        (rows, columns), (others, across) = (shapes[name] for name in PIXELS)
        message = f"windows of {others} x {across} pixels, those of the pedestals have {rows} x {columns}"
        notes.problem(places.pop(PIXELS[1]), message)
    return next(iter(shapes.values()), None)


def _check_amp33(notes, places, shape):
    """Leave out a reference output that has not the rows of the window; its columns are free."""
    for one in OF_AMP33:
        name = f"amp33_{one}"
        found = shape_of(notes.product, places[name]) if name in places else None
        if name in places and (found is None or len(found) != 3):
            notes.problem(places.pop(name), "not an array of three dimensions")
        elif found is not None and shape is not None and found[1] != shape[0]:
            notes.problem(places.pop(name), f"{found[1]} rows, the windows have {shape[0]}")


def _corners(notes, places, pairs, shape):
    """First pixels, and those one past the last, of the windows."""
    lower = _two_per_pair(notes, places, "lower_left_corners")
    upper = _two_per_pair(notes, places, "upper_right_corners")
    if shape is None or not pairs or lower is None or upper is None:
        return lower, upper
    wanted = np.array(shape[::-1])
    size = upper - lower
    if (size == wanted - 1).all():
        notes.remark(f"{places['upper_right_corners']}: the last pixels, not one past them")
        return lower, upper + 1
    wrong = np.flatnonzero((size != wanted).any(axis=1))
    if wrong.size:
        width, height = size[wrong[0]]
        message = f"pair {wrong[0]}: the corners span {width} x {height} pixels, the window has {shape[1]} x {shape[0]}"
        notes.problem(places["upper_right_corners"], message)
        return lower, None
    return lower, upper


def _exposures(notes, places, pairs, name):
    if name == "track" and pairs and "exposure_mapping" not in places:
        notes.remark("track_data.exposure_mapping: missing, all pairs are of one exposure 0")
    return _one_per_pair(notes, places, "exposure_mapping", pairs)


def _flags(notes, places, name, pairs):
    """Flags of pedestal and signal; one number is for all of them."""
    found = column(notes.product, places[name]) if name in places else None
    if found is None:
        return np.zeros((pairs, 2), bool)
    if found.ndim == 1:
        notes.remark(f"{places[name]}: one flag a pair, taken for pedestal and signal")
        found = found[:, None]
    if found.ndim > 2 or (found.ndim == 2 and found.shape[1] not in (1, 2)):
        notes.problem(places[name], f"shape {found.shape}, not ({pairs}, 2)")
        return np.zeros((pairs, 2), bool)
    return np.array(np.broadcast_to(found != 0, (pairs, 2)))


def _one_per_pair(notes, places, name, pairs):
    """Numbers; one is for all pairs, and 0 stands for what is missing."""
    found = column(notes.product, places[name]) if name in places else None
    if found is None:
        return np.zeros(pairs, np.int32)
    if found.ndim > 1:
        notes.problem(places[name], f"{found.ndim} dimensions, not 1")
        return np.zeros(pairs, np.int32)
    return np.array(np.broadcast_to(found, pairs)).astype(np.int32)


def _two_per_pair(notes, places, name):
    found = column(notes.product, places[name]) if name in places else None
    if found is None or (found.ndim == 2 and found.shape[1] == 2):
        return None if found is None else found.astype(np.int32)
    notes.problem(places[name], f"shape {found.shape}, not ({len(found) if found.ndim else 'n'}, 2)")
    return None


def _centroids(notes, places, pairs):
    """Downlinked centroids with their errors and words, each with an axis for several of a pair."""
    found = {}
    for name, last in (("centroids", 2), ("centroid_errs", 3), ("centroid_quality", None)):
        read = texts if last is None else column
        array = read(notes.product, places[name]) if name in places else None
        found[name] = None if array is None else _with_several(notes, places[name], array, (pairs, last))
    several = {name: array.shape[1] for name, array in found.items() if array is not None}
    if len(set(several.values())) > 1:
        most = max(several.values())
        for name in [name for name, number in several.items() if number != most]:
            notes.problem(places[name], f"{several[name]} of a pair, others have {most}")
            found[name] = None
    if max(several.values(), default=1) > 1 and "acq_centroids" not in places.get("centroids", "acq_centroids"):
        notes.remark(f"{places['centroids']}: up to {max(several.values())} of a pair, the schema has one")
    return found


def _with_several(notes, path, array, shape):
    """An array of (pairs, several, last), or (pairs, several) where there is no last axis."""
    pairs, last = shape
    wanted = (last,) if last else ()
    if array.size == 0 and not pairs:
        return array.reshape(0, 1, *wanted)
    if array.shape[1:] == wanted:
        array = array[:, None]
    if array.ndim != 2 + len(wanted) or array.shape[2:] != wanted:
        notes.problem(path, f"shape {array.shape}")
        return None
    return array.astype(np.float32) if last else array


def _expected(meta):
    """Where the metadata expect the star, pixels."""
    place = [metadata.get(meta, f"guide_star.predicted_{axis}") for axis in "xy"]
    good = all(isinstance(one, int | float) and np.isfinite(one) and one >= 0 for one in place)
    return (float(place[0]), float(place[1])) if good else None
