"""One simulated exposure: light, detector, metadata and truth, from a request and the references.

The order of things is that of light and electronics, each the inverse of a step of the chain: rate [DN/s, as a perfect
_cal holds it], flat, dark, gain, Poisson noise, pedestal, non-linearity, dark decay, WFI18 transient, 1/f and white
noise, the converter, averaging, reference read and offset.

The converter's floor lowers a resultant of N reads by ½ + ½ (N - 1) / N DN on average. Nothing here makes up for it:
reference pixels have the same, and refpix takes the difference between resultants away.

Memory: 2 bytes per pixel and resultant and 8 per pixel, and the references of 16 channels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rtools.reference import epsf
from rtools.simulate import light, ramps, rays
from rtools.simulate.guide.metadata import science_metadata
from rtools.simulate.references import GROUP, ReferencePlanes
from rtools.wfi.frame import BORDER, CHANNEL
from rtools.work import ALONE

if TYPE_CHECKING:
    from typing import Any

    from rtools.reference.source import References
    from rtools.simulate.guide.run import Aim
    from rtools.simulate.request import SimulationRequest
    from rtools.work import Work

__all__ = ["SimulatedExposure", "simulate"]


@dataclass
class SimulatedExposure:
    """A simulated exposure.

    Attributes
    ----------
    meta : dict
        Complete metadata of the L1 product.
    arrays : dict of str to ndarray
        data, amp33; reference_read, reference_amp33 when asked for.
    rate : ndarray float32 (rows - 8, columns - 8)
        What a perfect _cal holds, DN/s: dark-subtracted; flat-corrected where the chain divides by the flat.
    rays : dict of ndarray
        Cosmic-ray hits: read (the first that sees it), resultant (the first with such a read), y, x (trimmed frame),
        electrons, dn.
    sources : dict of str to (ndarray, str or None)
        Sources whose light may fall on the image: columns of a table, and their units.
    """

    meta: dict[str, Any]
    arrays: dict[str, np.ndarray]
    rate: np.ndarray
    rays: dict[str, np.ndarray]
    sources: dict[str, tuple[np.ndarray, str | None]]


def simulate(
    request: SimulationRequest,
    meta: dict[str, Any],
    references: References,
    *,
    aim: Aim,
    label: str = "",
    work: Work = ALONE,
) -> SimulatedExposure:
    """Simulate an exposure.

    Parameters
    ----------
    request : rtools.simulate.request.SimulationRequest
        What is simulated.
    meta : dict
        From `metadata.build`; footprint, guide star and references are filled in.
    references : mapping of str to ReferenceSource or None
        References, from `find_all`.
    aim : rtools.simulate.guide.run.Aim
        What is looked at.
    label : str
        What progress calls the exposure.
    work : rtools.work.Work
        Threads, log, and progress in channels; the result does not depend on the threads.

    Returns
    -------
    SimulatedExposure
        Arrays of the L1 product, metadata, and the truth.
    """
    view, found, usual = aim.sky
    meta["wcsinfo"]["s_region"] = view.s_region
    with work.progress(label, request.size // CHANNEL) as progress:
        rate, seen = light.rate_image(view, request, references, gain=usual[0], found=found, work=work)
        meta["guide_star"] |= science_metadata(request, aim.star, found) | _jitter(request, references)
        arrays, hits = _read_out(request, rate, references, usual, work=work, advance=progress.advance)
    used = {kind: reference.label for kind, reference in references.items() if reference is not None}
    meta["rtools"]["simulation"]["references"] = used
    return SimulatedExposure(meta, arrays, rate, hits, seen)


def _read_out(request, rate, references, usual, *, work, advance):
    """Arrays of the L1 product and the hits; channel by channel, in groups that share decoded references."""
    size, pattern = request.size, request.table.read_pattern
    channels = size // CHANNEL
    hits = _rays(request)
    frames = [*pattern, [0]] if request.reference_read else pattern
    common = ramps.common_series(request.stream, frames, size)
    data = np.empty((len(pattern), size, size), np.uint16)
    before = np.empty((size, size), np.uint16) if request.reference_read else None
    dn = np.zeros(len(hits["row"]))

    def one(channel, planes):
        columns = slice(channel * CHANNEL, (channel + 1) * CHANNEL)
        detector, flat, dark, dead = planes.channel(channel, references, usual)
        electrons = _electrons(rate, columns, flat, dark, dead) * detector.gain * np.float32(request.frame_time)
        own = np.flatnonzero((hits["column"] >= columns.start) & (hits["column"] < columns.stop))
        column = hits["column"][own] - columns.start
        resultants, reference = ramps.read_out(
            electrons,
            detector,
            request.stream,
            channel=channel,
            channels=channels,
            read_pattern=pattern,
            common=common,
            pink=request.pink_noise,
            hits=(hits["row"][own], column, hits["read"][own], hits["electrons"][own]),
            reference=request.reference_read,
        )
        data[:, :, columns] = ramps.encode(resultants, reference, request.encoding_offset)
        if not request.flattened:
            _unflatten(rate, columns, flat)
        if before is not None and reference is not None:
            before[:, columns] = ramps.encode(reference, None, 0)
        dn[own] = hits["electrons"][own] / detector.gain[hits["row"][own], column]
        advance()

    for first in range(0, channels, GROUP):
        group = range(first, min(first + GROUP, channels))
        planes = ReferencePlanes(references, request, first * CHANNEL, group.stop * CHANNEL, work)
        work.map(lambda channel, planes=planes: one(channel, planes), group)
        del planes
    arrays = {"data": data} | _amp33(request, usual, common)
    return arrays | ({} if before is None else {"reference_read": before}), _truth_of(hits, dn, pattern)


def _electrons(rate, columns, flat, dark, dead):
    """Total rate of a channel in DN/s, full-frame rows; nothing in the border, no signal in dead pixels."""
    size = flat.shape[0]
    total = np.zeros(flat.shape, np.float32)
    first, last = max(columns.start, BORDER), min(columns.stop, size - BORDER)
    rows, inside = slice(BORDER, size - BORDER), slice(first - columns.start, last - columns.start)
    total[rows, inside] = rate[:, first - BORDER : last - BORDER] * flat[rows, inside] + dark[rows, inside]
    total[dead] = 0
    return total


def _unflatten(rate, columns, flat):
    """Leave the flat in the true rate of a channel, in place."""
    size = flat.shape[0]
    first, last = max(columns.start, BORDER), min(columns.stop, size - BORDER)
    inside = slice(first - columns.start, last - columns.start)
    rate[:, first - BORDER : last - BORDER] *= flat[BORDER : size - BORDER, inside]


def _amp33(request, usual, common):
    resultants, reference = ramps.read_out_amp33(
        usual,
        request.stream,
        rows=request.size,
        read_pattern=request.table.read_pattern,
        common=common,
        pink=request.pink_noise,
        reference=request.reference_read,
    )
    arrays = {"amp33": ramps.encode(resultants, reference, request.encoding_offset)}
    return arrays if reference is None else arrays | {"reference_amp33": ramps.encode(reference, None, 0)}


def _rays(request):
    if not request.cosmic_rays:
        return {key: np.zeros(0, np.int64) for key in ("row", "column", "read")} | {"electrons": np.zeros(0)}
    last = request.table.read_pattern[-1][-1]
    return rays.cosmic_rays((request.size, request.size), last, request.frame_time, *request.stream)


def _truth_of(hits, dn, pattern):
    """Hits in the trimmed frame, with the first resultant that sees them."""
    ends = np.array([reads[-1] for reads in pattern])
    return {
        "read": hits["read"].astype(np.int32),
        "resultant": np.searchsorted(ends, hits["read"]).astype(np.int32),
        "y": (hits["row"] - BORDER).astype(np.int32),
        "x": (hits["column"] - BORDER).astype(np.int32),
        "electrons": hits["electrons"].astype(np.float32),
        "dn": dn.astype(np.float32),
    }


def _jitter(request, references):
    """guide_star.jitter_*: what is in the PSF that the image was rendered with."""
    source = references.get("epsf")
    if source is None:
        return {}
    stated = request.jitter or epsf.jitter_of(source)
    major, minor, angle = stated if stated[0] >= stated[1] else (stated[1], stated[0], (stated[2] + 90) % 180)
    return {"jitter_major": major, "jitter_minor": minor, "jitter_position_angle": angle}
