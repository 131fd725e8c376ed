"""What is to be simulated of JWST: one exposure, complete."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from rtools.jwst.readout import ReadoutPattern, Subarray, frame_time, group_time, integration_time

__all__ = ["FAULTS", "MADE", "Companion", "JwstRequest", "Transit"]

FAULTS = ("refpix", "storm", "groups", "nints")
"""What can be planted into an exposure: reference pixels of one output that stick at the top; fifty times the cosmic
rays; groups that were lost, zero from the middle of the integration in the middle; NINTS that says one more than there
are."""

MADE = ("uncal", "rate", "rateints", "cal", "calints")
"""Suffixes of what can be simulated."""


class Transit(NamedTuple):
    """A planet before its star.

    Attributes
    ----------
    depth : float
        Part of the star's light that is missing.
    start, end : float
        Begin and end, as fractions of the exposure.
    """

    depth: float
    start: float
    end: float


class Companion(NamedTuple):
    """A second, fainter star beside the target.

    Attributes
    ----------
    separation : float
        arcsec.
    angle : float
        Position angle from the target, east of north, degrees.
    contrast : float
        Its light in units of the target's.
    """

    separation: float
    angle: float
    contrast: float


@dataclass(frozen=True)
class JwstRequest:
    """One exposure of JWST to simulate.

    Attributes
    ----------
    root : str
        Name without suffix; part of every noise stream, so that exposures of one seed differ.
    suffix : str
        One of `MADE`.
    detector : str
        As file names spell it: ``nrca1``.
    element : str
        The filter whose light falls on the detector: ``F200W``.
    filter_wheel, pupil_wheel : str
        FILTER and PUPIL.
    exposure_type : str
        EXP_TYPE.
    identity : mapping of str to object
        Metadata that the name gives, dotted path to value.
    part : rtools.jwst.readout.Subarray
        What is read.
    pattern : rtools.jwst.readout.ReadoutPattern
        How frames become groups.
    groups, integrations : int
        NGROUPS and NINTS.
    ra, dec, pa : float
        Of the reference point of what is read: its middle; degrees.
    date : str
        Start of the exposure, ISO, UTC.
    scene_seed, seed : int
        Of the sky, and of the noise of the exposure.
    crowded : int or None
        So many stars on the area of a Roman detector instead of the usual sources.
    cosmic_rays : bool
        Whether there are any.
    target : bool
        Whether there is a star on the reference point.
    magnitude : float or None
        AB, of the target; None for one that fills half of the wells in an integration.
    transit : Transit or None
        Of the target.
    drift : (float, float)
        Pixels by which everything moves along x and y from the begin to the end of the exposure.
    companion : Companion or None
        Of the target.
    offset : (float, float)
        Pixels by which the pointing misses the target, so that it stands beside the reference point, along x and y.
    faults : tuple of str
        Of `FAULTS`.
    """

    root: str
    suffix: str
    detector: str
    element: str
    filter_wheel: str
    pupil_wheel: str
    exposure_type: str
    identity: Mapping[str, Any]
    part: Subarray
    pattern: ReadoutPattern
    groups: int
    integrations: int
    ra: float
    dec: float
    pa: float
    date: str
    scene_seed: int = 0
    seed: int = 0
    crowded: int | None = None
    cosmic_rays: bool = True
    target: bool = False
    magnitude: float | None = None
    transit: Transit | None = None
    drift: tuple[float, float] = (0.0, 0.0)
    companion: Companion | None = None
    offset: tuple[float, float] = (0.0, 0.0)
    faults: tuple[str, ...] = ()

    @property
    def stream(self) -> tuple[str, int, str]:
        """What this exposure's noise is keyed by."""
        return ("jwst exposure", self.seed, self.root)

    @property
    def frame_time(self) -> float:
        """TFRAME, seconds."""
        return frame_time(self.detector, self.part, self.pattern.name)

    @property
    def group_time(self) -> float:
        """TGROUP, seconds."""
        return group_time(self.frame_time, self.pattern)

    @property
    def integration_time(self) -> float:
        """EFFINTTM, seconds."""
        return integration_time(self.frame_time, self.pattern, self.groups)

    @property
    def masked(self) -> bool:
        """Whether the light goes through the mask of seven holes."""
        return self.pupil_wheel == "NRM"

    @property
    def occulted(self) -> bool:
        """Whether the target is behind NIRCam's round occulter."""
        return self.exposure_type == "NRC_CORON" and self.pupil_wheel == "MASKRND"

    @property
    def varies(self) -> bool:
        """Whether the light is another one in each integration."""
        return self.transit is not None or any(self.drift)

    @property
    def has_integrations(self) -> bool:
        """Whether the product has a plane for each integration."""
        return self.suffix in ("rateints", "calints")

    def as_parameters(self) -> dict[str, Any]:
        """The request as plain values, for the history."""
        kept = ("exposure_type", "ra", "dec", "pa", "date", "scene_seed", "seed", "crowded", "cosmic_rays",
                "magnitude", "drift", "groups", "integrations", "faults")  # fmt: skip
        values: dict[str, Any] = {key: getattr(self, key) for key in kept}
        values |= {"filter": self.filter_wheel, "pupil": self.pupil_wheel, "readpatt": self.pattern.name}
        values["subarray"] = [self.part.name, self.part.x, self.part.y, self.part.columns, self.part.rows]
        if any(self.offset):
            values["offset"] = list(self.offset)
        for key in ("transit", "companion"):
            if getattr(self, key) is not None:
                values[key] = list(getattr(self, key))
        return values
