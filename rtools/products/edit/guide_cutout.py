"""Guide-window and FACE files with fewer pairs or rows, written as the schema of today has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rtools.errors import InputError
from rtools.products.edit.guide_choice import runs_of
from rtools.products.guide import Face, Guide, GuideStage
from rtools.products.guide.face import SECTION
from rtools.products.guide.sections import AMP33, CENTROIDS, places_of
from rtools.products.guide.stage import PREFIXES, SECTIONS
from rtools.products.guide.time_lists import moments_in
from rtools.products.guide.values import column, length_of, node_at, texts
from rtools.products.schema import nodes
from rtools.wfi.fill import FILL_NUMBER
from rtools.wfi.moments import moments_of_mjd, texts_of
from rtools.wfi.units import DAY_S

__all__ = ["cut_face", "cut_guide"]

TIMES = ("pedestal_times", "signal_times", "centroid_times")
OF_CENTROIDS = ("centroids", "centroid_errs", "centroid_quality")

Kept = NDArray[np.intp]
"""Numbers of what is kept, ascending."""


def cut_guide(guide: Guide, kept: Mapping[str, Kept]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Metadata and arrays of some pairs of a guide-window file.

    Parameters
    ----------
    guide : Guide
        What is cut.
    kept : mapping of str to ndarray
        Numbers of the pairs of each stage, ascending. A stage without is left with an empty section, or none where it
        may be missing.

    Returns
    -------
    meta, arrays : dict
        What `rtools.products.io.write_product` takes: the sections spelled as the schema has them, `meta.guide_window`,
        `meta.t_start` and `meta.t_stop` those of what is left.
    """
    parts: dict[str, Any] = {SECTIONS["acq"]: {}, SECTIONS["track"]: {}, CENTROIDS[0]: {}, AMP33: {}}
    for name, node in _others(guide.product, [*SECTIONS.values(), *CENTROIDS, AMP33]).items():
        parts[name] = node
    for stage in guide.stages:
        if stage.name in kept:
            parts |= _cut_stage(guide, stage, kept[stage.name])
    meta = _with_cutout(guide.meta, "pairs", kept)
    meta["guide_window"] = _window_numbers(guide, kept)
    meta |= _limits(guide, kept)
    if isinstance(meta.get("fgs_modes_used"), list):
        gone = [word for word, names in (("_ACQ", ("acq", "edge")), ("_TRK", ("track",))) if not kept.keys() & names]
        meta["fgs_modes_used"] = [mode for mode in meta["fgs_modes_used"] if not any(word in mode for word in gone)]
    return meta, parts


def _others(product, known):
    """What a file has at its root besides metadata and the sections that are known."""
    product.attach(product.tree)
    return {name: node for name, node in product.tree.items() if name not in ("meta", *known)}


def _cut_stage(guide, stage, keep):
    """Arrays of a stage by their paths; one number for all pairs stays one."""
    parts = {}
    for name, path in places_of(guide.product, stage.name).items():
        target = f"{CENTROIDS[0]}.{path.partition('.')[2]}" if name in (*OF_CENTROIDS, TIMES[2]) else path
        parts[target] = _chosen(guide.product, path, keep, is_time=name in TIMES)
    upper = f"{SECTIONS[stage.name]}.upper_right_corners"
    if upper in parts and stage.upper is not None:
        parts[upper] = stage.upper[keep].astype(np.uint16)
    if stage.name != "acq" and stage.centroids is not None and stage.centroids.shape[1] > 1:
        parts |= _one_of_several(stage, keep)
    return parts


def _chosen(product, path, keep, *, is_time):
    """Some items of an array or list, whatever form it has."""
    if is_time:
        times = _listed_times(product, path)
        return None if times is None else [times[place] for place in keep]
    found = column(product, path)
    if found is None or not found.ndim:
        return node_at(product, path)
    return found[keep]


def _listed_times(product, path):
    """Times as the schema has them: a list of nodes, and null for those that nobody knows."""
    node = node_at(product, path)
    if isinstance(node, list):
        return node
    moments = moments_in(product, node)
    return None if moments is None else [text and nodes.time(text) for text in texts_of(moments)]


def _one_of_several(stage: GuideStage, keep: Kept) -> dict[str, Any]:
    """Downlinked centroids as the schema has them, one a pair."""
    found, prefix = stage.downlinked(), f"{CENTROIDS[0]}.{PREFIXES[stage.name]}_centroid"
    parts: dict[str, Any] = {f"{prefix}s": np.stack([found.x, found.y], axis=1)[keep].astype(np.float32)}
    if stage.centroid_errs is not None:
        parts[f"{prefix}_errs"] = np.stack([found.xx, found.yy, found.xy], axis=1)[keep].astype(np.float32)
    if stage.centroid_quality is not None:
        parts[f"{prefix}_quality"] = found.quality[keep]
    return parts


