"""The nominal references of JWST: always the same, and of the numbers that they are stated to have."""

from itertools import product

import numpy as np
import pytest
from scipy.ndimage import convolve

from rtools.errors import UsageError
from rtools.jwst.distortion import pixel_area_sr
from rtools.jwst.dq import PIXEL_FLAGS
from rtools.jwst.instrument import bandpass, filters_of
from rtools.jwst.nominal import nominal_values
from rtools.jwst.order import amplifiers, reference_pixels
from rtools.jwst.pupil import psf
from rtools.jwst.readout import frame_time, subarray, window
from rtools.reference.jwst import planes, tables
from rtools.reference.jwst.nominal import available_types, has_nominal, nominal_reference
from rtools.reference.jwst.types import JWST_TYPES, jwst_type

PART = window("nrca1", 901, 1, 300, 200)
"""With reference pixels below, and two outputs."""


def made(reftype, detector="nrca1", part=PART, filter_="F200W"):
    if reftype == "reset":
        detector, part = "mirimage", window("mirimage", 1, 779, 72, 64)
    return nominal_reference(reftype, detector, filter_, part=part)


@pytest.mark.parametrize("reftype", planes.PLANES)
def test_a_reference_is_always_the_same(reftype):
    one, other = made(reftype), made(reftype)
    assert one.arrays.keys() == other.arrays.keys()
    assert all(np.array_equal(one.arrays[name], other.arrays[name]) for name in one.arrays)
    if reftype not in ("ipc", "area", "reset"):
        foreign = made(reftype, "nrcb4")
        assert any(not np.array_equal(one.arrays[name], foreign.arrays[name]) for name in one.arrays)


@pytest.mark.parametrize("reftype", ["gain", "mask", "flat", "superbias"])
def test_a_part_is_cut_out_of_the_full_frame(reftype):
    name = "DQ" if reftype == "mask" else "SCI"
    whole = nominal_reference(reftype, "nrca1", "F200W").arrays[name]
    assert whole.shape == (2048, 2048)
    for part in (PART, window("nrca1", 2001, 1971, 48, 78), window("nrca1", 1, 65, 2048, 64)):
        assert np.array_equal(made(reftype, part=part).arrays[name], whole[part.slices])


def test_a_flat_is_for_one_filter():
    blue, red = (made("flat", filter_=name).arrays["SCI"] for name in ("F090W", "F200W"))
    assert np.abs(np.corrcoef(blue.ravel(), red.ravel())[0, 1]) < 0.2
    with pytest.raises(UsageError, match="for one filter"):
        nominal_reference("flat", "nrca1")
    with pytest.raises(UsageError, match="no filter F444W"):
        nominal_reference("flat", "nrca1", "F444W")
    assert not has_nominal("flat", "nrca1")
    assert has_nominal("flat", "nrca1", "F200W")


def test_flags_are_those_that_the_table_names():
    for reftype in planes.FLAGS:
        reference = made(reftype)
        rows = reference.tables["DQ_DEF"]
        named = np.bitwise_or.reduce(rows["VALUE"])
        assert np.bitwise_or.reduce(reference.arrays["DQ"], axis=None) & ~named == 0
        for bit, value, name, _text in rows:
            assert value == 1 << int(bit) == PIXEL_FLAGS[name.decode()]


def test_the_mask_marks_the_border_and_bad_pixels():
    dq = nominal_reference("mask", "nrcalong").arrays["DQ"]
    assert np.array_equal(dq == PIXEL_FLAGS["REFERENCE_PIXEL"], reference_pixels("nrcalong"))
    dead, hot = (np.count_nonzero(dq & PIXEL_FLAGS[name]) / 2040**2 for name in ("DEAD", "HOT"))
    assert (dead, hot) == pytest.approx((planes.DEAD_FRACTION, planes.HOT_FRACTION), rel=0.1)
    assert np.all(dq[(dq & PIXEL_FLAGS["DEAD"]) > 0] & PIXEL_FLAGS["DO_NOT_USE"])


def test_miri_has_reference_pixels_at_the_sides_alone():
    border = reference_pixels("mirimage")
    assert border.sum() == 8 * 1024
    assert border[512, [0, 3, 4, 1027, 1028]].tolist() == [True, True, False, False, True]


@pytest.mark.parametrize(
    ("reftype", "mean", "relative"),
    [("gain", 2.05, 0.01), ("readnoise", 11.5, 0.05), ("saturation", 58000, 0.01)],
)
def test_noise_is_as_stated(reftype, mean, relative):
    data = made(reftype).arrays["SCI"]
    assert data.min() > 0
    assert data.mean() == pytest.approx(mean, rel=4 * relative / 245)
    assert data.std() == pytest.approx(mean * relative, rel=0.02)
    assert data.max() < 65535


