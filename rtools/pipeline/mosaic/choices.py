"""Options of the steps of a mosaic, parsed by the rules of the mission whose images they are for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rtools.errors import InputError, UsageError
from rtools.mosaic.options import (
    OutlierOptions,
    ResampleOptions,
    SkyMatchOptions,
    parse_outlier,
    parse_resample,
    parse_skymatch,
)
from rtools.pipeline.mosaic.grid import weight_of
from rtools.pipeline.mosaic.members import Member, exposed
from rtools.pipeline.mosaic.missions import ROMAN
from rtools.pipeline.mosaic.request import MosaicRequest

__all__ = ["MosaicOptions", "parse_options", "refuse_foreign", "settle_weights"]


@dataclass(frozen=True)
class MosaicOptions:
    """Options of all steps, parsed.

    Attributes
    ----------
    skymatch : SkyMatchOptions
        Of rt-skymatch.
    outlier : OutlierOptions
        Of rt-outlier.
    resample : ResampleOptions
        Of rt-resample.
    """

    skymatch: SkyMatchOptions
    outlier: OutlierOptions
    resample: ResampleOptions


def parse_options(request: MosaicRequest) -> MosaicOptions:
    """Options of all steps in their own types.

    Parameters
    ----------
    request : MosaicRequest
        Its options as they were typed.

    Returns
    -------
    MosaicOptions
        Also of steps that will not be done.

    Raises
    ------
    UsageError
        A word means nothing.
    """
    flags = request.rules.bits
    options = MosaicOptions(
        outlier=parse_outlier(request.options("outlier"), flags),
        resample=parse_resample(request.options("resample"), flags),
        skymatch=parse_skymatch(request.options("skymatch"), flags),
    )
    asked = {*options.resample.planes, *(["dq"] if options.resample.dq else ())}
    if unknown := sorted(asked - request.rules.planes):
        raise UsageError(f"a mosaic of {request.rules.title} has no {unknown[0]}", mend="leave it out")
    return options


def refuse_foreign(request: MosaicRequest, files: Sequence[str | Path]) -> None:
    """Refuse what the mission of the images does not have.

    Parameters
    ----------
    request : MosaicRequest
        What is asked.
    files : sequence of str or Path
        The images.

    Raises
    ------
    InputError, UsageError
        A step, or a mosaic that images join, is of another mission.
    """
    rules = request.rules
    if request.single and request.single not in rules.steps:
        raise InputError(f"{request.tool} takes no images of {rules.title}, which are in MJy/sr", path=files[0])
    if request.add and rules is not ROMAN:
        raise UsageError(f"--add: images of {rules.title} join no mosaic", mend="make it of all images at once")


def settle_weights(members: Sequence[Member], request: MosaicRequest, log: Callable[[str, str], None]) -> MosaicRequest:
    """The request with weights that are not ``auto``: of the mosaic that it is to be like, else the mission's own.

    Parameters
    ----------
    members : sequence of rtools.pipeline.mosaic.members.Member
        The images.
    request : MosaicRequest
        What is asked.
    log : callable
        ``log(level, text)``: is warned of exposure times that are not known.

    Returns
    -------
    MosaicRequest
    """
    like, options, rules = request.wanted.like, request.options("resample"), request.rules
    if options["weight_type"] == "auto":
        weight = weight_of(like, rules.name, rules.weight) if like else rules.weight
        if like and weight != "exptime":
            keeping = "--weight-type exptime" if request.single else "--set resample.weight-type=exptime"
            log("warning", f"weights are {weight}, as of {like}: stars lose light ({keeping} keeps it)")
        request = replace(request, settings={**request.settings, "resample": options | {"weight_type": weight}})
    weighs = request.options("resample")["weight_type"] == "exptime"
    for member in members:
        time, effective = (exposed(member.meta, key) for key in rules.times)
        if not (time or effective) and weighs:
            log("warning", f"{member.name}: exposure time not known: it counts like 1 s")
        elif weighs and not time:
            log("warning", f"{member.name}: no meta.exposure.{rules.times[0]}: {rules.times[1]} is taken")
        elif not effective:
            log("warning", f"{member.name}: no meta.exposure.{rules.times[1]}: {rules.sums_in} is without it")
    return request
