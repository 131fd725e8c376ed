"""Small guide-window and FACE files, written by asdf itself: as the schemas have them, as documents do, half empty.

Two exposures after an acquisition of two reads: each a reset read of 16 pairs and a read of 16; gaps of 16 stand
before, between and after them.
"""

from typing import NamedTuple

import asdf
import numpy as np

from rtools.wfi.guide import BLOCKS, GUIDE_TABLES, WSM_TRACK_LATE
from rtools.wfi.readout import WINDOW_ROWS
from tests.support import samples

TAGS = "asdf://stsci.edu/datamodels/roman/tags/"
VISIT = "0012301008002013005"
GUIDE_NAME = f"r{VISIT}_0005_1_wfi06_f158_gw.asdf"
FACE_NAME = f"r{VISIT}_0005_1_wfi06_f158_face.asdf"
BEGIN = np.datetime64("2027-06-01T12:00:00.000", "ms")
CORNERS = {"acq": (1000, 2000), "edge": (1020, 1950), "track": (1024, 2024)}
"""x, y of the first pixel of the windows of each stage."""

MAPPING = np.repeat([-1, 1, 1, -2, 2, 2, -3], BLOCKS)
"""Exposure of each tracked pair; the first read of each is the reset read."""

ACQUIRED = 2 * BLOCKS
FORMS = ("rad", "old", "seed", "dark", "empty")
NUMBERS = ("delta", "epsilon", "zeta", "delta2", "epsilon2", "delta_var", "epsilon_var", "zeta_var",
           "horizontal_variance", "vertical_variance")  # fmt: skip


class Part(NamedTuple):
    """One stage of a file: how the names of its metadata begin, its section, its table, pairs, seconds of the first."""

    prefix: str
    section: str
    table: object
    pairs: int
    start: float


def guide_parts(spectroscopic=False):
    """`Part` of each stage of a file, by the stage's name."""
    acq, edge, track = (2, 3, None) if spectroscopic else (0, None, 1)
    tables = {"acq": GUIDE_TABLES[acq], "edge": edge and GUIDE_TABLES[edge],
              "track": WSM_TRACK_LATE if track is None else GUIDE_TABLES[track]}  # fmt: skip
    found, start = {}, 0.0
    for name, prefix in (("acq", "acq"), ("edge", "edge_acq"), ("track", "track")):
        if tables[name] is not None:
            pairs = len(MAPPING) if name == "track" else ACQUIRED
            found[name] = Part(prefix, f"{prefix}_data", tables[name], pairs, start)
            start += pairs * tables[name].cycle_s
    return found


def guide_tree(form="rad", *, spectroscopic=False):
    """The tree below ``roman`` of a guide-window file, to be changed and written by `write_guide`.

    Parameters
    ----------
    form : str
        ``rad`` is as the newest schema has it, ``old`` as tag 1.3.0 (single numbers for flags), ``seed`` as documents
        of the archive have it (``centroids``, five a pair; times as one node), ``dark`` without centroids and amp33,
        ``empty`` with empty sections.
    spectroscopic : bool
        With a grism and acquisition at an edge.
    """
    parts = guide_parts(spectroscopic)
    tree = {"meta": guide_meta(parts, "1.5.0" if form == "old" else "2.1.0", spectroscopic)}
    group = tree["centroids" if form == "seed" else "centroid"] = {}
    amp33 = tree["amp33"] = {}
    for name, part in parts.items():
        tree[part.section] = {} if form == "empty" else guide_section(name, part, form)
        if form == "dark":
            group |= {f"{part.prefix}_{one}": None for one in ("centroids", "centroid_errs", "centroid_quality")}
            group[f"{part.prefix}_centroid_times"] = [None] * part.pairs
        elif form != "empty":
            group |= centroids_of(name, part, form)
            rng = np.random.default_rng(7)
            for which in ("pedestals", "signals"):
                shape = (part.pairs, part.table.rows, 12)
                amp33[f"amp33_{part.prefix}_{which}"] = rng.integers(900, 1100, shape).astype("u2")
    return tree


