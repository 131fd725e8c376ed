"""What the tests of ramp fitting share: ramps of a few pixels put through the step as the engine would."""

from types import SimpleNamespace

import numpy as np

from rtools.exposure.frame import Strip
from rtools.exposure.steps import rampfit
from rtools.wfi.frame import BORDER

PATTERN = [[1], [2, 3], [4, 5, 6, 7], [8, 9, 10], [11], [12, 13]]
FRAME_TIME = 3.04
RAMP_A = np.array([1000, 1045, 1163, 1302, 1368, 1410.0])
RAMP_B = RAMP_A + np.array([0, 0, 0, 400, 400, 400])
RAMP_C = RAMP_B + np.array([0, 0, 150, 0, 0, 0])
"""Golden ramps: without a jump, with one, and with one and an outlier."""


def column(*ramps):
    """Ramps as the pixels of one row."""
    return np.stack(ramps, axis=1)[:, None, :]


def options(**values):
    """Options of the step, some of them changed."""
    return rampfit.STEP.defaults() | values


def plan(groups, opts, pattern=PATTERN, shape=(16, 16)):
    """What `prepare` answers, and its messages."""
    messages = []
    exposure = SimpleNamespace(
        shape=(groups, *shape),
        read_pattern=pattern,
        frame_time=FRAME_TIME,
        log=lambda level, text: messages.append((level, text)),
    )
    return rampfit.prepare(exposure, None, {}, opts), messages


def bordered(array, fill=0):
    """The array with the reference-pixel border around its last two axes."""
    edges = [(0, 0)] * (array.ndim - 2) + [(BORDER, BORDER)] * 2
    return np.pad(array, edges, constant_values=fill)


def fit(ramps, *, groupdq=None, pixeldq=None, gain=1.8, readnoise=6.0, pattern=PATTERN, **opts):
    """Fit ramps of shape (G, rows, columns) without border; returns the strip and the counts."""
    ramps = np.asarray(ramps, np.float32)
    size = ramps.shape[1:]
    groupdq = np.zeros(ramps.shape, np.uint8) if groupdq is None else np.asarray(groupdq, np.uint8)
    pixeldq = np.zeros(size, np.uint32) if pixeldq is None else np.asarray(pixeldq, np.uint32)
    gain, readnoise = (np.broadcast_to(np.asarray(a, np.float32), size) for a in (gain, readnoise))
    opts = options(**opts)
    frame = tuple(n + 2 * BORDER for n in size)
    prepared, _ = plan(len(ramps), opts, pattern, frame)
    strip = Strip(
        0, frame[1], bordered(ramps), bordered(groupdq), bordered(pixeldq), frame_rows=frame[0], frame_columns=frame[1]
    )
    references = {"gain": {"data": bordered(gain, 1)}, "readnoise": {"data": bordered(readnoise, 1)}}
    counts = rampfit.apply(strip, references, opts, prepared)
    return strip, counts


def simulate(rng, rate, shape, *, pattern=PATTERN, gain=1.8, readnoise=6.0, steps=None):
    """Ramps in DN of a rate in DN/s with Poisson and read noise; `steps` (reads, rows, columns) are added, in DN."""
    reads = pattern[-1][-1]
    signal = np.cumsum(rng.poisson(rate * gain * FRAME_TIME, (reads, *shape)), axis=0) / gain
    signal = signal + rng.normal(0, readnoise, signal.shape)
    if steps is not None:
        signal = signal + steps
    return np.array([signal[np.array(resultant) - 1].mean(axis=0) for resultant in pattern])
