"""What the tests of the exposure steps share: exposures and strips of arrays, as the engine would hand them over."""

import numpy as np

from rtools.exposure.frame import Exposure, Strip, View
from rtools.wfi.frame import CHANNEL

PATTERN = [[1], [2, 3], [4, 5, 6, 7], [8, 9, 10], [11], [12, 13]]
FRAME_TIME = 3.04


def exposure(shape, *, detector="WFI01", pattern=PATTERN, log=None, **blocks):
    """An `Exposure` with as much metadata as the steps read; its messages are in ``messages`` unless `log` is given."""
    messages = []
    meta = {
        "instrument": {"detector": detector, "optical_element": "F158"},
        "exposure": {"read_pattern": pattern, "frame_time": FRAME_TIME},
        **blocks,
    }
    made = Exposure(meta, tuple(shape), log=log or (lambda level, text: messages.append((level, text))))
    made.messages = messages
    return made


def strip(data, *, start=0, groupdq=None, pixeldq=None, frame=None):
    """A ramp strip with copies of the arrays; flags default to zero, the frame to what the strip covers."""
    rows, columns = data.shape[1:]
    groupdq = np.zeros(data.shape, np.uint8) if groupdq is None else np.array(groupdq)
    pixeldq = np.zeros((rows, columns), np.uint32) if pixeldq is None else np.array(pixeldq)
    frame_rows, frame_columns = frame or (rows, start + columns)
    return Strip(start, start + columns, np.array(data, np.float32), groupdq, pixeldq, frame_rows, frame_columns)


class Frame(View):
    """A view of whole arrays: what `prepare` sees."""

    def __init__(self, data, pixeldq=None):
        self.data = data
        self.pixeldq = pixeldq

    def strip(self, start, stop):
        flags = None if self.pixeldq is None else self.pixeldq[:, start:stop]
        part = self.data[..., start:stop]
        return strip(part, start=start, pixeldq=flags, frame=self.data.shape[1:])

    def map_channels(self, function):
        return [function(self.strip(x, x + CHANNEL)) for x in range(0, self.data.shape[2], CHANNEL)]


def reference_frame(channels=(0, 1, 2, 31), rows=4096, columns=4096, groups=3):
    """Noise that channels share, for the reference-pixel correction: data (channel to array), amp33, pixel flags.

    Only whole numbers of a seeded generator, so that any numpy makes the same.
    """
    random = np.random.default_rng(20270101)
    slow = np.cumsum(random.integers(-1, 2, (groups, rows)), axis=1)[..., None]
    level = random.integers(9900, 10100, (rows, CHANNEL))
    data = {}
    for channel in channels:
        noise = random.integers(-9, 10, (groups, rows, CHANNEL)) + 3 * np.arange(groups)[:, None, None] * (channel + 1)
        data[channel] = (level + slow + noise).astype(np.float32)
    amp33 = (8000 + slow + random.integers(-3, 4, (groups, rows, CHANNEL))).astype(np.uint16)
    amp33[:, random.random((rows, CHANNEL)) < 0.01] = 0
    flags = np.zeros((rows, columns), np.uint32)
    flags[[2, rows - 3, 50], [130, 1, 2]] = 1 << 17
    return data, amp33, flags


def reference_coefficients(rows=4096):
    """Complex low-pass coefficients gamma, zeta, alpha of four channels, each (4, frequencies)."""
    count = rows * 140 // 2 + 1
    k = np.arange(count) / count
    shape = np.exp(-((k / 0.05) ** 2)) * np.exp(2j * k)
    heights = np.array([1.0, 0.9, 1.1, 1.05])[:, None]
    return {"gamma": 0.25 * heights * shape, "zeta": 0.2 * heights * shape, "alpha": 0.5 * heights * shape.conj()}
