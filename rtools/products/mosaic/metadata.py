"""Metadata of a mosaic: what its members have in common, how it was made, where it is on the sky."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.errors import InputError, RtoolsError
from rtools.products import names
from rtools.products.mosaic.members import ABSENT, NULL, image_tables
from rtools.products.schema import layout, nodes
from rtools.products.schema.blocks import complete
from rtools.wfi import metadata
from rtools.wfi.fill import FILL_STRING
from rtools.wfi.instrument import NAME
from rtools.wfi.mosaics import MOSAIC_CAL_STEPS
from rtools.wfi.sphere import distance_and_angle, s_region
from rtools.wfi.times import iso_time, moment_of

if TYPE_CHECKING:
    from rtools.products.io.product import Product

__all__ = ["blend", "group_of", "metas_of", "mosaic_meta", "product_type", "wcsinfo"]

COMMON = {
    "observation": ("execution_plan", "exposure", "observation", "pass", "program", "segment", "visit"),
    "program": ("title", "investigator_name", "category", "subcategory", "science_category"),
    "instrument": ("optical_element",),
}
"""Kept where all members agree, else null."""

SUBSETS = {"visit": r"v\d{14}", "pass": r"[sp]\d{5}", "full": "full"}
"""What the subset in an archive's name says; that of any other is an arbitrary one."""

UP = 100
"""Pixels along y that the orientation is taken over."""


def mosaic_meta(
    members: Sequence[Mapping[str, Any]],
    *,
    wcs: Any,
    where: Mapping[str, Any],
    resample: Mapping[str, Any],
    coverage: Mapping[str, float],
    statistics: Mapping[str, float],
    filename: str,
    association: str | None = None,
    release: str | None = None,
    cal_logs: Iterable[str] = (),
) -> dict[str, Any]:
    """All metadata of a mosaic but what every file says of itself when it is written.

    Parameters
    ----------
    members : list of mapping
        ``meta`` of the members as they went into the mosaic, in the order of the context's bits.
    wcs : gwcs.WCS
        Of the mosaic.
    where : mapping
        `wcsinfo`.
    resample : mapping
        good_bits, pixel_scale_ratio, pixfrac, weight_type, perhaps pixmap_stepsize, pixmap_order; `pointings`, the
        number of exposures, if they are not told apart by `group_of`.
    coverage : mapping
        exposure_time and max_exposure_time, in s.
    statistics : mapping
        image_median, image_rms, good_pixel_fraction.
    filename : str
        Of the mosaic; says what kind of product it is.
    association : str, optional
        File name of the association.
    release : str, optional
        Its data_release_id; otherwise that of the file name, otherwise ``p``.
    cal_logs : iterable of str
        Of this run.

    Returns
    -------
    dict
        Complete by the schema of a mosaic.

    Raises
    ------
    InputError
        A member has no times.
    """
    blended = blend(members)
    groups = len({group_of(meta, number) for number, meta in enumerate(members)})
    made = blended | {
        "association": {"name": str(association or FILL_STRING)},
        "cal_logs": [str(line) for line in cal_logs],
        "coadd_info": blended["coadd_info"] | {key: float(coverage[key]) for key in sorted(coverage)},
        "data_release_id": str(release or _named(filename).get("release") or "p"),
        "individual_image_meta": image_tables(members),
        "product_type": product_type(filename),
        "resample": {"pointings": groups}
        | dict(resample)
        | {"members": [str(meta.get("filename")) for meta in members]},
        "statistics": {key: float(value) for key, value in statistics.items()},
        "wcs": wcs,
        "wcsinfo": where,
    }
    return complete("l3_coadd", made)


