"""Metadata of an exposure on its way through the chain: as it begins, as an image, and what tells its quality."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rtools.exposure.steps.dqinit import ramp_meta
from rtools.pipeline.exposure import chain
from rtools.products.schema import layout
from rtools.wfi.metadata import put

if TYPE_CHECKING:
    from rtools.pipeline.exposure.request import ExposureRequest
    from rtools.work import Work

__all__ = ["become_image", "begun", "measures", "take_jitter"]


def begun(meta: dict[str, Any], *, raw: bool) -> dict[str, Any]:
    """Metadata of a product of this chain: every cal_step key, and the log as text.

    Parameters
    ----------
    meta : dict
        Of the input; changed.
    raw : bool
        The input is raw, and becomes a ramp.

    Returns
    -------
    dict
        That of a ramp where the input is raw, else the same.
    """
    recorded = meta.get("cal_step") or {}
    meta["cal_step"] = {key: str(recorded.get(key, "INCOMPLETE")) for key in chain.cal_steps()} | {
        key: str(value) for key, value in recorded.items()
    }
    meta["cal_logs"] = [str(line) for line in meta.get("cal_logs") or []]
    return ramp_meta(meta) if raw else meta


def take_jitter(meta: dict[str, Any], guide: str, request: ExposureRequest, work: Work) -> None:
    """Let the metadata say the jitter that a guide window shows, which the catalog's PSF has.

    Parameters
    ----------
    meta : dict
        Of the exposure; changed.
    guide : str
        Path of the guide-window file.
    request : rtools.pipeline.exposure.request.ExposureRequest
        What was asked.
    work : rtools.work.Work
        Threads and log.
    """
    from rtools.pipeline.guide.apply import KernelsOfFiles
    from rtools.pipeline.guide.request import GuideRequest

    wanted = GuideRequest(references=request.references, high_frequency=request.high_frequency)
    found = KernelsOfFiles([guide], wanted, work).of(meta)
    for key, value in found.keywords().items():
        put(meta, key, value)
    major, minor, angle = found.kernel.ellipse
    work.log("info", f"jitter {major:.2f} x {minor:.2f} mas at {angle:.0f} degrees by {guide}")


def become_image(meta: dict[str, Any]) -> None:
    """Add what an L2 image says and a ramp does not.

    Parameters
    ----------
    meta : dict
        Of the ramp; changed.
    """
    meta["product_type"] = "l2"
    meta.setdefault("wcs", None)
    for block, values in layout.image_defaults().items():
        meta.setdefault(block, values)
    meta["photometry"] = layout.image_defaults()["photometry"]  # raw files carry fill values


def measures(meta: Mapping[str, Any]) -> dict[str, float]:
    """Numbers that tell how good the image is.

    Parameters
    ----------
    meta : mapping
        Of the image.

    Returns
    -------
    dict of str to float
    """
    found = {}
    if meta.get("statistics"):
        found["sky"] = float(meta["statistics"]["image_median"])
    if meta["cal_step"].get("tweakreg") == "COMPLETE" and meta.get("wcs_fit_results"):
        found["alignment_rms"] = 1000 * float(meta["wcs_fit_results"]["rmse"])
    return found
