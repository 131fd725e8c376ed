"""One screen about a file: what `rtools.show.info.describe` tells of it, as text."""

from collections.abc import Mapping
from typing import Any

from rtools.products.schema import keys, layout
from rtools.products.schema.history import NOT_FOR_SCIENCE
from rtools.show.info import NOTHING, tree_lines
from rtools.show.labels import (
    amount,
    corners,
    file_name,
    history_row,
    labelled,
    labelled_texts,
    named_column,
    pairs,
    said,
)
from rtools.show.table import aligned
from rtools.wfi.metadata import get
from rtools.wfi.units import DEGREE_ARCSEC

__all__ = ["screen"]

MOST_ARRAYS = 24
MOST_MEMBERS = 20
OTHERS = {
    "truth": "truth of an rt-sim exposure (not a Roman product)",
    "jwst": "FITS file of JWST as ASDF, of which rt-fits makes FITS again (not a Roman product)",
    "other": "not a Roman product",
}
"""What is said of ASDF files that are not Roman products."""


def screen(told: Mapping[str, Any], width: int = 80, *, verbose: bool = False) -> list[str]:
    """One screen about a file.

    Parameters
    ----------
    told : mapping
        As `describe` makes it.
    width : int
        Columns.
    verbose : bool
        Name what is otherwise only counted: files of references of a JWST product, corners of its mosaic.

    Returns
    -------
    list of str
    """
    if told.get("mission") == "jwst":
        from rtools.show.info_jwst_screen import jwst_screen

        return jwst_screen(told, width, verbose=verbose)
    meta = keys.bare(told["tree"].get("meta") or {})
    rows = [
        ("product", _product(told)),
        ("size", _size(told, meta)),
        ("calibration", _built_in(told)),
        *_rows(told, meta),
    ]
    lines = [told["file"], *labelled_texts(rows, width)]
    lines += pairs("steps", [(one["step"], one["status"]) for one in told["steps"]], width)
    references = told["references"].items()
    lines += pairs("references", [(kind, file_name(str(name))) for kind, name in references], width)
    lines += labelled("arrays", _array_lines(told.get("arrays") or []), width, aside=False)
    for product in told.get("products") or []:
        lines += labelled("members", _member_lines(product["members"]), width)
    if told["kind"] in layout.facts()["others"]:
        lines += labelled("tree", tree_lines(told), width, aside=False)
    return lines


def _built_in(told):
    """What must not be overlooked of references that are none."""
    return f"{NOT_FOR_SCIENCE}: {', '.join(told['built_in'])}" if told["built_in"] else ""


def _product(told):
    words = told["kind"] or "unknown"
    if words in layout.facts()["others"]:
        return OTHERS[words]
    entry = layout.facts()["products"].get(told["kind"]) or {}
    level = f", {entry['level']}" if entry.get("level") else ""
    if "tag" in told:
        form = "" if told["form"] == "asdf" else f"{told['form'].upper()}; "
        return f"{words}{level} ({form}{told['tag']}; profile {told['profile']})"
    return f"{words}{level} ({told['form']})"


def _size(told, meta):
    parts = [amount(told["bytes"])]
    if "rows" in told:
        parts.append(f"{told['rows']} rows, {len(told['columns'])} columns, compression {told['compression']}")
    if meta.get("file_date") not in NOTHING:
        parts.append(str(meta["file_date"])[:19])
    by = [meta.get(f"calibration_software_{part}") for part in ("name", "version")]
    if by[0] not in NOTHING:
        parts.append(" ".join(str(word) for word in by if word not in NOTHING))
    if told.get("written_by"):
        parts.append(told["written_by"])
    return ", ".join(parts)


def _rows(told, meta):
    """(label, text) of everything that metadata say; an empty text is left out."""
    exposure, instrument = _block(meta, "exposure"), _block(meta, "instrument")
    start = exposure.get("start_time")
    span = [start, exposure.get("end_time")] if start else [get(meta, f"coadd_info.time_{end}") for end in
                                                            ("first", "last")]  # fmt: skip
    return [
        ("reference", said(meta, pedigree="{}", description="{}", author="by {}", useafter="use after {}")),
        ("exposure" if exposure else "instrument", ", ".join(filter(None, [
            said(exposure, type="{}"), said(instrument, detector="{}", optical_element="{}"),
            said(exposure, engineering_quality="quality {}", data_problem="problem: {}")]))),
        *_guiding(told),
        ("observation", _observation(meta)),
        ("program", said(_block(meta, "program"), title="{}", investigator_name="{}", category="{}")),
        ("time", " to ".join(str(end) for end in span if end not in NOTHING)),
        ("exposed", _exposed(exposure) or said(_block(meta, "coadd_info"), exposure_time="{:.2f} s")),
        ("read pattern", _read_pattern(exposure.get("read_pattern"))),
        ("pointing", _pointing(meta)),
        ("sky", _sky(_block(meta, "wcsinfo"))),
        ("region", corners(get(meta, "wcsinfo.s_region"))),
        ("photometry", said(_block(meta, "photometry"), conversion_megajanskys="1 DN/s is {:.6g} MJy/sr",
                             pixel_area="pixel {:.6g} sr")),
        ("statistics", said(_block(meta, "statistics"), image_median="median {:.6g}", image_rms="rms {:.4g}",
                             good_pixel_fraction="good pixels {:.2%}")),
        ("resample", _resample(meta)),
        ("association", said(told["tree"], asn_id="{}", asn_type="{}", asn_rule="{}", target="target {}",
                              program="program {}") if told["form"] == "json" else get(meta, "association.name", "")),
        ("products", ", ".join(f"{one['name']} ({len(one['members'])} members)" for one in
                               told.get("products") or [])),
        ("columns", ", ".join(map(named_column, told.get("columns") or []))),
        ("history", history_row(told.get("history"))),
        ("logs", f"{len(told['logs'])} lines" if told["logs"] else ""),
    ]  # fmt: skip


