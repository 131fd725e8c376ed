"""Metadata of multiband catalogs and their segmentation maps: what the mosaics have in common, and each one's own."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from rtools.products.schema import layout, nodes, profiles
from rtools.products.schema.blocks import stamp_file
from rtools.wfi import metadata
from rtools.wfi.times import iso_time, moment_of

__all__ = ["multiband_meta"]

NOT_KEPT = ("wcs", "individual_image_meta", "cal_logs")
"""What `image_metas` leaves out of the mosaics' metadata."""

EPOCH = datetime(2000, 1, 1)


def multiband_meta(
    kind: str,
    metas: Sequence[Mapping[str, Any]],
    path: str | Path,
    *,
    reference: str,
    profile: str = layout.DEFAULT_PROFILE,
) -> dict[str, Any]:
    """Metadata of a product made of mosaics in several filters.

    Parameters
    ----------
    kind : str
        ``cat_multiband`` or ``segm_multiband``.
    metas : list of mapping
        ``meta`` of the mosaics, that of the reference filter first.
    path : str or Path
        Of the file that will hold it.
    reference : str
        Filter to whose PSF the others are matched.
    profile : str
        Whose keys it has.

    Returns
    -------
    dict
        Null where mosaics differ, or what the first says where null is not allowed; times and exposure times of all.
    """
    metas = [profiles.convert("l3_coadd", meta, {}, profile)[0] for meta in metas]
    fields = layout.fields(kind, profile)
    names = {field.path.split(".")[0] for field in fields} - {*NOT_KEPT, "image", "image_metas", "statistics"}
    made = {name: _common([meta.get(name) for meta in metas]) for name in names if name in metas[0]}
    for field in fields:
        value = metadata.get(metas[0], field.path)
        if field.path.split(".")[0] in made and metadata.get(made, field.path) is None and value is not None:
            metadata.put(made, field.path, None if "null" in field.type.split("|") else value)
    if "data_release_id" in metas[0]:
        made["data_release_id"] = metas[0]["data_release_id"]
    made["coadd_info"] = _times([meta["coadd_info"] for meta in metas])
    oldest = min((meta["file_date"] for meta in metas), key=iso_time)
    made["image"] = {"filename": metas[0]["filename"], "file_date": oldest}
    made["image_metas"] = [{key: meta[key] for key in meta if key not in NOT_KEPT} for meta in metas]
    made["psf_match_reference_filter"] = reference
    return stamp_file(kind, made, path)


def _common(values):
    """What all values are, block by block; None where they differ."""
    if all(type(value) is dict for value in values):
        return {key: _common([value.get(key) for value in values]) for key in values[0]}
    return values[0] if all(value == values[0] for value in values) else None


def _times(infos):
    """First start, last end, mean time and mean exposure time of mosaics."""
    moments = [moment_of(iso_time(info["time_mean"])) for info in infos]
    mean = EPOCH + sum((moment - EPOCH for moment in moments), timedelta()) / len(moments)
    made = {
        "time_first": min((info["time_first"] for info in infos), key=iso_time),
        "time_last": max((info["time_last"] for info in infos), key=iso_time),
        "time_mean": nodes.time(mean.isoformat(timespec="milliseconds")),
        "exposure_time": sum(float(info["exposure_time"]) for info in infos) / len(infos),
    }
    longest = [metadata.usable({"coadd_info": info}, "coadd_info.max_exposure_time") for info in infos]
    longest = [time for time in longest if time is not None]
    return made | ({"max_exposure_time": max(longest)} if longest else {})
