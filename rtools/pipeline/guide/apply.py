"""From guide windows to science files: which guide window an exposure belongs to, and the kernel that it gets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from rtools.errors import InputError
from rtools.guide import JitterKernel, Motion
from rtools.pipeline.guide.jitter import jitter_of
from rtools.pipeline.guide.measure import measure_stage
from rtools.pipeline.guide.request import GuideRequest
from rtools.products.guide import Guide, is_guide_name, open_guide
from rtools.wfi import metadata
from rtools.wfi.instrument import PIXEL_SCALE_ARCSEC

if TYPE_CHECKING:
    from rtools.work import Work

__all__ = ["ExposureKernel", "KernelsOfFiles", "exposure_of", "find_guide_file", "guide_files_in"]


class ScienceExposure(NamedTuple):
    """What a science file says of the guide window that served it.

    Attributes
    ----------
    window_id : str
        Without ``_``.
    detector : str
        ``WFI01`` …
    exposure : int
        Number in the visit.
    """

    window_id: str
    detector: str
    exposure: int


class ExposureKernel(NamedTuple):
    """The kernel of an exposure, and where it is from.

    Attributes
    ----------
    path : str
        The guide-window file.
    motion : rtools.guide.Motion
        What was measured.
    kernel : rtools.guide.JitterKernel
        The ellipse.
    """

    path: str
    motion: Motion
    kernel: JitterKernel

    def keywords(self) -> dict[str, Any]:
        """What science files are told.

        Returns
        -------
        dict
            Dotted key below ``meta`` to its value.
        """
        major, minor, angle = (float(one) for one in self.kernel.ellipse)
        return {
            "guide_star.jitter_major": major,
            "guide_star.jitter_minor": minor,
            "guide_star.jitter_position_angle": angle,
            "rtools.jitter": {
                "source": "guide window",
                "kind": self.kernel.kind,
                "pairs": int(self.motion.used),
                "rms_x": float(self.motion.rms_x),
                "rms_y": float(self.motion.rms_y),
                "scale": 1000 * PIXEL_SCALE_ARCSEC,
                "file": Path(self.path).name,
            },
        }


def exposure_of(meta: Mapping[str, Any]) -> ScienceExposure:
    """The guide window, the detector and the number of an exposure.

    Parameters
    ----------
    meta : mapping
        Of a science file.

    Returns
    -------
    ScienceExposure

    Raises
    ------
    InputError
        The metadata do not say one of them.
    """
    window = str(metadata.get(meta, "guide_star.guide_window_id") or "").replace("_", "")
    detector = str(metadata.get(meta, "instrument.detector") or "")
    exposure = metadata.get(meta, "observation.exposure")
    if not window or not detector or not isinstance(exposure, int):
        raise InputError("the metadata do not say guide window, detector and exposure")
    return ScienceExposure(window, detector, exposure)


def serves(guide: Guide, science: ScienceExposure) -> bool:
    """Whether a guide-window file has pairs of an exposure.

    Parameters
    ----------
    guide : rtools.products.guide.Guide
        The file.
    science : ScienceExposure
        The exposure.

    Returns
    -------
    bool
    """
    track = guide.stage("track")
    same = guide.window_id == science.window_id and guide.detector == science.detector
    return same and track is not None and bool((track.exposure == science.exposure).any())


def guide_files_in(directory: str | Path) -> list[str]:
    """Guide-window files of a directory.

    Parameters
    ----------
    directory : str or Path
        Where to look; a file is taken for itself.

    Returns
    -------
    list of str
        Sorted.

    Raises
    ------
    InputError
        There is none.
    """
    place = Path(directory)
    found = (
        [str(place)] if place.is_file() else sorted(str(path) for path in place.glob("*.asdf") if is_guide_name(path))
    )
    if not found:
        raise InputError("no guide-window file there", path=directory)
    return found


def find_guide_file(paths: Sequence[str], meta: Mapping[str, Any]) -> str:
    """The guide-window file of an exposure.

    Parameters
    ----------
    paths : sequence of str
        Guide-window files.
    meta : mapping
        Of the science file.

    Returns
    -------
    str
        The first that has the window, the detector and the exposure.

    Raises
    ------
    InputError
        None has.
    """
    science = exposure_of(meta)
    for path in paths:
        with open_guide(path) as guide:
            if serves(guide, science):
                return path
    raise InputError(f"no guide-window file of {science.window_id}, {science.detector}, exposure {science.exposure}")


class KernelsOfFiles:
    """Kernels of exposures from guide-window files, each file measured once.

    Parameters
    ----------
    paths : sequence of str
        Guide-window files.
    request : GuideRequest
        How they are measured.
    work : rtools.work.Work
        Threads and log.
    """

    def __init__(self, paths: Sequence[str], request: GuideRequest, work: Work):
        self._paths, self._request, self._work = list(paths), request, work
        self._found: dict[str, dict[int, ExposureKernel]] = {}

    def of(self, meta: Mapping[str, Any]) -> ExposureKernel:
        """The kernel of an exposure.

        Parameters
        ----------
        meta : mapping
            Of the science file.

        Returns
        -------
        ExposureKernel

        Raises
        ------
        InputError
            No file belongs to it, or too few of its pairs can be used.
        """
        number = exposure_of(meta).exposure
        path = find_guide_file(self._paths, meta)
        if path not in self._found:
            self._found[path] = self._measured(path)
        if number not in self._found[path]:
            raise InputError(f"too few pairs of exposure {number} can be used", path=path)
        return self._found[path][number]

    def _measured(self, path):
        with open_guide(path) as guide:
            measured = measure_stage(guide, "track", self._request, self._work)
            rows = jitter_of(guide, measured, self._request, self._work)
        return {one.exposure: ExposureKernel(path, one.motion, one.kernel) for one in rows if one.kernel is not None}
