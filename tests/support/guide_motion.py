"""The motion of a guide star that the golden vectors are made of: sinusoids, and their means over the pairs."""

from typing import NamedTuple

import numpy as np

CYCLE_S, EXPTIME_S = 0.197654375, 0.190994375
"""Time from one pair to the next, and exposure time of a pair, where filters are tracked."""

LINES_HZ, LINES_MAS = (11.3, 17.9, 27.4), (1.5, 1.0, 1.0)
"""Lines that every motion has, and their rms."""


class Sinusoids(NamedTuple):
    """Motion along an axis: the sum of amplitude · cos(2π frequency t + phase)."""

    frequency: np.ndarray
    amplitude: np.ndarray
    phase: np.ndarray

    def at(self, t):
        """The motion at times in seconds."""
        return np.cos(2 * np.pi * self.frequency * t[:, np.newaxis] + self.phase) @ self.amplitude

    def means(self, t, exptime_s=EXPTIME_S):
        """Its means over an exposure time around times in seconds."""
        shrunk = self._replace(amplitude=self.amplitude * np.sinc(self.frequency * exptime_s))
        return shrunk.at(t)

    def plus(self, frequency, rms, phase=0.3):
        """The same with a line more."""
        more = (frequency, rms * np.sqrt(2), phase)
        return Sinusoids(*(np.append(column, value) for column, value in zip(self, more, strict=True)))


def golden_motion(axis):
    """Two hundred sinusoids from 0.01 to 40 Hz of 7 mas ("x") or 5 mas ("y") together, and the lines."""
    rms, step = {"x": (7.0, 0.6180339887), "y": (5.0, 0.7548776662)}[axis]
    number = np.arange(203)
    frequency = np.append(0.01 * 4000 ** ((number[:200] + 0.5) / 200), LINES_HZ)
    amplitude = np.sqrt(2 * frequency[:200] * np.log(4000) / 200 / (1 + (frequency[:200] / 0.3) ** 2))
    amplitude *= rms / np.sqrt(amplitude @ amplitude / 2)
    amplitude = np.append(amplitude, np.sqrt(2) * np.array(LINES_MAS))
    return Sinusoids(frequency, amplitude, 2 * np.pi * ((number + 1) * step % 1))


def centres(pairs, first_s=0.1010471875):
    """Times of the middle of pairs, seconds."""
    return first_s + CYCLE_S * np.arange(pairs)