def blend(members: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What the members' metadata say of a mosaic.

    Parameters
    ----------
    members : list of mapping
        ``meta`` of each.

    Returns
    -------
    dict
        observation, program, instrument: null where members differ; cal_step: INCOMPLETE where they differ;
        coadd_info: first start, last end and mean start of the exposures; coordinates.

    Raises
    ------
    InputError
        No members, or one without times.
    """
    if not members:
        raise InputError("a mosaic of no exposures")
    made = {
        block: {key: _common([metadata.get(meta, f"{block}.{key}") for meta in members]) for key in keys}
        for block, keys in COMMON.items()
    }
    made["instrument"] = {"name": NAME} | made["instrument"]
    made["observation"]["exposure_grouping"] = _grouping(made["observation"])
    steps = {step: _common([metadata.get(meta, f"cal_step.{step}") for meta in members]) for step in MOSAIC_CAL_STEPS}
    made["cal_step"] = {step: str(state or "INCOMPLETE") for step, state in steps.items()} | {"resample": "COMPLETE"}
    made["coadd_info"] = _times(members)
    made["coordinates"] = {"reference_frame": layout.facts()["writer_defaults"]["coordinates.reference_frame"]}
    return made


def metas_of(product: Product) -> list[dict[str, Any]]:
    """What a mosaic says of its members: `mosaic_meta` and `image_tables` make the same of it as of their own ``meta``.

    Parameters
    ----------
    product : rtools.products.io.product.Product
        A mosaic.

    Returns
    -------
    list of dict
        One for each member, in order, with ``filename``. Lists and groups are texts. ``cal_logs``, of which a mosaic
        does not say whose they are, are those of the first members.

    Raises
    ------
    InputError
        It does not list its members, or not their times, or its tables are not of one row for each.
    """
    listed = metadata.get(product.meta, "resample.members") or []
    if not listed:
        raise InputError("meta.resample.members does not say what the mosaic is made of")
    metas: list[dict] = [{} for _name in listed]
    for section in product.tree["meta"].get("individual_image_meta") or {}:
        table = product.node(f"meta.individual_image_meta.{section}")
        if len(table) != len(metas):
            raise InputError(f"meta.individual_image_meta.{section} has {len(table)} rows for {len(metas)} members")
        for meta, row in zip(metas, _rows(table), strict=True):
            meta |= row if section == "basic" else {section: row}
    logs = product.node("individual_image_cal_logs") if "individual_image_cal_logs" in product.tree else []
    for number, meta in enumerate(metas):
        meta["filename"] = str(listed[number])
        if number < len(logs):
            meta["cal_logs"] = [logs[number]] if isinstance(logs[number], str) else list(map(str, logs[number]))
        known = all(isinstance(metadata.get(meta, f"exposure.{key}"), str) for key in ("start_time", "end_time"))
        time = metadata.get(meta, "exposure.effective_exposure_time")
        if not known or not isinstance(time, int | float) or not np.isfinite(time):
            raise InputError(f"meta.individual_image_meta.exposure does not say the times of {meta['filename']}")
        _restore(meta, product.meta)
    return metas


def _rows(table):
    """Rows of a table of members as dicts, as they were before `image_tables` made one kind of each column."""
    columns = {name: [None if cell == NULL else cell for cell in np.ma.asarray(_column(table[name])).tolist()]
               for name in table.colnames}  # fmt: skip
    for place in range(len(table)):
        yield {name: cells[place] for name, cells in columns.items() if cells[place] != ABSENT}


def _column(column):
    return column.isot if hasattr(column, "isot") else column  # times are texts


def _restore(meta, shared):
    """What all members have alike, where a table cannot tell the text None from nothing."""
    for block, keys in COMMON.items():
        for key in keys:
            if metadata.get(meta, f"{block}.{key}") is None:
                meta.setdefault(block, {})[key] = metadata.get(shared, f"{block}.{key}")


def group_of(meta: Mapping[str, Any], number: int, given: str | None = None) -> str:
    """Name of the exposure that a member belongs to: all detectors of one exposure share it.

    Parameters
    ----------
    meta : mapping
        Metadata of an exposure.
    number : int
        Of the member, from 0; stands in where nothing is known.
    given : str, optional
        `group_id` of the association.

    Returns
    -------
    str
        `given`, else ``group_id`` or the observation's id, else ``exposureNNNN``.
    """
    known = given or meta.get("group_id") or metadata.get(meta, "observation.observation_id")
    return str(known) if known and known != FILL_STRING else f"exposure{number + 1:04d}"


def product_type(filename: str) -> str:
    """``p_visit_coadd``, ``r1_full_coadd`` … after the archive's name of a mosaic, ``coadd`` for any other name.

    Parameters
    ----------
    filename : str
        Name of the mosaic, without directory.

    Returns
    -------
    str
        For ``meta.product_type``.
    """
    fields = _named(filename)
    subset = next((word for word, form in SUBSETS.items() if re.fullmatch(form, fields.get("subset") or "")), None)
    return f"{fields['release']}_{subset}_coadd" if subset and fields.get("release") else "coadd"


def _named(filename):
    """Fields of an archive's name, nothing of another."""
    try:
        found = names.parse(str(filename), lenient=True, mission="roman")
    except RtoolsError:
        return {}
    return {key: found[key] for key in ("release", "subset")}


def _common(values):
    first = values[0]
    return first if all(value == first for value in values[1:]) else None


def _grouping(observation):
    keys = ("execution_plan", "pass", "segment", "observation", "visit")
    numbers = [observation[key] for key in keys]
    if any(number is None for number in numbers):
        return None
    return "v{:02d}{:03d}{:03d}{:03d}{:03d}".format(*map(int, numbers))


def _times(members):
    moments = {}
    for key in ("start_time", "end_time"):
        for meta in members:
            metadata.require(meta, f"exposure.{key}", path=meta.get("filename"))
        moments[key] = [moment_of(iso_time(meta["exposure"][key])) for meta in members]
    starts = moments["start_time"]
    mean = starts[0] + sum((start - starts[0] for start in starts), starts[0] - starts[0]) / len(starts)
    return {"time_first": _time(min(starts)), "time_last": _time(max(moments["end_time"])), "time_mean": _time(mean)}


def _time(moment):
    return nodes.time(moment.isoformat(timespec="milliseconds"))


def wcsinfo(
    to_sky: Callable[..., Any],
    shape: Sequence[int],
    *,
    reference: tuple[Any, ...] | None = None,
    skycell: str | None = None,
) -> dict[str, Any]:
    """Where a mosaic is on the sky, as `meta.wcsinfo` says it.

    Parameters
    ----------
    to_sky : callable
        ``to_sky(x, y)``: right ascension and declination in degrees of pixels, also of such outside the image.
    shape : (int, int)
        Rows and columns.
    reference : tuple, optional
        Of a gnomonic projection: pixel (x, y) and position (ra, dec) of the tangent point, scale in degrees a pixel,
        2×2 matrix. Without it the image's centre, and the projection nearest to the truth there.
    skycell : str, optional
        Name of the skycell that the mosaic is on.

    Returns
    -------
    dict
        Keys and plain values; angles in degrees.
    """
    rows, columns = (int(length) for length in shape)
    centre = (columns - 1) / 2, (rows - 1) / 2
    ra, dec, scale, matrix = _local(to_sky, *centre)
    if reference is None:
        reference = centre, (ra, dec), scale, matrix
    (x_ref, y_ref), (ra_ref, dec_ref), scale_ref, matrix = reference
    left, right, bottom, top = -0.5, columns - 0.5, -0.5, rows - 0.5
    corners = to_sky(np.array([left, left, right, right]), np.array([bottom, top, top, bottom]))
    corners = np.stack([[_turned(ra) for ra in corners[0]], corners[1]], axis=1)
    return {
        "ra": _turned(ra),
        "dec": float(dec),
        "ra_ref": _turned(ra_ref),
        "dec_ref": float(dec_ref),
        "x_ref": float(x_ref),
        "y_ref": float(y_ref),
        "pixel_scale": scale,
        "pixel_scale_ref": float(scale_ref),
        "orientation": _orientation(to_sky, *centre),
        "orientation_ref": _orientation(to_sky, float(x_ref), float(y_ref)),
        "rotation_matrix": [[float(value) for value in row] for row in matrix],
        "projection": "TAN",
        "image_shape": [columns, rows],
        "s_region": s_region(corners) or FILL_STRING,
        "skycell_name": skycell,
    }


def _turned(ra):
    """A right ascension in [0, 360), with nine digits behind the point, too."""
    turned = float(ra) % 360
    return turned if round(turned, 9) < 360 else 0.0


def _local(to_sky, x, y):
    """Position of a pixel, degrees a pixel there, and the 2×2 matrix of the projection that touches the sky there."""
    ra, dec = to_sky(np.array([x, x + 1, x]), np.array([y, y, y + 1]))
    apart, angle = distance_and_angle((ra[0], dec[0]), (ra[1:], dec[1:]))
    scale = float(np.sqrt(apart[0] * apart[1]))
    matrix = np.stack([np.sin(angle), np.cos(angle)]) * apart / scale
    return float(ra[0]), float(dec[0]), float(np.rad2deg(scale)), matrix


def _orientation(to_sky, x, y):
    """Position angle of the image's y axis at a pixel, 0 … 360 degrees east of north."""
    ra, dec = to_sky(np.array([x, x]), np.array([y, y + UP]))
    angle = float(np.rad2deg(distance_and_angle((ra[0], dec[0]), (ra[1], dec[1]))[1])) % 360
    return 0.0 if angle == 360 else angle
