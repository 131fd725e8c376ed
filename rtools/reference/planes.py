"""Pixel planes of the nominal instrument, drawn one readout channel at a time.

Every channel of every plane has a generator of its own (Philox, keyed by what is drawn), so any columns can be made
alone, on any thread, and are always the same. A frame of fewer rows or columns is the corner of the full one with its
own border. One plane of 4096² costs about 0.2 s on one core.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from rtools.reference import nominal
from rtools.reference.keyed import keyed
from rtools.wfi import distortion, instrument
from rtools.wfi.dq import PIXEL
from rtools.wfi.frame import BORDER, CHANNEL, FRAME

__all__ = ["PLANES", "Setting", "factor", "generator", "plane", "white_noise_e"]

INVERSE_LIMIT = 0.095
"""Largest coefficient × DN for which the inverse holds: 65535 DN and a coefficient 6 sigma above the mean."""


@dataclass(frozen=True)
class Setting:
    """Which instrument.

    Attributes
    ----------
    detector, element : str
        ``WFI01``, ``F158``.
    seed : int
        Of the variation; 0 is the nominal one.
    rows, columns : int
        Size of the frame.
    """

    detector: str
    element: str = "F158"
    seed: int = 0
    rows: int = FRAME
    columns: int = FRAME


def generator(setting: Setting, *what: object) -> np.random.Generator:
    """The generator for one purpose: a function of detector, seed and `what` alone.

    Parameters
    ----------
    setting : Setting
        Its detector and seed are used.
    *what
        What is drawn; the texts of these, of the set's version, detector and seed are hashed to the key.

    Returns
    -------
    numpy.random.Generator
        Of the bit generator Philox.
    """
    return keyed(nominal.VERSION, setting.detector, setting.seed, *what)


def factor(setting: Setting, quantity: str) -> float:
    """1 for the nominal set; a seeded variation scatters each quantity by `nominal.VARIATION`.

    Parameters
    ----------
    setting : Setting
        Its detector and seed are used.
    quantity : str
        A key of `nominal.VARIATION`.

    Returns
    -------
    float
        By which the quantity's mean is multiplied on this detector.
    """
    if not setting.seed:
        return 1.0
    return 1.0 + nominal.VARIATION[quantity] * float(generator(setting, "factor", quantity).standard_normal())


def white_noise_e(setting: Setting) -> float:
    """White noise of a single read of a typical pixel: the detector's CDS noise / sqrt(2).

    Parameters
    ----------
    setting : Setting
        Its detector and seed are used.

    Returns
    -------
    float
        Electrons, rms.
    """
    return instrument.detector(setting.detector)["cds_noise_e"] / np.sqrt(2) * factor(setting, "readnoise")


def plane(setting: Setting, reftype: str, array: str, channel: int) -> np.ndarray:
    """One channel of one plane.

    Parameters
    ----------
    setting : Setting
        Detector, element and frame that it is for.
    reftype, array : str
        A key of `PLANES`: ``("gain", "data")``.
    channel : int
        0 … 31; full-frame columns 128 channel … 128 channel + 127.

    Returns
    -------
    ndarray, (rows, 128) or (coefficients, rows, 128), float32 or uint32
        In the units of the reference's array.
    """
    return PLANES[reftype, array](setting, channel)


def _scatter(setting, channel, mean, relative, *what):
    """mean (1 + relative n), n standard normal."""
    draw = generator(setting, *what, channel).standard_normal((setting.rows, CHANNEL), dtype=np.float32)
    draw *= np.float32(mean * relative)
    draw += np.float32(mean)
    return draw


def _border(setting, channel):
    """Slices of a channel's reference pixels in the setting's frame: (rows, columns) pairs."""
    every = slice(None)
    slices = [(slice(0, BORDER), every), (slice(setting.rows - BORDER, None), every)]
    if channel == 0:
        slices.append((every, slice(0, BORDER)))
    if channel == setting.columns // CHANNEL - 1:
        slices.append((every, slice(CHANNEL - BORDER, None)))
    return slices


def _gain(setting, channel):
    return _scatter(setting, channel, nominal.GAIN * factor(setting, "gain"), nominal.GAIN_SCATTER, "gain")


def _readnoise(setting, channel):
    """DN per single read, through the nominal gain."""
    noise = white_noise_e(setting) / nominal.GAIN
    return _scatter(setting, channel, noise, nominal.READNOISE_SCATTER, "readnoise")


def _saturation(setting, channel):
    level = nominal.SATURATION * factor(setting, "saturation")
    return _scatter(setting, channel, level, nominal.SATURATION_SCATTER / nominal.SATURATION, "saturation")


def _coefficient(setting, channel):
    """Quadratic term of the linearity polynomial, per DN."""
    mean = nominal.LINEARITY * factor(setting, "linearity")
    return _scatter(setting, channel, mean, nominal.LINEARITY_SCATTER, "linearity")


def _linearity(setting, channel):
    """Coefficients 0, 1, c of true = x + c x²."""
    coeffs = np.zeros((3, setting.rows, CHANNEL), np.float32)
    coeffs[1] = 1
    coeffs[2] = _coefficient(setting, channel)
    return coeffs


def _inverse_linearity(setting, channel):
    """Coefficients of x(true), degree 5."""
    c = _coefficient(setting, channel)
    series = _inverse_series()
    coeffs = np.zeros((len(series), setting.rows, CHANNEL), np.float32)
    coeffs[1] = 1
    for k in range(2, len(series)):
        np.multiply(coeffs[k - 1], c, out=coeffs[k])
        coeffs[k] *= np.float32(series[k] / series[k - 1])
    return coeffs


@cache
def _inverse_series():
    """a_0 … a_5 of (sqrt(1 + 4s) - 1) / 2 ≈ Σ a_k s^k for s = c × true: the k-th coefficient is a_k c^(k-1).

    A least-squares fit at Chebyshev nodes with a_0 = 0 and a_1 = 1: the Taylor series (1, -1, 2, -5, 14 …) would need
    ten terms for what this gives with four, 0.02 DN.
    """
    nodes = np.cos((np.arange(200) + 0.5) * np.pi / 200)
    s = INVERSE_LIMIT * (1 + nodes) / 2
    powers = np.arange(2, 6)
    exact = (np.sqrt(1 + 4 * s) - 1) / 2
    scale = INVERSE_LIMIT**powers
    fitted = np.linalg.lstsq(s[:, None] ** powers / scale, exact - s, rcond=None)[0]
    return (0.0, 1.0, *(fitted / scale))


def _dark(setting, channel):
    """DN/s: the detector's dark current, hot and warm pixels above it; reference pixels have none."""
    current = instrument.detector(setting.detector)["dark_e_per_s"] / nominal.GAIN * factor(setting, "dark")
    slope = _scatter(setting, channel, current, nominal.DARK_SCATTER, "dark")
    rows, columns, kind, electrons = _bad_pixels(setting, channel)
    bright = kind != PIXEL["DO_NOT_USE"] | PIXEL["DEAD"]
    slope[rows[bright], columns[bright]] = electrons[bright] / nominal.GAIN
    for where in _border(setting, channel):
        slope[where] = 0
    return slope