def test_the_bias_has_an_offset_for_each_output():
    bias = nominal_reference("superbias", "nrca1").arrays["SCI"]
    outputs = amplifiers("nrca1")
    for number in range(4):
        values = bias[outputs == number]
        assert values.mean() == pytest.approx(10000 + 200 * number, abs=0.5)
        assert values.std() == pytest.approx(80, rel=0.01)


def test_the_dark_grows_with_time():
    reference, values = made("dark"), nominal_values("nrca1")
    frames = reference.arrays["SCI"]
    assert frames.shape == (planes.DARK_FRAMES, 200, 300)
    assert np.allclose(frames, frames[0] * np.arange(1, planes.DARK_FRAMES + 1)[:, None, None], rtol=1e-6)
    assert reference.cards["TFRAME"] == frame_time("nrca1", PART)
    rate = np.median(frames[0, 4:]) / reference.cards["TFRAME"]
    assert rate == pytest.approx(values.dark / values.gain, rel=0.01)
    assert np.all(frames[:, :4] == 0)
    hot = planes.hot_pixels(planes.JwstSetting("NRCA1", None, PART))[1]
    assert (frames[0][hot > 0] > 10 * np.median(frames[0])).all()


def test_what_lies_beside_a_hot_pixel_shows_a_part_of_its_dark_current():
    """Else the ramp that is left when the dark is subtracted would rise there, by the capacitance between pixels."""
    reference, values = made("dark"), nominal_values("nrca1")
    rate = reference.arrays["SCI"][0] * values.gain / reference.cards["TFRAME"]
    hot = planes.hot_pixels(planes.JwstSetting("NRCA1", None, PART))[1]
    y, x = np.unravel_index(np.argmax(hot[6:-2, 2:-2]), hot[6:-2, 2:-2].shape)
    around = rate[y + 5 : y + 8, x + 1 : x + 4]
    np.testing.assert_allclose(around, hot[y + 6, x + 2] * np.array(values.ipc), atol=10 * values.dark)
    assert around[1, 0] > 20 * values.dark


def test_the_linearity_undoes_the_nonlinearity_of_each_pixel():
    coeffs = made("linearity").arrays["COEFFS"].astype(float)
    b = coeffs[2]
    for true in (100, 5000, 20000):
        raw = true - b * true**2
        found = sum(c * raw**k for k, c in enumerate(coeffs))
        assert np.abs(found - true).max() < 2e-3 * true
        assert np.abs(raw[4:] - true).max() > 1e-6 * true**2
    assert np.all(b[:4] == 0)
    assert b[4:].std() / b[4:].mean() == pytest.approx(planes.LINEARITY_SCATTER, rel=0.05)


def test_the_flat_holds_areas_and_scatter():
    flat, area = nominal_reference("flat", "nrca1", "F200W"), nominal_reference("area", "nrca1")
    good = flat.arrays["DQ"] == 0
    ratio = flat.arrays["SCI"][good] / area.arrays["SCI"][good]
    assert ratio.mean() == pytest.approx(1, abs=1e-4)
    assert ratio.std() == pytest.approx(0.01, rel=0.01)
    dead = planes.hot_pixels(planes.JwstSetting("NRCA1", None, subarray("nrca1")))[0]
    assert np.array_equal(~good, reference_pixels("nrca1") | dead)
    assert area.cards["PIXAR_SR"] == pixel_area_sr("nrca1")
    assert area.cards["PIXAR_A2"] == pytest.approx(0.0312**2, rel=0.01)


def test_the_photometry_has_a_row_for_each_filter():
    table = nominal_reference("photom", "nrca1").tables["PHOTOM"]
    assert set(table["filter"]) >= {name.encode() for name in filters_of("nrca1")}
    assert np.all(table["photmjsr"] > 0)
    pairs = list(zip(table["filter"], table["pupil"], strict=True))
    assert len(set(pairs)) == len(pairs)


def test_the_mask_of_holes_dims_the_light():
    """Seven holes of 0.8 m instead of 18 segments of 1.32 m."""
    rows = nominal_reference("photom", "nis").tables["PHOTOM"]
    by_pupil = {row["pupil"]: row["photmjsr"] for row in rows[rows["filter"] == b"F480M"]}
    assert by_pupil[b"CLEARP"] / by_pupil[b"NRM"] == pytest.approx(7 * 0.8**2 / (18 * 1.32**2))
    assert b"NRM" not in nominal_reference("apcorr", "nis", "F480M").tables["APCORR"]["pupil"]


def light_in(radius, offset, size=61):
    """How much of each pixel lies within a radius of a star that stands off the middle of the stamp by x, y."""
    steps = (np.arange(5) - 2) / 5
    y, x = np.indices((size, size)) - (size - 1) // 2
    inside = [np.hypot(x + dx - offset[0], y + dy - offset[1]) < radius for dx, dy in product(steps, steps)]
    return np.mean(inside, axis=0)


