"""One simulated exposure of JWST: light, detector, metadata and truth, from a request and the references.

Memory: of a raw exposure 2 bytes for each pixel of each group and integration, and 90 for each pixel of what is read;
of an image 40 for each pixel of each plane.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.jwst.dq import PIXEL_FLAGS
from rtools.jwst.order import amplifiers
from rtools.simulate.jwst import assumed, clock, ramps
from rtools.simulate.jwst.light import light_of
from rtools.simulate.jwst.metadata import metadata_of
from rtools.simulate.jwst.planes import planes_of
from rtools.simulate.jwst.view import view_of
from rtools.work import ALONE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rtools.simulate.jwst.light import JwstLight
    from rtools.simulate.jwst.planes import JwstReference, Planes
    from rtools.simulate.jwst.request import JwstRequest
    from rtools.simulate.jwst.view import JwstView
    from rtools.work import Work

__all__ = ["JwstScene", "RawExposure", "set_up", "simulate_ramps"]

LARGEST = 65535
"""DN at which a reference pixel sticks."""


@dataclass(frozen=True)
class JwstScene:
    """What an exposure looks at, and with what; the same for ramps and for images.

    Attributes
    ----------
    request : rtools.simulate.jwst.request.JwstRequest
        What is simulated.
    clock : rtools.simulate.jwst.clock.Clock
        When.
    view : rtools.simulate.jwst.view.JwstView
        Where it looks.
    planes : rtools.simulate.jwst.planes.Planes
        The pixels.
    light : rtools.simulate.jwst.light.JwstLight
        What falls on them.
    meta : dict
        Metadata of a raw exposure.
    """

    request: JwstRequest
    clock: clock.Clock
    view: JwstView
    planes: Planes
    light: JwstLight
    meta: dict[str, Any]

    def electrons(self, number: int) -> np.ndarray:
        """Electrons per second in an integration, dark current included; ndarray float32 (rows, columns)."""
        planes = self.planes
        return self.light.image(number) * planes.flat * planes.detector.gain + planes.dark

    def truth(self, number: int) -> np.ndarray:
        """What a perfect rate of an integration holds, DN/s; ndarray float32 (rows, columns)."""
        return self.planes.seen(self.light.image(number))

    def sharp(self, number: int) -> np.ndarray:
        """As `truth`, without what neighbours see of each other; ndarray float32 (rows, columns)."""
        planes = self.planes
        return np.where(planes.detector.live, self.light.image(number) * planes.flat, np.float32(0))

    def truths(self) -> np.ndarray:
        """The same of all integrations, float32 (integrations, rows, columns), or (1, …) where they do not differ."""
        return np.stack(
            [self.truth(number) for number in range(self.request.integrations if self.request.varies else 1)]
        )

    @property
    def int_times(self) -> np.ndarray:
        """Rows of INT_TIMES."""
        return clock.int_times(self.clock, self.view)


@dataclass(frozen=True)
class RawExposure:
    """A simulated raw exposure.

    Attributes
    ----------
    data : ndarray uint16 (integrations, groups, rows, columns)
        DN.
    groups : ndarray, structured
        Rows of GROUP.
    hits : dict of ndarray
        Cosmic rays, from `rtools.simulate.jwst.ramps.draw_hits`.
    """

    data: np.ndarray
    groups: np.ndarray
    hits: dict[str, np.ndarray]


def set_up(
    request: JwstRequest,
    references: Mapping[str, JwstReference | None],
    *,
    model: Callable[..., Any] | None = None,
    work: Work = ALONE,
) -> JwstScene:
    """What is simulated, before any noise.

    Parameters
    ----------
    request : rtools.simulate.jwst.request.JwstRequest
        What is asked for.
    references : mapping of str to Reference or None
        As for `rtools.simulate.jwst.planes.planes_of`.
    model : callable, optional
        Of a distortion reference: pixels of the full frame to V2, V3; the nominal one otherwise.
    work : rtools.work.Work
        Threads and log.

    Returns
    -------
    JwstScene
    """
    times = clock.clock_of(request)
    view = view_of(request, times.middle, model)
    planes = planes_of(request, references)
    light = light_of(request, view, planes.brightness, well=assumed.HALF * planes.well, work=work)
    return JwstScene(request, times, view, planes, light, metadata_of(request, times, view, light.target))


def simulate_ramps(scene: JwstScene, *, work: Work = ALONE) -> RawExposure:
    """A raw exposure of a scene.

    Parameters
    ----------
    scene : JwstScene
        From `set_up`.
    work : rtools.work.Work
        Threads; the result does not depend on them.

    Returns
    -------
    RawExposure
        With the faults that are asked for.
    """
    request, detector = scene.request, scene.planes.detector
    reading = ramps.JwstReading(
        request.pattern, request.groups, request.integrations, request.frame_time, request.stream
    )
    times = (assumed.STORM if "storm" in request.faults else 1.0) if request.cosmic_rays else 0.0
    hits = ramps.draw_hits(detector, reading, times=times)
    fixed = None if request.varies else scene.electrons(0)
    data = ramps.read_out(
        lambda number: scene.electrons(number) if fixed is None else fixed, detector, reading, hits=hits, work=work
    )
    _spoil(data, scene)
    return RawExposure(data, clock.group_table(request, scene.clock, scene.view), hits)


def _spoil(data, scene):
    """Plant faults of the data."""
    request = scene.request
    if "refpix" in request.faults:
        stuck = (scene.planes.flags & PIXEL_FLAGS["REFERENCE_PIXEL"]) != 0
        if request.part.outputs > 1:
            stuck &= amplifiers(request.detector)[request.part.slices] == 0
        data[:, :, stuck] = LARGEST
    if "groups" in request.faults:
        data[request.integrations // 2, request.groups // 2 :] = 0