def _dark_error(setting, _channel):
    return np.full((setting.rows, CHANNEL), nominal.DARK_ERROR, np.float32)


def _mask(setting, channel):
    dq = np.zeros((setting.rows, CHANNEL), np.uint32)
    rows, columns, kind, _electrons = _bad_pixels(setting, channel)
    dq[rows, columns] = kind
    for where in _border(setting, channel):
        dq[where] = PIXEL["REFERENCE_PIXEL"]
    return dq


def _bad_pixels(setting, channel):
    """Rows, columns, DQ value and dark current (electron/s) of a channel's inoperable pixels.

    On the full frame their number is the detector's, exactly; none lies in the border.
    """
    widths = np.full(FRAME // CHANNEL, CHANNEL)
    widths[[0, -1]] -= BORDER
    total = instrument.detector(setting.detector)["inoperable_pixels"]
    count = generator(setting, "bad").multinomial(total, widths / widths.sum())[channel]
    rng = generator(setting, "bad", channel)
    width = widths[channel]
    position = rng.choice((FRAME - 2 * BORDER) * width, count, replace=False, shuffle=False)
    share = rng.random(count)
    warm = share >= nominal.DEAD_FRACTION + nominal.HOT_FRACTION
    low, high = np.log(np.where(warm[:, None], nominal.WARM_RANGE_E, nominal.HOT_RANGE_E)).T
    electrons = np.exp(low + (high - low) * rng.random(count)).astype(np.float32)
    kind = np.where(warm, PIXEL["WARM"], PIXEL["HOT"]).astype(np.uint32)
    kind[share < nominal.DEAD_FRACTION] = PIXEL["DO_NOT_USE"] | PIXEL["DEAD"]
    rows = position // width + BORDER
    columns = position % width + (BORDER if channel == 0 else 0)
    keep = rows < setting.rows
    return rows[keep], columns[keep], kind[keep], electrons[keep]


def _flat(setting, channel):
    """1 + smooth structure + pixel scatter, times the area of the pixel in units of that at the centre.

    The sky is uniform, and a larger pixel sees more of it: a flat made on the sky holds the areas, and what is divided
    by it is surface brightness. In full-frame columns (the reference is the part inside the border).
    """
    flat = _scatter(setting, channel, 1.0, nominal.FLAT_SCATTER, "flat", setting.element)
    modes = _flat_modes(setting)
    along_y = _cosines((np.arange(setting.rows) + 0.5) / FRAME, len(modes))
    along_x = _cosines((np.arange(CHANNEL) + 0.5 + channel * CHANNEL) / FRAME, len(modes))
    flat += (along_y @ modes @ along_x.T).astype(np.float32)
    x = np.arange(channel * CHANNEL, (channel + 1) * CHANNEL) - BORDER
    flat *= distortion.relative_area(setting.detector, x, np.arange(setting.rows) - BORDER).astype(np.float32)
    return flat


def _flat_modes(setting):
    """Amplitudes of cosine modes over the frame, rms `nominal.FLAT_STRUCTURE` together, mean zero."""
    order = np.arange(4)
    modes = generator(setting, "flat modes", setting.element).standard_normal((4, 4))
    modes /= 1 + order[:, None] ** 2 + order[None, :] ** 2
    modes[0, 0] = 0
    mean_square = np.where(order, 0.5, 1.0)
    rms = np.sqrt(mean_square @ modes**2 @ mean_square)
    return modes * nominal.FLAT_STRUCTURE / rms


def _cosines(position, count):
    return np.cos(np.pi * position[:, None] * np.arange(count))


def _flat_error(setting, _channel):
    return np.full((setting.rows, CHANNEL), nominal.FLAT_ERROR, np.float32)


PLANES = {
    ("mask", "dq"): _mask,
    ("saturation", "data"): _saturation,
    ("linearity", "coeffs"): _linearity,
    ("inverselinearity", "coeffs"): _inverse_linearity,
    ("gain", "data"): _gain,
    ("readnoise", "data"): _readnoise,
    ("dark", "dark_slope"): _dark,
    ("dark", "dark_slope_error"): _dark_error,
    ("flat", "data"): _flat,
    ("flat", "err"): _flat_error,
}
"""What draws each plane; planes of zeros are not among them."""
