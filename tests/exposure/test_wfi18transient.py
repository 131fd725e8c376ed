"""Transient of WFI18: recovery of what was put in, and the ways in which rows are flagged instead."""

import numpy as np
import pytest

from rtools.declare import NotApplicable
from rtools.exposure.readtimes import channel_pair, tile_columns
from rtools.exposure.steps import wfi18transient
from tests.support.strips import Frame, exposure

PATTERN = [[1], [2, 3], [4, 5, 6], [7, 8], [9]]
FRAME_TIME = 3.04
ROWS, COLUMNS = 1280, 256
TRUTH = (220.0, -20.0, 0.2, 0.7)


@pytest.fixture(scope="module")
def scene():
    """Data with and without the transient."""
    random = np.random.default_rng(4)
    rate = random.exponential(3, (ROWS, COLUMNS))
    rate[random.random((ROWS, COLUMNS)) < 0.02] = 5000
    clean = np.stack([1000 + rate * FRAME_TIME * np.mean(reads) for reads in PATTERN])
    clean += random.normal(0, 4, clean.shape)
    data = clean.copy()
    times = tile_columns(channel_pair(FRAME_TIME, "WFI18", ROWS), 0, COLUMNS)
    data[0, 4:-4, 4:-4] += wfi18transient.double_exponential(times, *TRUTH)[4:-4, 4:-4]
    return data.astype(np.float32), clean.astype(np.float32)


def run(data, *, detector="WFI18", pattern=PATTERN, mask_rows=False):
    """Strips after the step, or what `prepare` answered; and the exposure."""
    made = exposure(data.shape, detector=detector, pattern=pattern)
    view = Frame(data)
    options = {"mask_rows": mask_rows}
    prepared = wfi18transient.prepare(made, view, {}, options)
    if isinstance(prepared, NotApplicable):
        return prepared, made
    strips = view.map_channels(lambda part: part)
    for part in strips:
        wfi18transient.apply(part, {}, options, prepared)
    return strips, made


def whole(strips, name):
    return np.concatenate([getattr(part, name) for part in strips], axis=-1)


def test_transient_is_removed(scene):
    data, clean = scene
    strips, made = run(data)
    found = whole(strips, "data")
    assert np.array_equal(found[1:], data[1:])
    assert np.array_equal(found[:, :4], data[:, :4])
    assert np.array_equal(found[..., -4:], data[..., -4:])
    left = (found[0] - clean[0])[4:-4, 4:-4].mean(axis=1)
    assert np.abs(left).max() < 3  # of 200; noise of the fit, 10 DN / sqrt(124)
    assert abs(left[:100].mean()) < 0.5
    assert not whole(strips, "groupdq").any()
    assert made.messages[-1][0] == "info"


def test_four_resultants_are_fitted(scene):
    """The last pair finds the faint pixels; that the third resultant is in the residual, too, biases nothing."""
    noise = np.random.default_rng(12).normal(0, 20, (4, ROWS, COLUMNS)).astype(np.float32)
    data, clean = (plane[:4] + noise for plane in scene)
    strips, made = run(data, pattern=PATTERN[:4])
    left = (whole(strips, "data")[0] - clean[0])[4:-4, 4:-4].mean(axis=1)
    assert abs(left[:100].mean()) < 2  # of 200; the noise of the fit is about 0.5
    assert abs(left.mean()) < 1
    assert not whole(strips, "groupdq").any()
    assert made.messages[-1][0] == "info"


def test_no_transient_is_found_where_there_is_none(scene):
    _data, clean = scene
    strips, _made = run(clean)
    change = (whole(strips, "data") - clean)[0]
    assert np.abs(change).max() < 4


def test_bright_pixels_of_a_row_do_not_count(scene):
    """Nearly half of each row is brighter than its faint half, and off in the first resultant; rows differ in level."""
    data, clean = scene
    bright = np.random.default_rng(6).random((ROWS, COLUMNS)) < 0.45
    rate = np.linspace(100, 2000, ROWS)[:, None] * np.where(bright, 2, 1)
    light = np.stack([rate * FRAME_TIME * np.mean(reads) for reads in PATTERN]).astype(np.float32)
    light[0] += np.where(bright, 60, 0)
    strips, _made = run(data + light)
    left = (whole(strips, "data") - clean - light)[0, 4:-4, 4:-4].mean(axis=1)
    assert np.abs(left).mean() < 1


@pytest.mark.parametrize(
    ("cut", "mask_rows"), [(np.s_[:3], False), (np.s_[:], True)], ids=["three resultants", "asked for"]
)
def test_rows_flagged_instead(scene, cut, mask_rows):
    data, _clean = scene
    strips, _made = run(data[cut], pattern=PATTERN[cut], mask_rows=mask_rows)
    check_flagged(strips, data[cut])


def check_flagged(strips, data):
    flags = whole(strips, "groupdq")
    assert (flags[0, :1000] == 129).all()
    assert not flags[0, 1000:].any()
    assert not flags[1:].any()
    assert np.array_equal(whole(strips, "data"), data, equal_nan=True)


def test_rows_flagged_when_the_fit_cannot_be_made(scene):
    data = scene[0].copy()
    data[0, 50] = np.nan
    strips, made = run(data)
    check_flagged(strips, data)
    assert made.messages[-1][0] == "warning"


def test_other_detectors_have_none(scene):
    answer, _made = run(scene[0], detector="WFI17")
    assert isinstance(answer, NotApplicable)


def test_clipped_mean_is_that_of_astropy():
    from astropy.stats import sigma_clipped_stats

    random = np.random.default_rng(9)
    values = np.concatenate([random.normal(5, 1, 500), random.normal(40, 20, 60)])
    mean, _median, _std = sigma_clipped_stats(values, sigma=3.0)
    assert wfi18transient.clipped_mean(np.sort(values)) == pytest.approx(mean, rel=1e-12)
    assert np.isnan(wfi18transient.clipped_mean(np.empty(0)))
