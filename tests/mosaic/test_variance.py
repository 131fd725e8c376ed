"""Combination of members: data, weight, variances, context, exposure time."""

import numpy as np
import pytest

from rtools.errors import UsageError
from rtools.mosaic.drizzle.drizzle import MemberPlanes, band_rows, drizzle_band, make_kernel
from rtools.mosaic.drizzle.variance import add_band, clear, finish, new_totals, recover_sums
from rtools.mosaic.grid.pixmap import pixel_map

SHAPE = 60, 70
OUT = 80, 90
NAMES = "var_rnoise", "var_poisson", "var_sky", "var_flat"


def shifted(dx=8.3, dy=6.7, angle=4.0, scale=1.0):
    sin, cos = np.sin(np.deg2rad(angle)) * scale, np.cos(np.deg2rad(angle)) * scale

    def forward(x, y):
        return cos * x - sin * y + dx, sin * x + cos * y + dy

    return pixel_map(forward, SHAPE, lambda x, y: (x, y))


def planes(seed, flat=True):
    rng = np.random.default_rng(seed)

    def around(value):
        return (value * rng.uniform(0.5, 1.5, SHAPE)).astype(np.float32)

    rnoise = around(0.04)
    weight = np.where(rng.random(SHAPE) < 0.03, 0, 1 / rnoise).astype(np.float32)
    return MemberPlanes(around(3.0), weight, rnoise, around(0.1), around(0.02) if flat else None, 0.05)


def constant(value=1.0, variance=0.3):
    full = np.full(SHAPE, 1, np.float32)
    return MemberPlanes(full * np.float32(value), full / np.float32(variance), full * np.float32(variance))


def add(totals, member, number, pixmap, *, exposure=None, names=NAMES, wanted=None):
    for rows in band_rows(OUT, 32):
        here = None if wanted is None else wanted[rows]
        band = drizzle_band(member, pixmap, rows, slice(0, OUT[1]), make_kernel(), names=names, wanted=here)
        add_band(totals, band, number, exposure, here)


def combined(members, *, exposures=None, ratio=1.0, names=NAMES):
    totals = new_totals(OUT, len(members), names)
    for number, (member, pixmap) in enumerate(members):
        add(totals, member, number, pixmap, exposure=exposures and exposures[number], names=names)
    return finish(totals, ratio)


def written_out(members, names, exposures=None, ratio=1.0):
    """The equations, in whole arrays."""
    sums, shares = ({name: np.zeros(OUT) for name in names} for _ in range(2))
    for number, (member, pixmap) in enumerate(members):
        band = drizzle_band(member, pixmap, slice(0, 80), slice(0, 90), make_kernel(), names=names)
        with np.errstate(all="ignore"):
            variance = (band.lanes[..., 2:].astype(float) / band.lanes[..., :1]) ** 2
            share = 1 / variance[..., 0] if exposures is None else np.full(OUT, exposures[number])
        for k, name in enumerate(names):
            use = np.isfinite(variance[..., k]) & np.isfinite(share) & bool(band.present[k])
            sums[name] += np.where(use, variance[..., k] * share**2, 0)
            shares[name] += np.where(use, share, 0)
    with np.errstate(all="ignore"):
        return {name: sums[name] / ratio**2 / shares[name] ** 2 for name in names}


def several():
    return [
        (planes(1), shifted()),
        (planes(2, flat=False), shifted(11.2, 4.1, 3.0)),
        (planes(3), shifted(6.4, 9.9, -2.0)),
    ]


@pytest.mark.parametrize("exposures", [None, [10.0, 20.0, 40.0]])
def test_against_the_equations(exposures):
    ours = combined(several(), exposures=exposures, ratio=0.8)
    for name, expected in written_out(several(), NAMES, exposures, 0.8).items():
        np.testing.assert_allclose(ours[name], expected, rtol=1e-6)
    parts = [ours[name] for name in ("var_rnoise", "var_poisson", "var_flat")]
    err = np.sqrt(np.nansum(parts, axis=0))
    err[np.isnan(parts).all(axis=0)] = np.nan
    np.testing.assert_allclose(ours["err"], err, rtol=1e-6)


def test_data_and_weight_are_those_of_all_members():
    ours = combined(several())
    total, product = np.zeros(OUT), np.zeros(OUT)
    for member, pixmap in several():
        lanes = drizzle_band(member, pixmap, slice(0, 80), slice(0, 90), make_kernel()).lanes.astype(float)
        total += lanes[..., 0]
        product += lanes[..., 1]
    np.testing.assert_allclose(ours["weight"], total, rtol=1e-6)
    np.testing.assert_array_equal(np.isnan(ours["data"]), total == 0)
    seen = total > 0
    np.testing.assert_allclose(ours["data"][seen], product[seen] / total[seen], rtol=1e-6)


