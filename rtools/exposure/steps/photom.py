"""Photometric calibration: how a count rate becomes a surface brightness. Metadata only; pixels do not change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rtools.declare import FrameStep, Reference, Skip
from rtools.wfi.quantities import entry_problem

if TYPE_CHECKING:
    from rtools.exposure.frame import Exposure, View

__all__ = ["STEP", "apply", "prepare"]

KEYS = {
    "conversion_megajanskys": "photmjsr",
    "conversion_megajanskys_uncertainty": "uncertainty",
    "pixel_area": "pixelareasr",
}
"""`meta.photometry` entry and the column of the reference's table that it holds."""


def prepare(exposure: Exposure, view: View, refs: dict, options: dict) -> dict[str, Any] | Skip:
    """The row of the exposure's optical element.

    Parameters
    ----------
    exposure : rtools.exposure.frame.Exposure
        Its optical element is read; `meta.photometry` becomes nulls where the step is skipped.
    view : rtools.exposure.frame.View
        Not used.
    refs : dict
        ``refs["photom"]["phot_table"]``: optical element to a row, whose keys are the values of `KEYS`.
    options : dict
        Not used.

    Returns
    -------
    dict of str to object, or rtools.declare.Skip
        The row without values that cannot be; `Skip` where there is none, or its conversion cannot be one.
    """
    element = str(exposure.meta["instrument"]["optical_element"]).upper()
    row = refs["photom"]["phot_table"].get(element)
    if row is None:
        exposure.meta["photometry"] = dict.fromkeys(KEYS)
        return Skip(f"the photom reference has no {element}")
    wrong = {key: entry_problem(key, row[key]) for key in KEYS.values() if row.get(key) is not None}
    wrong = {key: text for key, text in wrong.items() if text}
    if "photmjsr" in wrong:
        exposure.meta["photometry"] = dict.fromkeys(KEYS)
        return Skip(f"of {element} the photom reference says {wrong['photmjsr']}")
    for text in wrong.values():
        exposure.log("warning", f"photom: of {element} the reference says {text}: null is written")
    return {key: value for key, value in row.items() if key not in wrong}


def apply(exposure: Exposure, refs: dict, options: dict, prepared: dict[str, Any]) -> None:
    """Write `meta.photometry`.

    Parameters
    ----------
    exposure : rtools.exposure.frame.Exposure
        Its metadata change.
    refs : dict
        Not used.
    options : dict
        Not used.
    prepared : dict of str to object
        What `prepare` returned.
    """
    values = {key: prepared.get(column) for key, column in KEYS.items()}
    exposure.meta["photometry"] = {key: None if value is None else float(value) for key, value in values.items()}


STEP = FrameStep(
    name="photom",
    after="assignwcs",
    cal_step="photom",
    memory="0.6 GiB for a full frame of 9 resultants, mapped input included (-j 2).",
    suffix="photom",
    summary="Record the photometric calibration.",
    description=(
        "Copies the row of the optical element from the reference's table into meta.photometry: MJy/sr per DN/s, its "
        "uncertainty, and the pixel area in sr; all null for grism, prism and dark. An element that the table does "
        "not have, or whose conversion cannot be one, gives nulls, a warning, and the status SKIPPED."
    ),
    examples=("rt-photom X_assignwcs.asdf", "rt-photom X_assignwcs.asdf --ref photom=phot.asdf"),
    references=(Reference("photom", nodes=("phot_table",)),),
    repeatable=True,
    prepare=prepare,
    apply=apply,
)