def guide_meta(parts, profile, spectroscopic):
    """Metadata that agree with the arrays and with `GUIDE_NAME`."""
    meta = samples.meta("l1_gw", profile) | {"file_date": time_nodes([0.0])[0]}
    last = list(parts.values())[-1]
    meta |= {"guide_window_id": VISIT + "1", "guide_star_acq_num": 1, "avg_face_filename": FACE_NAME,
             "model_type": "L1DetectorGuidewindowModel", "filename": GUIDE_NAME, "t_start": time_nodes([0.0])[0],
             "t_stop": time_nodes([last.start + last.pairs * last.table.cycle_s])[0],
             "fgs_modes_used": ["WSM_ACQ_HC", "WSM_ACQ_VC", "WSM_TRK"] if spectroscopic else
             ["WIM_ACQ_VW", "WIM_ACQ_NA", "WIM_TRK"]}  # fmt: skip
    meta["instrument"] |= {"detector": "WFI06", "optical_element": "GRISM" if spectroscopic else "F158"}
    if spectroscopic:
        meta["wsm_edge_used"] = "blue"
        meta["filename"] = GUIDE_NAME.replace("f158", "grism")
    for name, part in parts.items():
        rows, columns, (x, y) = part.table.rows, part.table.columns, CORNERS[name]
        meta |= {f"{part.prefix}_ma_table_id": part.table.id, f"{part.prefix}_gw_cycles_per_sci_read": BLOCKS,
                 f"{part.prefix}_pedestal_resultant_exp_time": part.table.pedestal_s,
                 f"{part.prefix}_signal_resultant_exp_time": part.table.signal_s}  # fmt: skip
        meta["guide_window"] |= {
            f"min_{part.prefix}_xstart": x, f"min_{part.prefix}_ystart": y, f"max_{part.prefix}_xstop": x + columns,
            f"max_{part.prefix}_ystop": y + rows, f"{part.prefix}_xsize": columns, f"{part.prefix}_ysize": rows,
        }  # fmt: skip
    meta["guide_star"] |= {"predicted_x": 1031.6, "predicted_y": 2031.2, "gsc_id": "N5R2005564", "predicted_ra": 270.0,
                           "predicted_dec": 66.0}  # fmt: skip
    return meta


def ends_of(part):
    """Ends of pedestals and signals, seconds since the guiding began."""
    table, starts = part.table, part.start + np.arange(part.pairs) * part.table.cycle_s
    pedestal = starts + (table.resets + table.pedestal) * table.window_s
    return pedestal, pedestal + table.science_s + (table.skipped + table.signal) * table.window_s


def time_nodes(seconds):
    """Times as the schemas have them: a list, null for NaN."""
    times = times_as_one(np.nan_to_num(seconds))
    return [None if np.isnan(one) else time for one, time in zip(seconds, times, strict=True)]


def text(second):
    """A time with milliseconds, as astropy writes it."""
    return str(BEGIN + np.timedelta64(round(second * 1e3), "ms"))


def times_as_one(seconds):
    """Times as one node of astropy, which has them as numbers."""
    from astropy.time import Time

    return Time([text(one) for one in seconds], scale="utc")