def _guiding(told):
    """Lines about guide windows and FACE."""
    if "guiding_problem" in told:
        return [("guiding", f"cannot be read: {told['guiding_problem']}")]
    if "guiding" not in told:
        return []
    from rtools.show.info_guide import guiding_rows

    return guiding_rows(told["guiding"])


def _block(meta, name):
    block = meta.get(name)
    return block if isinstance(block, dict) else {}


def _observation(meta):
    words = {"execution_plan": "plan", "observation": "obs."}
    parts = ("program", "execution_plan", "pass", "segment", "observation", "visit", "exposure")
    return said(_block(meta, "observation"), **{part: f"{words.get(part, part)} {{}}" for part in parts})


def _exposed(exposure):
    forms = {"exposure_time": "{:.3f} s", "frame_time": "frame {:.5f} s", "ma_table_name": "MA table {}"}
    return said(exposure, **forms)


def _read_pattern(pattern):
    """``9 resultants of 44 reads: 1 2 3-4 …``; nothing of one that is not of integers."""
    listed = isinstance(pattern, list) and all(isinstance(reads, list) for reads in pattern)
    if not listed or not all(isinstance(read, int) for reads in pattern for read in reads):
        return ""
    spans = []
    for reads in pattern:
        whole = len(reads) > 1 and reads == list(range(reads[0], reads[0] + len(reads)))
        spans.append(f"{reads[0]}-{reads[-1]}" if whole else ",".join(map(str, reads)))
    return f"{len(pattern)} resultants of {sum(map(len, pattern))} reads: {' '.join(spans)}"


def _pointing(meta):
    degrees = "{:.6f}"
    forms = {
        "target_ra": f"RA {degrees}",
        "target_dec": f"Dec {degrees}",
        "pa_aperture": "PA {:.4f}",
        "target_aperture": "of {}",
        "pa_v3": "V3 PA {:.4f}",
        "pointing_engineering_source": "{}",
    }
    return said(_block(meta, "pointing"), **forms)


def _sky(info):
    forms = {
        "ra_ref": "RA {:.6f}",
        "dec_ref": "Dec {:.6f}",
        "roll_ref": "roll {:.4f}",
        "orientation_ref": "orientation {:.4f}",
        "aperture_name": "{}",
        "skycell_name": "skycell {}",
    }
    scale = info.get("pixel_scale")
    known = isinstance(scale, int | float) and scale not in NOTHING  # that of mosaics, in degrees
    words = (said(info, **forms), f"scale {scale * DEGREE_ARCSEC:.6g} arcsec" if known else "")
    return ", ".join(filter(None, words))


def _resample(meta):
    block = _block(meta, "resample")
    members = block.get("members")
    count = f"{len(members)} members, " if isinstance(members, list) else ""
    forms = {
        "pointings": "{} pointings",
        "pixfrac": "pixfrac {}",
        "pixel_scale_ratio": "scale ratio {}",
        "weight_type": "weights {}",
    }
    return count + said(block, **forms)


def _array_lines(arrays):
    shown = arrays if len(arrays) <= MOST_ARRAYS else arrays[: MOST_ARRAYS - 1]
    table = [
        [
            one["name"],
            one["dtype"],
            "x".join(map(str, one["shape"])) or "scalar",
            (one["unit"] or "-").partition(",")[0],
            amount(one["bytes"]),
            one["compression"] + (f" {one['stored'] / one['bytes']:.0%}" if _packed(one) else ""),
        ]
        for one in shown
    ]
    lines = aligned((), table)
    if len(shown) < len(arrays):
        lines.append(f"and {len(arrays) - len(shown)} more (--tree shows all)")
    return lines


def _packed(one):
    return one["compression"] not in ("none", "inline") and one["bytes"]


def _member_lines(members):
    lines = [f"{member.get('exptype', '')}  {member.get('expname', '')}" for member in members[:MOST_MEMBERS]]
    return lines + ([f"and {len(members) - MOST_MEMBERS} more"] if len(members) > MOST_MEMBERS else [])
