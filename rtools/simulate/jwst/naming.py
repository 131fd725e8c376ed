"""From the name of a product of JWST and settings as a user says them to a `JwstRequest`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtools.errors import InputError, UsageError
from rtools.jwst.instrument import bandpass, detector_facts
from rtools.jwst.readout import ReadoutPattern, Subarray, readout_pattern, readout_patterns, subarray, window
from rtools.products import names
from rtools.reference.jwst.tables import optical_elements
from rtools.simulate.guide.request import parse_numbers
from rtools.simulate.jwst.request import MADE, Companion, JwstRequest, Transit
from rtools.simulate.naming import refuse_infinite
from rtools.wfi.times import mjd_of

if TYPE_CHECKING:
    from typing import Any

__all__ = ["request_of_jwst"]

GROUPS, SEVERAL = 10, 10
"""NGROUPS when nothing is asked for, and NINTS where there must be several."""

MOST_GROUPS, MOST_INTEGRATIONS = 32767, 65535
"""What GROUP and INT_TIMES can number."""

AMI_SUBARRAY = "SUB80"
"""What is read behind the mask when nothing is asked for."""

EXPOSURE_TYPES = {
    "nircam": ("NRC_IMAGE", "NRC_TSIMAGE", "NRC_CORON", "NRC_DARK"),
    "niriss": ("NIS_IMAGE", "NIS_AMI", "NIS_DARK"),
}
"""Exposure types that can be asked for, by instrument; the usual one first."""

WITH_TARGET = ("NRC_TSIMAGE", "NRC_CORON", "NIS_AMI")
"""Exposure types with a star on the reference point."""


def request_of_jwst(
    name: str,
    *,
    filter_: str | None = None,
    pupil: str | None = None,
    exposure_type: str | None = None,
    part: str | None = None,
    readpatt: str | None = None,
    ngroups: int | None = None,
    nints: int | None = None,
    transit: str | None = None,
    drift: str | None = None,
    companion: str | None = None,
    offset: str | None = None,
    **settings: Any,
) -> JwstRequest:
    """What is simulated under a name of JWST.

    Parameters
    ----------
    name : str
        Of an exposure, ``jw…_nrca1_uncal.fits``; a directory before it is ignored.
    filter_ : str, optional
        By default F200W, F444W on the long detectors, F480M with NIRISS's mask.
    pupil : str, optional
        PUPIL; ``NRM`` for the mask.
    exposure_type : str, optional
        By default the one that fits what else is asked for.
    part : str, optional
        Name of a sub-array, or ``X,Y,NX,NY``.
    readpatt : str, optional
        READPATT; by default SHALLOW4 for images of NIRCam, else the pattern that keeps every frame.
    ngroups, nints : int, optional
        By default 10 groups, and 1 integration, or 10 where the product or the transit needs several.
    transit : str, optional
        ``DEPTH,START,END``.
    drift : str, optional
        ``X,Y``, pixels.
    companion : str, optional
        ``SEP,PA,CONTRAST``: arcsec, degrees, ratio.
    offset : str, optional
        ``X,Y``, pixels from the reference point to the target.
    **settings
        Other fields of `JwstRequest`.

    Returns
    -------
    JwstRequest
        Complete: what neither name nor settings say is as usual.

    Raises
    ------
    UsageError
        The name is not that of a product that can be simulated, or a setting cannot be.
    """
    refuse_infinite(settings)
    parsed = _parsed(name)
    detector = parsed.detector
    _refuse_counts(ngroups, nints)
    _refuse_date(settings["date"])
    is_series = transit is not None or drift is not None
    kind = _exposure_type(detector, exposure_type, pupil, is_series=is_series)
    element, wheels = _elements(detector, filter_, pupil, kind)
    settings["ra"] = settings["ra"] % 360
    several = parsed.suffix in ("rateints", "calints") or is_series
    starred = is_series or companion is not None or offset is not None or settings.get("magnitude") is not None
    settings["target"] = kind in WITH_TARGET or starred
    if kind.endswith("_DARK") and settings["target"]:
        raise UsageError(f"--exp-type {kind} has no target")
    return JwstRequest(
        root=parsed.root,
        suffix=parsed.suffix,
        detector=detector,
        element=element,
        filter_wheel=wheels[0],
        pupil_wheel=wheels[1],
        exposure_type=kind,
        identity=names.metadata(parsed),
        part=_part(detector, part, kind),
        pattern=_pattern(detector, readpatt, kind),
        groups=ngroups or GROUPS,
        integrations=nints or (SEVERAL if several else 1),
        transit=_transit(transit),
        drift=parse_numbers("--drift", drift, (2,)) if drift else (0.0, 0.0),  # type: ignore[arg-type]
        companion=_companion(companion),
        offset=parse_numbers("--offset", offset, (2,)) if offset else (0.0, 0.0),  # type: ignore[arg-type]
        **settings,
    )


def _parsed(name):
    """The parsed name, which must be that of an exposure on a detector that is simulated."""
    try:
        parsed = names.parse(name, forms=("name",), mission="jwst")
    except names.InvalidName as error:
        raise UsageError(f"not a file name of the mission ({str(error).splitlines()[0]})") from None
    if parsed.detector is None or parsed.suffix not in MADE or parsed.extension != "fits":
        mend = f"the name must end in {', '.join(f'_{suffix}.fits' for suffix in MADE)}"
        raise UsageError(f"{name}: not a product that is simulated", mend=mend)
    if parsed.segment is not None:
        raise UsageError("segments of an exposure are not simulated", mend="leave -segNNN out")
    instrument = detector_facts(parsed.detector).instrument
    if instrument not in EXPOSURE_TYPES:
        raise UsageError(
            f"detector {parsed.detector} of {instrument.upper()} is not simulated",
            mend="NIRCam's ten detectors and NIRISS's nis are",
        )
    return parsed


def _refuse_counts(ngroups, nints):
    for option, count, most in (("--ngroups", ngroups, MOST_GROUPS), ("--nints", nints, MOST_INTEGRATIONS)):
        if count is not None and not 1 <= count <= most:
            raise UsageError(f"{option} {count}: between 1 and {most} expected")


def _refuse_date(date):
    try:
        mjd_of(date)
    except (ValueError, InputError):
        raise UsageError(f"--date {date}: not a valid time", mend="write it as 2027-01-01T00:00:00") from None


def _exposure_type(detector, asked, pupil, *, is_series):
    known = EXPOSURE_TYPES[detector_facts(detector).instrument]
    if asked is not None:
        if asked.upper() not in known:
            raise UsageError(f"--exp-type {asked}: one of {', '.join(known)} expected for {detector}")
        if asked.upper() == "NIS_AMI" and (pupil or "NRM").upper() != "NRM":
            raise UsageError(f"--exp-type NIS_AMI has the pupil NRM, not {pupil}")
        return asked.upper()
    if (pupil or "").upper() == "NRM":
        if "NIS_AMI" not in known:
            raise UsageError("the pupil NRM is NIRISS's", mend="give a name of the detector nis")
        return "NIS_AMI"
    return "NRC_TSIMAGE" if is_series and "NRC_TSIMAGE" in known else known[0]


def _elements(detector, asked, pupil, kind):
    """The filter whose light is seen, and what FILTER and PUPIL say."""
    facts = detector_facts(detector)
    usual = "F480M" if kind == "NIS_AMI" else "F444W" if facts.channel == "LONG" else "F200W"
    element = bandpass(detector, asked or usual).name
    known = optical_elements(detector, element)
    if pupil is None and kind != "NIS_AMI":
        return element, known[0]
    wanted = (pupil or "NRM").upper()
    for wheels in known:
        if wheels[1] == wanted:
            return element, wheels
    if facts.instrument == "nircam" and wanted != "NRM":
        return element, (element, wanted)
    raise UsageError(
        f"pupil {wanted} does not go with {element} on {facts.name}", mend=f"{', '.join(two[1] for two in known)} do"
    )


def _part(detector: str, asked: str | None, kind: str) -> Subarray:
    """The sub-array of a word."""
    if asked is None:
        return subarray(detector, AMI_SUBARRAY if kind == "NIS_AMI" else "FULL")
    if "," not in asked:
        return subarray(detector, asked)
    values = parse_numbers("--subarray", asked, (4,))
    if any(value != int(value) for value in values):
        raise UsageError(f"--subarray {asked}: whole numbers expected")
    x, y, columns, rows = map(int, values)
    return window(detector, x, y, columns, rows)


def _pattern(detector: str, asked: str | None, kind: str) -> ReadoutPattern:
    return readout_pattern(
        detector, asked or ("SHALLOW4" if kind == "NRC_IMAGE" else readout_patterns(detector)[0].name)
    )


def _transit(word):
    if word is None:
        return None
    transit = Transit(*parse_numbers("--transit", word, (3,)))
    if not (0 < transit.depth <= 1 and transit.start < transit.end):
        raise UsageError(f"--transit {word}: a depth between 0 and 1 and a start before the end expected")
    return transit


def _companion(word):
    if word is None:
        return None
    companion = Companion(*parse_numbers("--companion", word, (3,)))
    if companion.separation <= 0 or not 0 < companion.contrast <= 1:
        raise UsageError(f"--companion {word}: a separation above 0 and a contrast between 0 and 1 expected")
    return companion