def drizzled(light, right, up):
    """An image dropped on pixels that lie a part of a pixel to the right of its own, and above them."""
    moved = (1 - right) * light + right * np.roll(light, -1, axis=1)
    return (1 - up) * moved + up * np.roll(moved, -1, axis=0)


def test_the_aperture_correction_gives_all_light_of_a_star():
    """Of stars that stand anywhere in a pixel, on mosaics that lie anywhere on the images: light in the aperture less
    the annulus' mean, corrected."""
    fine = psf("nrca1", "F200W", oversample=5, size=61)
    fine = convolve(fine, np.kron(nominal_values("nrca1").ipc, np.outer(*[np.eye(5)[2]] * 2)))
    table = nominal_reference("apcorr", "nrca1", "F200W").tables["APCORR"]
    for row in table[[4, 6]]:
        found = []
        for i, j, k in product(range(0, 5, 2), range(0, 5, 2), range(5)):
            right, up = (2 * k % 5) / 5, k / 5
            light = drizzled(fine[i::5, j::5], right, up)
            offset = (2 - j) / 5 - right, (2 - i) / 5 - up
            inside = light_in(row["radius"], offset)
            ring = light_in(row["skyout"], offset) - light_in(row["skyin"], offset)
            found.append(np.sum(inside * light) - inside.sum() * np.sum(ring * light) / ring.sum())
        assert np.mean(found) * row["apcorr"] == pytest.approx(1, abs=0.005)
    assert np.all(np.diff(table["radius"]) > 0)
    assert {0.3, 0.5, 0.7} <= {round(float(value), 3) for value in table["eefraction"]}


@pytest.mark.parametrize(("name", "published"), [("F200W", 1.70), ("F150W", 1.24), ("F115W", 0.77)])
def test_vega_offsets_are_near_the_published_ones(name, published):
    assert tables.vega_offset(bandpass("nrca1", name).pivot_um) == pytest.approx(published, abs=0.1)


def test_vega_offsets_have_a_row_for_each_filter():
    table = nominal_reference("abvegaoffset", "nrcalong").tree["abvega_offset"]
    assert set(filters_of("nrcalong")) <= set(table["filter"])
    row = table[(table["filter"] == "F444W") & (table["pupil"] == "CLEAR")]
    assert row["abvega_offset"][0] == pytest.approx(3.24, abs=0.1)


def test_offsets_of_filters_are_zero():
    rows = nominal_reference("filteroffset", "nrca1").tree["filters"]
    assert {row["filter"] for row in rows} >= set(filters_of("nrca1"))
    assert all(row["row_offset"] == row["column_offset"] == 0 for row in rows)


def test_the_throughput_is_a_top_hat():
    table = nominal_reference("throughput", "nis", "F480M").tables["THROUGHPUT"]
    wave, height = table["wavelength"].astype(float), table["throughput"].astype(float)
    band = bandpass("nis", "F480M")
    assert np.sum(wave * height) / height.sum() / 1e4 == pytest.approx(band.pivot_um, abs=0.003)
    assert np.trapezoid(height, wave) / height.max() / 1e4 == pytest.approx(band.width_um, abs=0.006)
    assert height[0] == height[-1] == 0


def test_the_mask_of_holes_is_open_where_they_are():
    reference = nominal_reference("nrm", "nis")
    picture, step = reference.arrays["NRM"], 6.603464 / 1024
    assert picture.sum() * step**2 == pytest.approx(7 * np.sqrt(3) / 2 * 0.8**2, rel=0.01)
    for number in range(1, 8):
        x, y = (reference.cards[f"NRM_{axis}_A{number}"] / step + 511.5 for axis in "XY")
        assert picture[round(y), round(x)] == 1


def test_every_nominal_reference_can_be_made_of_every_detector_that_has_it():
    for detector in ("nis", "mirimage"):
        part = subarray(detector) if detector == "mirimage" else window(detector, 1, 1, 64, 32)
        filter_ = {"nis": "F380M", "mirimage": "F770W"}[detector]
        for reftype in available_types(detector):
            reference = nominal_reference(reftype, detector, filter_, part=part)
            kind = JWST_TYPES[reftype]
            assert tuple(reference.arrays) == kind.arrays
            assert tuple(reference.tables) == kind.tables
            assert tuple(reference.tree) == kind.nodes
            assert set(kind.keywords) <= reference.cards.keys()


def test_what_the_nominal_set_has_not_is_said():
    with pytest.raises(UsageError, match="the nominal set has no photom for MIRIMAGE"):
        nominal_reference("photom", "mirimage")
    with pytest.raises(UsageError, match="no reference type of JWST"):
        nominal_reference("epsf", "nrca1")
    assert jwst_type(" FLAT ").name == "flat"
    assert jwst_type("epsf") is None
