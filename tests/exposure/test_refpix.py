"""Reference-pixel correction: the peer's values, a plain transcription in float64, options, edges."""

from itertools import pairwise

import numpy as np
import pytest

from rtools.errors import InputError
from rtools.exposure._refpix_kernels import fill_gaps, smooth_pauses
from rtools.exposure.frame import View
from rtools.exposure.steps import refpix
from rtools.reference import nominal
from rtools.reference.builtin import Builtin
from rtools.simulate import noise, ramps
from rtools.simulate.streams import generator
from tests.support.places import DATA
from tests.support.strips import Frame, exposure, reference_coefficients, reference_frame, strip

CHANNELS = (0, 1, 2, 31)
BAD = 1 << 17


class Sparse(View):
    """A view of a few channels of a 4096 frame."""

    def __init__(self, channels, flags):
        self.channels, self.flags = channels, flags

    def strip(self, start, stop):
        data = self.channels[start // 128]
        return strip(data, start=start, pixeldq=self.flags[:, start:stop], frame=(4096, 4096))


def options(**values):
    return refpix.STEP.defaults() | values


@pytest.fixture(scope="module")
def scene():
    return (*reference_frame(CHANNELS), reference_coefficients())


@pytest.mark.parametrize("without", [None, "offset", "trends", "cosine", "fft"])
def test_equals_the_peer_to_one_unit_in_the_last_place(scene, without):
    golden = np.load(DATA / "refpix_peer.npz")
    channels, amp33, flags, coefficients = scene
    view = Sparse(channels, flags)
    made = exposure((3, 4096, 4096))
    made.amp33 = amp33.copy()
    chosen = options(**({without: False} if without else {}))
    prepared = refpix.prepare(made, view, {}, chosen)
    assert np.array_equal(made.amp33, amp33)
    expected = golden[f"no_{without}" if without else "all"]
    g, y, x = golden["where"][:, : expected.size]
    found = np.empty(expected.shape, np.float32)
    for k, channel in enumerate(CHANNELS):
        part = view.strip(channel * 128, channel * 128 + 128)
        refs = {"refpix": {name: rows[k] for name, rows in coefficients.items()}}
        refpix.apply(part, refs, chosen, prepared)
        here = x // 128 == k
        found[here] = part.data[g[here], y[here], x[here] % 128]
    # The sum over resultants, the line and the correction round at the level of the raw values.
    unit = np.spacing(np.float32(1e4))
    assert np.abs(found - expected).max() <= unit
    if without is None:
        assert np.mean(found != expected) < 0.01


ROWS, WIDTH = 24, 140


def plain(frame, amp33, flags, coefficients):
    """The correction written down for a small frame in float64; transforms as sums over samples."""
    groups, _rows, columns = frame.shape
    x = np.concatenate([np.where(flags & BAD, 0, frame), amp33], axis=2).astype(float)
    offset = x.mean(axis=0)
    x -= offset
    count = columns // 128 + 1
    series = np.zeros((count, groups, ROWS, WIDTH))
    for c in range(count):
        block = x[..., c * 128 : c * 128 + 128]
        series[c, ..., :128] = block[..., ::-1] if c % 2 and c < count - 1 else block
    t = np.arange(ROWS * WIDTH).reshape(ROWS, WIDTH) - (ROWS * WIDTH - 1) / 2
    ends = np.r_[0:4, ROWS - 4 : ROWS]
    for one in series.reshape(-1, ROWS, WIDTH):
        known = one != 0
        use = known[ends]
        if use.any():
            line = np.polynomial.Polynomial.fit(t[ends][use], one[ends][use], 1)
            one -= line(t) * known
    filled = [smoothed(filled_gaps(one.ravel())) for one in series[-1]]
    left, right = np.zeros((2, groups, ROWS, WIDTH))
    left[..., :4], right[..., :4] = series[0, ..., :4], series[count - 2, ..., :4]
    length = ROWS * WIDTH
    half = length // 2 + 1
    for c in range(count - 1):
        for g in range(groups):
            spectrum = np.fft.rfft(left[g].ravel() / length) * 35 * coefficients["gamma"][c]
            spectrum = spectrum + np.fft.rfft(right[g].ravel() / length) * 35 * coefficients["zeta"][c]
            spectrum = spectrum + np.fft.rfft(filled[g] / length) * coefficients["alpha"][c]
            series[c, g] -= np.fft.irfft(spectrum * 2 * half, length).reshape(ROWS, WIDTH)
    out = np.concatenate([s[..., 127::-1] if c % 2 else s[..., :128] for c, s in enumerate(series[:-1])], axis=2)
    return out + offset[:, :columns]


def filled_gaps(x):
    """Weighted mean of neighbours n - 16 … n + 15 by cos(π m / 32)."""
    out = x.copy()
    for n in np.nonzero(x == 0)[0]:
        m = np.arange(-16, 16)
        m = m[(n + m >= 0) & (n + m < x.size)]
        weight = np.cos(np.pi * m / 32) * (x[n + m] != 0)
        if weight.sum() > 0:
            out[n] = (weight * x[n + m]).sum() / weight.sum()
    return out


def smoothed(x):
    """Pauses after three rounds of the apodised transform."""
    pause = np.arange(x.size) % WIDTH >= 128
    apodise = (1 + np.cos(2 * np.pi * np.arange(x.size // 2 + 1) / x.size)) / 2
    for _ in range(3):
        x = np.where(pause, np.fft.irfft(np.fft.rfft(x) * apodise, x.size), x)
    return x


def small(groups=3, columns=256):
    random = np.random.default_rng(5)
    common = np.cumsum(random.normal(0, 2, (groups, ROWS, 1)), axis=1)
    frame = np.round(10000 + common + random.normal(0, 5, (groups, ROWS, columns)))
    amp33 = np.round(8000 + common + random.normal(0, 3, (groups, ROWS, 128))).astype(np.uint16)
    amp33[:, random.random((ROWS, 128)) < 0.03] = 0
    flags = np.zeros((ROWS, columns), np.uint32)
    flags[[1, 10, 22], [200, 2, 255]] = BAD
    count = ROWS * WIDTH // 2 + 1
    low = np.exp(-((np.arange(count) / count / 0.1) ** 2)) * np.exp(0.5j)
    coefficients = {
        k: np.array([a, 1.1 * a])[:, None] * low for k, a in (("gamma", 0.3), ("zeta", 0.2), ("alpha", 0.5))
    }
    return frame.astype(np.float32), amp33, flags, coefficients


def corrected(frame, amp33, flags, coefficients, **chosen):
    made = exposure(frame.shape)
    made.amp33 = amp33
    view = Frame(frame, flags)
    prepared = refpix.prepare(made, view, {}, options(**chosen))
    parts = []
    for c in range(frame.shape[2] // 128):
        part = view.strip(c * 128, c * 128 + 128)
        refpix.apply(part, {"refpix": {k: v[c] for k, v in coefficients.items()}}, options(**chosen), prepared)
        parts.append(part.data)
    return np.concatenate(parts, axis=2)


def test_equals_the_plain_formulas():
    scene = small()
    assert np.abs(corrected(*scene) - plain(*scene)).max() < 0.005


def test_empty_reference_output_and_borders():
    """Files without reference pixels: trends, borders and amp33 have nothing to say, and nothing becomes NaN."""
    frame, amp33, flags, coefficients = small()
    frame[:, :4], frame[:, -4:], frame[..., :4], frame[..., -4:] = 0, 0, 0, 0
    found = corrected(frame, np.zeros_like(amp33), flags, coefficients)
    flags_zero = np.where(flags & BAD, 0, frame)
    assert np.array_equal(found, flags_zero)


def test_one_resultant_keeps_its_level():
    frame, amp33, flags, coefficients = small(groups=1)
    assert np.isfinite(corrected(frame, amp33, flags, coefficients)).all()
    assert np.array_equal(
        corrected(frame, amp33, flags, coefficients), corrected(frame, amp33, flags, coefficients, offset=False)
    )


def test_common_noise_is_removed():
    """With coefficients that trust amp33 alone and pass all frequencies, noise seen by amp33 goes from the channels."""
    frame, amp33, flags, coefficients = small(groups=4)
    flags[:] = 0
    common = np.random.default_rng(8).normal(0, 20, (4, ROWS, 1)).round()
    frame = np.full_like(frame, 10000) + common.astype(np.float32)
    amp33 = np.broadcast_to(8000 + common, (4, ROWS, 128)).astype(np.uint16)
    nothing, everything = np.zeros_like(coefficients["gamma"]), np.ones_like(coefficients["alpha"])
    length = ROWS * WIDTH
    everything *= length / (2 * (length // 2 + 1))
    found = corrected(frame, amp33, flags, {"gamma": nothing, "zeta": nothing, "alpha": everything})
    assert found.std(axis=0).max() < 0.05 < frame.std(axis=0).min()


def test_kernels_of_amp33_against_their_definitions():
    x = np.random.default_rng(6).normal(0, 5, (ROWS, WIDTH))
    x[:, 128:] = 0
    x[np.random.default_rng(7).random(x.shape) < 0.1] = 0
    x[5] = 0
    filled = x.ravel().astype(np.float32)
    fill_gaps(filled)
    assert np.allclose(filled, filled_gaps(x.ravel()), atol=1e-5)
    smooth = filled.copy()
    smooth_pauses(smooth)
    assert np.allclose(smooth, smoothed(filled.astype(float)), atol=1e-5)


def test_bad_reference_pixels_count_as_missing():
    frame, amp33, flags, coefficients = small()
    spoilt = frame.copy()
    spoilt[:, flags & BAD != 0] += 5000
    assert np.array_equal(corrected(frame, amp33, flags, coefficients), corrected(spoilt, amp33, flags, coefficients))


@pytest.mark.parametrize("amp33", [None, np.zeros((3, ROWS, 64), np.uint16)])
def test_reference_output_is_needed(amp33):
    frame, _amp33, flags, coefficients = small()
    with pytest.raises(InputError, match="amp33"):
        corrected(frame, amp33, flags, coefficients)


def test_coefficients_of_another_frame_are_refused():
    frame, amp33, flags, coefficients = small()
    with pytest.raises(InputError, match="1681"):
        corrected(frame, amp33, flags, {name: rows[:, :-1] for name, rows in coefficients.items()})


def test_part_of_a_channel_is_refused():
    part = strip(np.zeros((2, ROWS, 64)))
    with pytest.raises(ValueError, match="not one channel"):
        refpix.apply(part, {}, {}, None)


def test_nothing_is_left_that_the_built_in_coefficients_could_still_remove():
    """What remains of simulated noise has nothing in common with the borders and amp33, at any frequency."""
    rows, draws = 64, 200
    length = rows * WIDTH
    sources = Builtin("refpix", "WFI01", frame=(rows, 256))
    border, amp33 = (sources.rows(name, 0, 1)[0].real for name in ("gamma", "alpha"))
    white = nominal.REFERENCE_PIXEL_NOISE * 17.49 / np.sqrt(2)
    own = nominal.PINK_NOISE_E, nominal.ALTERNATING_NOISE_E
    random = generator("least squares")
    seen = np.empty((draws, 4, length // 2 + 1), complex)
    for i in range(draws):
        series = noise.pink_series(random, rows, nominal.COMMON_NOISE_E)
        series = series + [noise.pink_series(random, rows, *own) for _ in range(4)]
        series[1:] += random.normal(0, white, (3, length))
        series[1:3] *= np.tile(np.arange(WIDTH) < 4, rows) * 35
        seen[i] = np.fft.rfft(series)
    science, left, right, reference = seen.transpose(1, 0, 2)
    rest = science - border * (left + right) - amp33 * reference
    edges = [1, 6, 30, 300, length // 2]
    for low, high in pairwise(edges):
        for other in (left, right, reference):
            part = rest[:, low:high], other[:, low:high]
            common = np.mean(part[0] * part[1].conj()).real
            assert abs(common) < 4.5 * np.sqrt(np.mean(np.abs(part[0]) ** 2 * np.abs(part[1]) ** 2) / part[0].size)
    assert np.mean(np.abs(rest[:, 1:300]) ** 2) < 0.5 * np.mean(np.abs(science[:, 1:300]) ** 2)


def test_no_stripes_where_rows_start():
    """The borders say nothing of a single clock: columns beside every second channel boundary are as the others."""
    rows, pattern = 256, [[1], [2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]
    coeffs = np.zeros((2, rows, 128), np.float32)
    coeffs[1] = 1
    gain, white, full = (np.full((rows, 128), value, np.float32) for value in (1.8, 17.49 / np.sqrt(2) / 1.8, 6e4))
    detector = ramps.Detector(gain, white, full, coeffs, ramps.inverse_inl(None, None))
    sources = Builtin("refpix", "WFI01", frame=(rows, 256))
    refs = {name: sources.rows(name, 0, 2) for name in ("gamma", "zeta", "alpha")}
    before, after = [], []
    for i in range(6):
        stream = ("row starts", i)
        common = ramps.common_series(stream, pattern, rows)
        frame = np.concatenate(
            [
                ramps.read_out(np.zeros((rows, 128), np.float32), detector, stream, channel=channel, channels=2,
                               read_pattern=pattern, common=common)[0]
                for channel in (0, 1)
            ],
            axis=2,
        )  # fmt: skip
        amp33 = ramps.read_out_amp33((1.8, white[0, 0]), stream, rows=rows, read_pattern=pattern, common=common)[0]
        found = corrected(frame, amp33.astype(np.uint16), np.zeros(frame.shape[1:], np.uint32), refs)
        for data, kept in ((frame, before), (found, after)):
            data = (data - data.mean(axis=0))[:, 4:-4, 4:-4]
            kept.append(data - data.mean(axis=(1, 2), keepdims=True))
    before, after = np.array(before), np.array(after)
    assert after.std() < before.std()
    profile = after.mean(axis=3).std(), before.mean(axis=3).std()
    assert profile[0] < 0.8 * profile[1]
    columns = (after - after.mean(axis=2, keepdims=True)).std(axis=(0, 1, 2))
    assert columns[:12].mean() == pytest.approx(columns[30:-30].mean(), rel=0.02)
    assert columns[-12:].mean() == pytest.approx(columns[30:-30].mean(), rel=0.02)
