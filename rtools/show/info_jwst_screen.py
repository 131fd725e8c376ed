"""One screen about a file of JWST: what it is, of whom, when, what was done to it, with what, where; then its HDUs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from rtools.jwst import INSTRUMENTS, SUFFIXES
from rtools.products.schema import keys
from rtools.products.schema.history import NOT_FOR_SCIENCE
from rtools.show.info import NOTHING, cut
from rtools.show.info_jwst_sky import sky_rows
from rtools.show.labels import amount, file_name, history_row, labelled, labelled_texts, named_column, pairs, said
from rtools.show.table import aligned
from rtools.wfi.metadata import get
from rtools.wfi.units import DAY_S

__all__ = ["jwst_screen"]

MOST_HDUS = 30
MOST_SPECTRA = 12
MOST_SLITS = 6
"""What is listed on the screen."""

UNIT = 14
"""Characters of a unit."""

READ_OUT = ("uncal", "ramp", "rate", "rateints", "bsub", "bsubints", "cal", "calints", "crf", "crfints")
"""Products of one exposure, of which it is told how it was read out."""

MODES = {
    "spec": re.compile(r"SPEC|GRISM|WFSS|MRS|LRS|IFU|SLIT|BRIGHTOBJ|SOSS|MSA"),
    "coron": re.compile(r"CORON|LYOT|4QPM"),
}
"""EXP_TYPE of spectra and of coronagraphs, by a word in the name of their pipelines."""

STATES = {
    "trusted": "its tree is that of the headers",
    "edited": "a header was edited since the tree was written: keywords hold",
    "without hash": "it has no hash of the headers: keywords hold",
    "none": "none: keywords alone tell",
}
"""What is said of the extension ASDF."""

WCS = {
    "gwcs": "gwcs in the tree",
    "stdatamodels": "gwcs in the tree, with transforms that only stdatamodels knows",
    "fits": "by the header of SCI",
}


def jwst_screen(told: Mapping[str, Any], width: int = 80, *, verbose: bool = False) -> list[str]:
    """The screen.

    Parameters
    ----------
    told : mapping
        As `rtools.show.info.describe` makes it of a file of JWST.
    width : int
        Columns.
    verbose : bool
        Name the files of references, and all corners on the sky.

    Returns
    -------
    list of str
    """
    meta = keys.bare(told["tree"].get("meta") or told["tree"])
    rows = _reference_rows(told, meta) if told["kind"].startswith("reference/") else _rows(told, meta, verbose)
    rows += [("size", _size(told, meta)), ("history", history_row(told.get("history"))),
             ("logs", f"{len(told['logs'])} lines" if told["logs"] else "")]  # fmt: skip
    lines = [told["file"], *labelled_texts(rows, width)]
    if verbose:
        named = [(kind, file_name(str(name))) for kind, name in told["references"].items()]
        lines += pairs("references", named, width)
    lines += labelled("spectra", _spectra(told.get("spectra") or []), width, aside=False)
    return lines + labelled("HDUs" if told["form"] == "fits" else "arrays", _hdus(told), width, aside=False)


def _rows(told, meta, verbose):
    return [
        ("product", _product(told, meta)),
        ("calibration", f"{NOT_FOR_SCIENCE}: {', '.join(told['built_in'])}" if told["built_in"] else ""),
        ("observation", _observation(meta)),
        ("time", _time(meta)),
        ("steps", _steps(told["steps"])),
        ("references", _references(told, meta, verbose)),
        *sky_rows(meta, verbose=verbose),
        ("read-out", _read_out(meta) if told["kind"] in READ_OUT else ""),
        ("resample", _resample(get(meta, "resample") or {})),
        ("photometry", said(get(meta, "photometry") or {}, conversion_megajanskys="1 DN/s is {:.6g} MJy/sr",
                            pixelarea_steradians="pixel {:.6g} sr")),
        ("slits", _slits(told.get("slits") or [])),
        ("columns", ", ".join(named_column(column) for column in told.get("columns") or [])),
        ("meta", _table_meta(told) if told["form"] == "ecsv" else ""),
        ("ASDF", _model(told)),
    ]  # fmt: skip


def _reference_rows(told, meta):
    return [
        ("product", f"reference {told['kind'].partition('/')[2].upper()}; JWST {_instrument(meta)}"),
        ("reference", said(meta, description="{}", author="by {}", pedigree="pedigree {}", useafter="use after {}")),
    ]


def _product(told, meta):
    what = f"{told['kind']}: {told['title']}" if told["title"] else f"{told['model'] or 'a file'} (no product)"
    stage = f"JWST stage {told['stage']}" if told["stage"] else "JWST"
    maker = _maker(told["maker"], str(get(meta, "exposure.type") or meta.get("exp_type") or ""))
    return "; ".join(filter(None, [what, ", ".join(filter(None, [stage, maker])), _instrument(meta)]))


def _maker(maker, exp_type):
    """Pipeline and step that make the product; of two pipelines the one for such exposures."""
    if not maker:
        return ""
    pipelines, _, step = maker.partition(": ")
    listed = pipelines.split(" or ")
    if len(listed) > 1 and exp_type:
        mode = next((mode for mode, pattern in MODES.items() if pattern.search(exp_type)), None)
        fitting = [name for name in listed if mode and f"_{mode}" in name]
        listed = fitting or [name for name in listed if not re.search("_(spec|coron)", name)] or listed
    return f"{' or '.join(listed)}: {step}"


def _instrument(meta):
    """Instrument, detector, optical elements, type of exposure and sub-array."""
    block = meta.get("instrument")
    block = block if isinstance(block, dict) else {**meta, "name": block}  # of a table
    name = str(block.get("name") or "")
    words = [INSTRUMENTS.get(name, name)]
    elements = ("detector", "channel", "band", "filter", "pupil", "grating", "coronagraph", "fixed_slit")
    shown = [str(block.get(key)) for key in elements if block.get(key) not in (*NOTHING, "NONE")]
    words += [word for word in shown if name == "MIRI" or word not in ("SHORT", "LONG")]
    exp_type = get(meta, "exposure.type") or meta.get("exp_type")
    subarray = meta.get("subarray")
    subarray = subarray.get("name") if isinstance(subarray, dict) else subarray
    parts = [" ".join(words), exp_type, subarray and f"sub-array {subarray}"]
    return ", ".join(str(part) for part in parts if part not in NOTHING).replace("sub-array FULL", "full frame")


def _observation(meta):
    words = {
        "program_number": "program {}", "observation_number": "observation {}", "visit_number": "visit {}",
        "exposure_number": "exposure {}"}  # fmt: skip
    program = get(meta, "program") or {}
    named = get(meta, "target") or {}
    names = [named.get(key) for key in ("catalog_name", "proposer_name")]
    shown = [str(name) for name in dict.fromkeys(names) if name not in NOTHING]
    target = " or ".join(shown) or str(meta.get("target_name") or "")
    parts = [said(get(meta, "observation") or {}, **words), target and f"target {target}",
             said(program, title="“{}”", pi_name="PI {}", category="{}")]  # fmt: skip
    return "; ".join(part for part in parts if part)


def _time(meta: dict[str, Any]) -> str:
    exposure: dict[str, Any]
    observation: dict[str, Any]
    exposure, observation = (get(meta, name) or {} for name in ("exposure", "observation"))
    begin = observation.get("date_beg")
    if begin in NOTHING:
        begin = " ".join(str(observation[key]) for key in ("date", "time") if observation.get(key) not in NOTHING)
    begin = begin and f"from {str(begin).replace('T', ' ')} UTC"
    spans: list[Any] = [exposure.get("duration")]
    ends: list[Any] = [exposure.get(key) for key in ("start_time", "end_time")]
    if all(map(_is_number, ends)):
        spans.append((ends[1] - ends[0]) * DAY_S)
    lasted = next((f"{span:.6g} s long" for span in spans if _is_number(span) and span > 0), "")
    exposed = said(exposure, exposure_time="EFFEXPTM {:.6g} s")
    return ", ".join(part for part in (begin, lasted, exposed) if part)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and np.isfinite(value)


def _steps(steps):
    """Steps by their state, in the order in which they are done."""
    states = dict.fromkeys(one["status"] for one in steps)
    listed = [" ".join([state, *(one["step"] for one in steps if one["status"] == state)]) for state in states]
    return "; ".join(listed)


def _references(told, meta, verbose):
    if not told["references"]:
        return ""
    context = get(meta, "ref_file.crds.context_used")
    number = f"{len(told['references'])}" + (f" of {context}" if context not in NOTHING else "")
    return number if verbose else f"{number}: {' '.join(told['references'])} (-v for their files)"


def _read_out(meta):
    exposure = get(meta, "exposure") or {}
    counts = {"nints": "integration", "ngroups": "group", "nframes": "frame"}
    counted = [_count(exposure[key], word) for key, word in counts.items() if _is_number(exposure.get(key))]
    shape = ", ".join(filter(None, [said(exposure, readpatt="{}"), *counted, said(exposure, groupgap="gap {}")]))
    times = said(exposure, frame_time="TFRAME {:.6g} s", group_time="TGROUP {:.6g} s",
                 integration_time="EFFINTTM {:.6g} s")  # fmt: skip
    segment = said(exposure, segment_number="segment {}", segment_total="of {}").replace(", of", " of")
    first, last = exposure.get("integration_start"), exposure.get("integration_end")
    if exposure.get("segment_total") in (None, 1):
        segment = ""
    if segment and _is_number(first) and _is_number(last):
        segment += f": integrations {first} to {last}"
    return "; ".join(part for part in (shape, times, segment) if part)


def _resample(block):
    images = block.get("pointings")
    forms = {"pixel_scale_ratio": "scale ratio {:.6g}", "pixfrac": "pixfrac {}", "weight_type": "weights {}"}
    return ", ".join(filter(None, [_count(images, "image") if _is_number(images) else "", said(block, **forms)]))


def _table_meta(told):
    """What an ECSV table says of itself, the values that fit into a line."""
    simple = {key: value for key, value in keys.bare(told["tree"]).items() if isinstance(value, str | int | float)}
    return ", ".join(f"{key} {value}" for key, value in simple.items() if value not in NOTHING)


def _model(told):
    if "asdf" not in told:
        return ""
    state = told["asdf"]
    parts = [told["model"], STATES[state["state"]]]
    parts += ["in an image, the older form"] if state["form"] == "image" else []
    parts += [f"world coordinates: {WCS[state['wcs']]}"] if state["wcs"] else []
    return "; ".join(part for part in parts if part)


def _size(told, meta):
    parts = [amount(told["bytes"])]
    if "rows" in told:
        parts.append(f"{told['rows']} rows, {len(told['columns'])} columns")
    if meta.get("date") not in NOTHING:
        parts.append(str(meta["date"])[:19])
    return ", ".join([*parts, told.get("written_by") or ""]).rstrip(", ")


def _spectra(spectra):
    rows = []
    for one in spectra[:MOST_SPECTRA]:
        ends = one["wavelengths"]
        cells = [one["extension"].removesuffix(",1")]
        cells.append(f"{ends[0]:.5g} to {ends[1]:.5g} {one['unit'] or ''}".rstrip() if ends else "no wavelengths")
        rows.append([*cells, _source(one)])
    more = [f"and {len(spectra) - MOST_SPECTRA} more (--json shows all)"] if len(spectra) > MOST_SPECTRA else []
    return aligned((), rows) + more


def _source(one):
    """Slit, source and order of a spectrum or of a set of images."""
    forms = {"order": "order {}", "slit": "{}", "source": "source {}", "source_type": "{}"}
    return ", ".join(form.format(one[key]) for key, form in forms.items() if one[key] not in NOTHING)


def _slits(slits):
    listed = [_source(one) or one["extension"] for one in slits[:MOST_SLITS]]
    more = [f"and {len(slits) - MOST_SLITS} more"] if len(slits) > MOST_SLITS else []
    return f"{len(slits)} sets of images: {'; '.join([*listed, *more])}" if slits else ""


def _count(number, word):
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _hdus(told):
    """Images and tables in the order of the file: EXTNAME, name in the data model, type, shape, size, unit."""
    is_product = told["kind"] in SUFFIXES
    marks = {"required": "", "optional": "optional", None: "extra" if is_product else ""}
    everything = sorted([*(told.get("arrays") or []), *(told.get("tables") or [])], key=lambda one: one.get("hdu", 0))
    shown = everything
    if len(everything) > MOST_HDUS:  # sets for many sources are alike
        shown = [one for one in everything if one.get("extension", ",1").endswith(",1")][:MOST_HDUS]
    rows = []
    for one in shown:
        extension = [one["extension"].removesuffix(",1")] if "extension" in one else []  # none in ASDF
        if "rows" in one:
            cells = ["table", _count(one["rows"], "row"), _count(len(one["columns"]), "column")]
        else:
            cells = [one["name"], one["dtype"], "x".join(map(str, one["shape"])) or "scalar"]
        rows.append(
            [*extension, *cells, amount(one["bytes"]), cut(one.get("unit") or "", UNIT), marks[one.get("layout")]]
        )
    rest = len(everything) - len(shown)
    return aligned((), rows) + ([f"and {rest} more (--json shows all)"] if rest else [])
