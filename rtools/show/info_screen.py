"""One screen about a file: what `rtools.show.info.describe` tells of it, as text."""

import os
import textwrap
from collections.abc import Mapping
from typing import Any

from rtools.products.schema import keys, layout
from rtools.products.schema.history import BUILT_IN, NOT_FOR_SCIENCE
from rtools.show.info import NOTHING, cut, tree_lines
from rtools.show.table import aligned
from rtools.wfi.metadata import get

__all__ = ["screen"]

MOST_ARRAYS = 24
MOST_MEMBERS = 20
OTHERS = {"truth": "truth of an rt-sim exposure (not a Roman product)", "other": "not a Roman product"}
"""What is said of ASDF files that are not Roman products."""

LABEL, INDENT, GAP = 13, 2, 3
"""Columns: of a label, before it, between the columns of a table."""


def screen(told: Mapping[str, Any], width: int = 80) -> list[str]:
    """One screen about a file.

    Parameters
    ----------
    told : mapping
        As `describe` makes it.
    width : int
        Columns.

    Returns
    -------
    list of str
    """
    meta = keys.bare(told["tree"].get("meta") or {})
    rows = [
        ("product", _product(told)),
        ("size", _size(told, meta)),
        ("calibration", _built_in(told)),
        *_rows(told, meta),
    ]
    lines = [told["file"]]
    for label, text in rows:
        if text:
            lines += textwrap.wrap(
                text,
                max(width, 40),
                initial_indent=f"  {label:{LABEL}s}",
                subsequent_indent=" " * (LABEL + 2),
                break_on_hyphens=False,
            )
    lines += _pairs("steps", [(one["step"], one["status"]) for one in told["steps"]], width)
    references = told["references"].items()
    lines += _pairs("references", [(kind, _file_name(str(name))) for kind, name in references], width)
    lines += _labelled("arrays", _array_lines(told.get("arrays") or []), width, aside=False)
    for product in told.get("products") or []:
        lines += _labelled("members", _member_lines(product["members"]), width)
    if told["kind"] in layout.facts()["others"]:
        lines += _labelled("tree", tree_lines(told), width, aside=False)
    return lines


def _built_in(told):
    """What must not be overlooked of references that are none."""
    return f"{NOT_FOR_SCIENCE}: {', '.join(told['built_in'])}" if told["built_in"] else ""


def _file_name(reference):
    """A reference without its directories; one of the built-in set says so."""
    return reference if reference.startswith(BUILT_IN) else os.path.basename(reference) or reference


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
        ("reference", _said(meta, pedigree="{}", description="{}", author="by {}", useafter="use after {}")),
        ("exposure" if exposure else "instrument", ", ".join(filter(None, [
            _said(exposure, type="{}"), _said(instrument, detector="{}", optical_element="{}"),
            _said(exposure, engineering_quality="quality {}", data_problem="problem: {}")]))),
        *_guiding(told),
        ("observation", _observation(meta)),
        ("program", _said(_block(meta, "program"), title="{}", investigator_name="{}", category="{}")),
        ("time", " to ".join(str(end) for end in span if end not in NOTHING)),
        ("exposed", _exposed(exposure) or _said(_block(meta, "coadd_info"), exposure_time="{:.2f} s")),
        ("read pattern", _read_pattern(exposure.get("read_pattern"))),
        ("pointing", _pointing(meta)),
        ("sky", _sky(_block(meta, "wcsinfo"))),
        ("region", _region(get(meta, "wcsinfo.s_region"))),
        ("photometry", _said(_block(meta, "photometry"), conversion_megajanskys="1 DN/s is {:.6g} MJy/sr",
                             pixel_area="pixel {:.6g} sr")),
        ("statistics", _said(_block(meta, "statistics"), image_median="median {:.6g}", image_rms="rms {:.4g}",
                             good_pixel_fraction="good pixels {:.2%}")),
        ("resample", _resample(meta)),
        ("association", _said(told["tree"], asn_id="{}", asn_type="{}", asn_rule="{}", target="target {}",
                              program="program {}") if told["form"] == "json" else get(meta, "association.name", "")),
        ("products", ", ".join(f"{one['name']} ({len(one['members'])} members)" for one in
                               told.get("products") or [])),
        ("columns", ", ".join(column["name"] for column in told.get("columns") or [])),
        ("history", _history_row(told.get("history"))),
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