@pytest.mark.slow
def test_a_constant_variance_falls_with_the_members():
    """One member, V, pixels of half the size: 4 V; two: 2 V."""
    half = shifted(1.0, 1.0, 0.0, 1.0)
    one = combined([(constant(), half)], ratio=0.5, names=("var_rnoise",))
    two = combined([(constant(), half)] * 2, ratio=0.5, names=("var_rnoise",))
    np.testing.assert_allclose(one["var_rnoise"][10:50, 10:60], 4 * 0.3, rtol=1e-6)
    np.testing.assert_allclose(two["var_rnoise"][10:50, 10:60], 2 * 0.3, rtol=1e-6)
    np.testing.assert_allclose(two["err"][10:50, 10:60], np.sqrt(0.6), rtol=1e-6)


def test_weights_that_cancel():
    identity = shifted(0, 0, 0)
    full = np.ones(SHAPE, np.float32)
    members = [(MemberPlanes(10 * full, full), identity), (MemberPlanes(11 * full, np.float32(-0.99) * full), identity)]
    found = combined(members, names=())
    np.testing.assert_allclose(found["data"][5:50, 5:60], -89.0001, rtol=1e-5)


def test_context_of_41_members():
    identity = shifted(0, 0, 0)
    full = np.ones(SHAPE, np.float32)
    members = [(MemberPlanes(full, full * np.float32(-0.1 if k == 3 else 1)), identity) for k in range(41)]
    context = combined(members, names=())["context"]
    assert context.shape == (2, *OUT)
    assert context.dtype == np.uint32
    assert context[0, 20, 20] == 0xFFFFFFF7
    assert context[1, 20, 20] == 0x1FF
    assert context[:, 75, 85].tolist() == [0, 0]


def test_where_all_is_flagged_nothing_is_known():
    member = constant()._replace(weight=np.zeros(SHAPE, np.float32))
    found = combined([(member, shifted())], names=("var_rnoise",))
    assert np.isnan(found["data"]).all()
    assert np.isnan(found["err"]).all()
    assert np.isnan(found["var_rnoise"]).all()
    assert not found["weight"].any()
    assert not found["context"].any()


def test_a_variance_that_is_unusable():
    member = planes(4)
    member.var_poisson[30, 30] = -1
    member.var_flat[10:20] = np.nan
    found = combined([(member, shifted()), (planes(5), shifted(7, 7, 1))])
    alone = combined([(planes(5), shifted(7, 7, 1))])
    y, x = np.round(np.array([6.7, 8.3]) + 30 + [2, -2]).astype(int)
    assert found["var_poisson"][y, x] == pytest.approx(alone["var_poisson"][y, x], rel=1e-5)
    assert found["var_rnoise"][y, x] < 0.7 * alone["var_rnoise"][y, x]


def test_pixels_done_again_are_as_in_a_full_pass():
    members = several()
    flagged = members[1][0].weight.copy()
    rng = np.random.default_rng(9)
    spots = rng.integers(5, 55, (2, 12))
    flagged[tuple(spots)] = 0
    members[1] = (members[1][0]._replace(weight=flagged), members[1][1])
    expected = new_totals(OUT, 3, NAMES)
    for number, (member, pixmap) in enumerate(members):
        add(expected, member, number, pixmap)

    first = new_totals(OUT, 3, NAMES)
    for number, (member, pixmap) in enumerate(several()):
        add(first, member, number, pixmap)
    wanted = np.zeros(OUT, np.uint8)
    x, y = members[1][1].evaluate()
    for j, i in spots.T:
        left, bottom = int(x[j, i]), int(y[j, i])
        wanted[bottom - 2 : bottom + 4, left - 2 : left + 4] = 1
    clear(first, wanted)
    for number, (member, pixmap) in enumerate(members):
        add(first, member, number, pixmap, wanted=wanted)
    for ours, full in zip(first[:-1], expected[:-1], strict=True):
        np.testing.assert_array_equal(ours, full)


@pytest.mark.parametrize("exposures", [None, [10.0, 20.0, 40.0]])
def test_members_join_a_finished_mosaic(exposures):
    names = NAMES[:3]
    expected = combined(several(), exposures=exposures, ratio=0.7, names=names)
    finished = combined(several()[:2], exposures=exposures and exposures[:2], ratio=0.7, names=names)
    totals = recover_sums(finished, names, 0.7, exposures and exposures[:2])
    member, pixmap = several()[2]
    add(totals, member, 2, pixmap, exposure=exposures and exposures[2], names=names)
    joined = finish(totals, 0.7)
    for name, plane in expected.items():
        np.testing.assert_allclose(joined[name], plane, rtol=1e-6, err_msg=name)


def test_a_band_that_does_not_fit_is_refused():
    totals = new_totals(OUT, 1, ("var_poisson",))
    band = drizzle_band(planes(1), shifted(), slice(0, 80), slice(0, 90), make_kernel(), names=("var_poisson",))
    with pytest.raises(UsageError, match="var_rnoise"):
        add_band(totals, band, 0)
    with pytest.raises(UsageError, match="positive"):
        add_band(totals, band, 0, 0.0)
    with pytest.raises(UsageError, match="totals"):
        add_band(new_totals(OUT, 1), band, 0)