def guide_section(name, part, form):
    """The section of a stage."""
    rows, columns, (x, y) = part.table.rows, part.table.columns, CORNERS[name]
    rng = np.random.default_rng(len(name))
    pedestal, signal = ends_of(part)
    cycle = np.arange(part.pairs) % BLOCKS
    reset = np.isin(np.arange(part.pairs) // BLOCKS, [1, 4]) if name == "track" else np.zeros(part.pairs, bool)
    shape = (part.pairs, rows, columns)
    star = np.zeros((rows, columns), "u2")
    star[rows // 2, columns // 2] = 5000
    level = rng.integers(5000, 5100, shape).astype("u2")
    several = form in ("rad", "dark")
    flags = np.zeros((part.pairs, 2), "u1")
    section = {
        "pedestal_resultants": level,
        "signal_resultants": level + star + rng.integers(0, 20, shape).astype("u2"),
        "pedestal_times": times_as_one(pedestal) if form == "seed" else time_nodes(pedestal),
        "signal_times": times_as_one(signal) if form == "seed" else time_nodes(signal),
        "lower_left_corners": np.tile(np.array([x, y], "u2"), (part.pairs, 1)),
        "upper_right_corners": np.tile(np.array([x + columns, y + rows], "u2"), (part.pairs, 1)),
        "reset_read_flag": reset,
        "reset_impacted_pairs": reset & (cycle == y // WINDOW_ROWS),
        "sci_data_packet_counts": np.stack([WINDOW_ROWS * cycle, WINDOW_ROWS * (cycle + 1)], 1).astype("u2"),
        "pixel_offsets": np.full(part.pairs, 1000, "u2") if several else 1000,
    }
    for one in ("sce_status_flag", "gw_resultant_err_flag", "min_bind_flag", "max_bind_flag"):
        section[one] = flags if several else 0
    return section | ({"exposure_mapping": MAPPING.astype("i2")} if name == "track" else {})


def centroids_of(name, part, form):
    """Centroids, errors, words and times of a stage: one a pair, in acquisitions and in documents one of five."""
    rows, columns, (x, y) = part.table.rows, part.table.columns, CORNERS[name]
    several = 5 if name == "acq" or form == "seed" else 1
    centroids = np.full((part.pairs, several, 2), np.nan, "f4")
    rng = np.random.default_rng(11)
    centroids[:, 0] = np.array([x + columns / 2, y + rows / 2]) + rng.normal(0, 0.05, (part.pairs, 2))
    errors = np.full((part.pairs, several, 3), np.nan, "f4")
    errors[:, 0] = 4e-5, 4e-5, 0
    quality = np.full((part.pairs, several), "", "U40")
    quality[:, 0] = "GOOD"
    if several == 1:
        centroids, errors, quality = centroids[:, 0], errors[:, 0], quality[:, 0]
    middle = np.mean(ends_of(part), axis=0)
    times = times_as_one(middle) if form == "seed" else time_nodes(middle)
    found = {"centroids": centroids, "centroid_errs": errors, "centroid_quality": quality, "centroid_times": times}
    return {f"{part.prefix}_{one}": array for one, array in found.items()}


def guide_file(path, form="rad", *, spectroscopic=False, change=None, tag=""):
    """Write a guide-window file; its path.

    Parameters
    ----------
    path : pathlib.Path
        A file, or a directory in which it gets `GUIDE_NAME`.
    form : str
        As `guide_tree` takes it.
    spectroscopic : bool
        With a grism.
    change : callable, optional
        Called with the tree below ``roman`` before it is written.
    tag : str or None
        Of the tree; by default that of the form; None for none.
    """
    tree = guide_tree(form, spectroscopic=spectroscopic)
    if change is not None:
        change(tree)
    name = GUIDE_NAME.replace("f158", "grism") if spectroscopic else GUIDE_NAME
    version = "1.3.0" if form == "old" else "2.1.0"
    return _write(path, name, tree, f"{TAGS}l1_detector_guidewindow-{version}" if tag == "" else tag)


def face_tree(form="rad"):
    """The tree below ``roman`` of a FACE file that goes with `guide_tree`; ``seed`` has its counters and words."""
    parts = guide_parts()
    seconds = np.concatenate([np.mean(ends_of(part), axis=0) for part in parts.values()])
    count, acquired = len(seconds), parts["acq"].pairs
    rng = np.random.default_rng(5)
    data = {name: rng.normal(0, 4e-8, count).astype("f4") for name in NUMBERS[:5]}
    data |= {name: np.full(count, 1e-18 if "_var" in name[-4:] else 1e-4, "f4") for name in NUMBERS[5:]}
    phases = ["WIM_ACQ_VW"] * (acquired // 2) + ["WIM_ACQ_NA"] * (acquired - acquired // 2)
    phases += ["WIM_TRK"] * (count - acquired)
    counter = "i1" if form == "seed" else "u1"
    data |= {"num_stars_used": np.full(count, 18, counter), "num_centroid_cycles": np.full(count, 1, counter),
             "attitude_estimate_quality": np.full(count, "AQ_DOF_3", "U30"),
             "centroid_times": times_as_one(seconds) if form == "seed" else time_nodes(seconds),
             "fgs_op_phase": np.array(phases, "U30") if form == "seed" else phases}  # fmt: skip
    return {"meta": face_meta(parts), "face_data": data}


def face_meta(parts):
    """Metadata that agree with the arrays and with `FACE_NAME`."""
    meta = samples.meta("l1_face") | {"file_date": time_nodes([0.0])[0]}
    last = list(parts.values())[-1]
    detectors = [f"WFI{number:02d}" for number in range(1, 19)]
    used = {one: "GUIDE" if one == "WFI06" else "SKY_FIXED" for one in detectors}
    return meta | {
        "guide_window_id": VISIT + "1", "guide_star_acq_num": 1, "optical_element": "F158", "filename": FACE_NAME,
        "model_type": "L1FaceGuidewindowModel", "t_start": time_nodes([0.0])[0],
        "t_stop": time_nodes([last.start + last.pairs * last.table.cycle_s])[0],
        "fgs_modes_used": ["WIM_ACQ_VW", "WIM_ACQ_NA", "WIM_TRK"], "ma_table_ids_used": ["GW0001", "GW0001", "GW0002"],
        "gw_cycles_per_sci_read_used": [BLOCKS] * 3,
        "expected_gw_acquisitions": used, "expected_gw_tracking": dict(used),
        "detector_gw_files": {one: GUIDE_NAME if one == "WFI06" else None for one in detectors},
    }  # fmt: skip


def face_file(path, form="rad", *, change=None, tag=""):
    """Write a FACE file; its path. Parameters as of `guide_file`; the form is ``rad``, ``old`` or ``seed``."""
    tree = face_tree(form)
    if change is not None:
        change(tree)
    version = "1.3.0" if form == "old" else "2.1.0"
    return _write(path, FACE_NAME, tree, f"{TAGS}l1_face_guidewindow-{version}" if tag == "" else tag)


def _write(path, name, tree, tag):
    path = path / name if path.is_dir() else path
    with asdf.config_context() as config:
        config.default_array_save_base = False
        config.validate_on_read = False
        asdf.AsdfFile({"roman": asdf.tagged.TaggedDict(tree, tag) if tag else tree}).write_to(path)
    return path