def _said(block, **forms):
    """What a block says, each item in its form, without what is unknown."""
    said = []
    for key, form in forms.items():
        value = block.get(key)
        if value in NOTHING or isinstance(value, dict | list):
            continue
        try:
            said.append(form.format(value))
        except (TypeError, ValueError):  # a catalog of unknown model has strings only
            said.append(f"{key} {value}")
    return ", ".join(said)


def _observation(meta):
    words = {"execution_plan": "plan", "observation": "obs."}
    parts = ("program", "execution_plan", "pass", "segment", "observation", "visit", "exposure")
    return _said(_block(meta, "observation"), **{part: f"{words.get(part, part)} {{}}" for part in parts})


def _exposed(exposure):
    forms = {"exposure_time": "{:.3f} s", "frame_time": "frame {:.5f} s", "ma_table_name": "MA table {}"}
    return _said(exposure, **forms)


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
    return _said(_block(meta, "pointing"), **forms)


def _sky(info):
    forms = {
        "ra_ref": "RA {:.6f}",
        "dec_ref": "Dec {:.6f}",
        "roll_ref": "roll {:.4f}",
        "orientation_ref": "orientation {:.4f}",
        "aperture_name": "{}",
        "pixel_scale": "scale {:.6g}",
        "skycell_name": "skycell {}",
    }
    return _said(info, **forms)


def _region(text):
    """Corners of a region, where it is a polygon."""
    words = str(text or "").split()
    numbers = words[2:]
    if words[:1] != ["POLYGON"] or len(numbers) % 2:
        return "" if text in NOTHING else str(text)
    try:
        corners = [(float(ra), float(dec)) for ra, dec in zip(numbers[::2], numbers[1::2], strict=True)]
    except ValueError:
        return str(text)
    return ", ".join(f"{ra:.5f} {dec:.5f}" for ra, dec in corners)


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
    return count + _said(block, **forms)


def _history_row(history):
    if not history:
        return ""
    last = history[-1] if isinstance(history[-1], dict) else {"description": history[-1]}
    entries = "1 entry" if len(history) == 1 else f"{len(history)} entries"
    return f"{entries}; last {str(last.get('time', ''))[:19]} {last.get('description', '')}"


def _pairs(label, pairs, width):
    """Names and what is said of them, in order down the columns of a table as wide as there is room for."""
    if not pairs:
        return []
    wide = max(len(name) for name, _text in pairs)
    cells = [f"{name:{wide}s} {text}" for name, text in pairs]
    cell = max(map(len, cells)) + GAP
    columns = max(1, (max(width, 40) - LABEL - INDENT + GAP) // cell)
    height = -(-len(cells) // columns)
    return _labelled(
        label, ["".join(text.ljust(cell) for text in cells[row::height]).rstrip() for row in range(height)], width
    )


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


def _labelled(label, lines, width, *, aside=True):
    """Lines cut at the width, beside a label or below it."""
    if not lines:
        return []
    if not aside:
        return [f"  {label}", *(cut(f"    {line}", max(width, 40)) for line in lines)]
    room = max(width, 40) - LABEL - INDENT
    return [f"  {'' if place else label:{LABEL}s}{cut(line, room)}" for place, line in enumerate(lines)]


def amount(nbytes):
    """A number of bytes, decimal units."""
    if nbytes < 1000:
        return f"{nbytes} B"
    power = min(3, (len(str(nbytes)) - 1) // 3)
    return f"{nbytes / 1000**power:.1f} {('kB', 'MB', 'GB')[power - 1]}"
