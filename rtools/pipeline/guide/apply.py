"""From guide windows to science files: the kernel that an exposure gets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from rtools.errors import InputError
from rtools.guide import JitterKernel, Motion
from rtools.pipeline.guide.jitter import jitter_of
from rtools.pipeline.guide.links import exposure_of, find_guide_file
from rtools.pipeline.guide.measure import measure_stage
from rtools.pipeline.guide.request import GuideRequest
from rtools.products.guide import open_guide
from rtools.wfi.instrument import PIXEL_SCALE_ARCSEC

if TYPE_CHECKING:
    from rtools.work import Work

__all__ = ["ExposureKernel", "KernelsOfFiles"]


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
    kind : str
        What it holds, by the word of the table of `columns.JITTER`.
    """

    path: str
    motion: Motion
    kernel: JitterKernel
    kind: str

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
                "kind": self.kind,
                "pairs": int(self.motion.used),
                "rms_x": float(self.motion.rms_x),
                "rms_y": float(self.motion.rms_y),
                "scale": 1000 * PIXEL_SCALE_ARCSEC,
                "file": Path(self.path).name,
            },
        }


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
        return {one.exposure: ExposureKernel(path, one.motion, one.kernel, one.row["kind"])
                for one in rows if one.kernel is not None}  # fmt: skip