def _window_numbers(guide, kept):
    """`meta.guide_window` of the pairs that are left; what belongs to none of them is a placeholder or gone."""
    numbers = dict(guide.meta.get("guide_window") or {})
    for name, prefix in PREFIXES.items():
        keys = [f"min_{prefix}_xstart", f"min_{prefix}_ystart", f"max_{prefix}_xstop", f"max_{prefix}_ystop"]
        stage = guide.stage(name)
        if name in kept and stage.lower is not None and stage.upper is not None:
            low, high = stage.lower[kept[name]].min(axis=0), stage.upper[kept[name]].max(axis=0)
            numbers |= dict(zip(keys, map(int, (*low, *high)), strict=True))
        elif name not in kept:
            every = [*keys, f"{prefix}_xsize", f"{prefix}_ysize"]
            numbers = {key: value for key, value in numbers.items() if name != "edge" or key not in every}
            numbers |= dict.fromkeys(every, FILL_NUMBER) if name != "edge" else {}
    return numbers


def _limits(guide, kept):
    """`t_start` and `t_stop` of the pairs that are left; those of the file where its first and last pair are."""
    filled = [stage for stage in guide.stages if stage.pairs]
    first, last = (guide.stage(list(kept)[place]) for place in (0, -1))
    begins, ends = int(kept[first.name][0]), int(kept[last.name][-1])
    limits = {}
    if (first.name, begins) != (filled[0].name, 0) or not guide.meta.get("t_start"):
        limits["t_start"] = first.pedestal_t[begins] - _until_pedestal(first)
    if (last.name, ends) != (filled[-1].name, filled[-1].pairs - 1) or not guide.meta.get("t_stop"):
        limits["t_stop"] = last.signal_t[ends]
    return _times_of(guide.t_start_mjd + np.array(list(limits.values())) / DAY_S, limits)


def _until_pedestal(stage):
    """Seconds from the reset of a window to the end of its pedestal."""
    return 0.0 if stage.table is None else (stage.table.resets + stage.table.pedestal) * stage.table.window_s


def _times_of(days, keys):
    """Nodes of times by their keys; those that nobody knows are left out."""
    told = zip(keys, texts_of(moments_of_mjd(days)), strict=True)
    return {key: nodes.time(text) for key, text in told if text is not None}


def cut_face(face: Face, rows: Kept) -> tuple[dict[str, Any], dict[str, Any]]:
    """Metadata and arrays of some rows of a FACE file.

    Parameters
    ----------
    face : Face
        What is cut.
    rows : ndarray
        Numbers of the rows, ascending.

    Returns
    -------
    meta, arrays : dict
        As of `cut_guide`. `meta.t_start` and `meta.t_stop` are those of the file where its first and last row are left,
        else the times of the centroids; modes, tables and cycles are those of the phases that are left.

    Raises
    ------
    InputError
        The section is not there.
    """
    product, section = face.product, face.product.tree.get(SECTION)
    if not isinstance(section, dict):
        raise InputError(f"{SECTION} is missing", path=face.path)
    parts = _others(product, [SECTION])
    for name in section:
        path = f"{SECTION}.{name}"
        if length_of(product, path) != len(face.t):
            parts[path] = section[name]
        elif name == "fgs_op_phase":
            words = texts(product, path)
            parts[path] = None if words is None else words[rows].tolist()
        else:
            parts[path] = _chosen(product, path, rows, is_time=name == TIMES[2])
    meta = _with_cutout(face.meta, "rows", {"face": rows})
    limits = {}
    if rows[0] != 0 or not meta.get("t_start"):
        limits["t_start"] = face.mjd[rows[0]]
    if rows[-1] != len(face.t) - 1 or not meta.get("t_stop"):
        limits["t_stop"] = face.mjd[rows[-1]]
    meta |= _times_of(np.array(list(limits.values())), limits) | _modes(meta, set(face.phase[rows].tolist()))
    return meta, parts


def _modes(meta, phases):
    """Modes with their tables and cycles, of the phases that are left."""
    keys = ("fgs_modes_used", "ma_table_ids_used", "gw_cycles_per_sci_read_used")
    lists = {key: meta[key] for key in keys if isinstance(meta.get(key), list)}
    modes = lists.get(keys[0])
    if modes is None or any(len(one) != len(modes) for one in lists.values()) or not phases & set(modes):
        return {}
    kept = [mode in phases for mode in modes]
    return {key: [item for item, keep in zip(one, kept, strict=True) if keep] for key, one in lists.items()}


def _with_cutout(meta, word, kept):
    """Metadata that say in ``meta.rtools.cutout`` of which file, and which of its pairs or rows these are.

    Those are numbers in the whole file, also for a cutout of a cutout.
    """
    known = meta.get("rtools") or {}
    before = known.get("cutout") or {}
    runs = {}
    for name, numbers in kept.items():
        earlier = (before.get(word) or {}).get(name)
        whole = np.concatenate([np.arange(*run) for run in earlier]) if earlier else None
        runs[name] = runs_of(numbers if whole is None else whole[numbers])
    source = before.get("filename") or meta.get("filename")
    place = {"filename": str(source)} if source else {}
    return dict(meta) | {"rtools": {**known, "cutout": place | {word: runs}}}
