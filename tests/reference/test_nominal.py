"""The nominal instrument: the same pixels however they are asked for, and the physics that was put in."""

import numpy as np
import pytest

from rtools.errors import UsageError
from rtools.reference import nominal, planes, tables
from rtools.reference.builtin import Builtin
from rtools.reference.planes import PLANES, Setting, plane
from rtools.reference.types import TYPES
from rtools.wfi import instrument
from rtools.wfi.distortion import distortion, pixel_area_sr, relative_area
from rtools.wfi.dq import PIXEL
from rtools.wfi.frame import BORDER, CENTRE
from rtools.wfi.instrument import DETECTORS
from rtools.work import Work

FRAME = (96, 384)
DEAD = PIXEL["DO_NOT_USE"] | PIXEL["DEAD"]


def horner(coeffs, x):
    value = np.zeros_like(x)
    for c in coeffs[::-1].astype(float):
        value = value * x + c
    return value


@pytest.mark.parametrize(("reftype", "array"), sorted(PLANES))
def test_any_columns_equal_the_whole(reftype, array):
    source = Builtin(reftype, "WFI07", "F129", FRAME)
    whole = source.array(array)
    assert whole.shape == source.shape(array)
    assert whole.dtype == source.dtype(array)
    for start, stop in ((0, 128), (130, 250), (100, 300), (whole.shape[-1] - 5, whole.shape[-1])):
        part = source.columns(array, start, stop, work=Work(3))
        assert part.flags.c_contiguous
        np.testing.assert_array_equal(part, whole[..., start:stop])
    np.testing.assert_array_equal(source.rows(array, 1, 3), whole[1:3])


@pytest.mark.parametrize(("reftype", "array"), sorted(set(PLANES) - {("mask", "dq")}))
def test_a_small_frame_is_the_corner_of_the_large_one(reftype, array):
    small = Builtin(reftype, "WFI02", "F062", FRAME).array(array)
    large = Builtin(reftype, "WFI02", "F062", (160, 512)).array(array)
    inner = (..., slice(BORDER, small.shape[-2] - BORDER), slice(BORDER, small.shape[-1] - BORDER))
    np.testing.assert_array_equal(small[inner], large[inner])


@pytest.mark.parametrize(("reftype", "array"), [("gain", "data"), ("mask", "dq"), ("flat", "data")])
def test_detector_element_and_seed_change_the_draw(reftype, array):
    first = Builtin(reftype, "WFI01", "F158", FRAME).array(array)
    assert (Builtin(reftype, "WFI02", "F158", FRAME).array(array) != first).any()
    assert (Builtin(reftype, "WFI01", "F158", FRAME, seed=5).array(array) != first).any()
    other_element = Builtin(reftype, "WFI01", "F062", FRAME).array(array)
    assert (other_element != first).any() == TYPES[reftype].element


def test_draws_do_not_change_between_releases():
    """Labels and checksums promise contents; raise `nominal.VERSION` if this must change."""
    gain = Builtin("gain", "WFI01", "F158", FRAME).columns("data", 128, 130)
    np.testing.assert_allclose(gain[:2].ravel(), GAIN_SAMPLE, rtol=1e-7)


GAIN_SAMPLE = [1.7997013, 1.8230556, 1.7982607, 1.8212289]


@pytest.mark.parametrize(
    ("reftype", "array", "mean", "spread"),
    [
        ("gain", "data", 1.8, 0.018),
        ("saturation", "data", 55000, 1500),
        ("readnoise", "data", 17.49 / np.sqrt(2) / 1.8, 0.08 * 17.49 / np.sqrt(2) / 1.8),
    ],
)
def test_pixels_scatter_about_the_mean_as_stated(reftype, array, mean, spread):
    block = plane(Setting("WFI01", rows=1024), reftype, array, 3).astype(float)
    assert block.mean() == pytest.approx(mean, abs=5 * spread / np.sqrt(block.size))
    assert block.std() == pytest.approx(spread, rel=0.01)


def test_mask_has_the_detector_s_bad_pixels_and_the_border():
    source = Builtin("mask", "WFI09", "F158")
    dq = source.array("dq", work=Work(2))
    border = np.ones(dq.shape, bool)
    border[BORDER:-BORDER, BORDER:-BORDER] = False
    assert (dq[border] == PIXEL["REFERENCE_PIXEL"]).all()
    science = dq[~border]
    total = instrument.detector("WFI09")["inoperable_pixels"]
    assert np.count_nonzero(science) == total
    for kind in (DEAD, PIXEL["HOT"], PIXEL["WARM"]):
        assert np.count_nonzero(science == kind) == pytest.approx(total / 3, abs=5 * np.sqrt(total))


def test_mask_of_a_small_frame_has_its_own_border():
    dq = Builtin("mask", "WFI09", "F158", FRAME).array("dq")
    assert (dq[:BORDER] == PIXEL["REFERENCE_PIXEL"]).all()
    assert (dq[-BORDER:] == PIXEL["REFERENCE_PIXEL"]).all()
    assert (dq[:, :BORDER] == PIXEL["REFERENCE_PIXEL"]).all()
    assert (dq[:, -BORDER:] == PIXEL["REFERENCE_PIXEL"]).all()
    assert not (dq[BORDER:-BORDER, BORDER:-BORDER] & PIXEL["REFERENCE_PIXEL"]).any()


def test_hot_and_warm_pixels_are_the_ones_the_mask_names():
    setting = Setting("WFI04", rows=512)
    dq, slope = plane(setting, "mask", "dq", 6), plane(setting, "dark", "dark_slope", 6) * nominal.GAIN
    for name, (low, high) in (("HOT", nominal.HOT_RANGE_E), ("WARM", nominal.WARM_RANGE_E)):
        chosen = slope[dq == PIXEL[name]]
        assert chosen.size > 100
        assert chosen.min() >= low * 0.999
        assert chosen.max() <= high * 1.001
    ordinary = slope[(dq == 0) | (dq == DEAD)].astype(float)
    assert ordinary.mean() == pytest.approx(0.018, rel=0.01)
    assert ordinary.max() < 0.05


def test_linearity_and_its_inverse_undo_each_other():
    """The inverse takes true values back to 0.05 DN, from zero to beyond saturation, and so does the other order."""
    setting = Setting("WFI01", rows=1024)
    forward, inverse = plane(setting, "linearity", "coeffs", 9), plane(setting, "inverselinearity", "coeffs", 9)
    full = np.float64(65535)
    for x in np.linspace(0, full, 40):
        measured = np.full(forward.shape[1:], x)
        assert abs(horner(inverse, horner(forward, measured)) - x).max() < 0.05
        assert abs(horner(forward, horner(inverse, measured)) - x).max() < 0.05
    true = horner(forward, np.full(forward.shape[1:], 55000.0))
    assert true.mean() - 55000 == pytest.approx(1.08e-6 * 55000**2, rel=0.002)


def measured_area(detector, x, y):
    """Area of pixels by the corners' places in V2 and V3, sr."""
    corners = [distortion(detector)(x + dx, y + dy) for dx, dy in ((-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5))]
    (a2, a3), (b2, b3), (c2, c3), (d2, d3) = corners
    return np.abs((c2 - a2) * (d3 - b3) - (c3 - a3) * (d2 - b2)) / 2 * np.radians(1 / 3600) ** 2


@pytest.mark.parametrize("detector", ["WFI01", "WFI09", "WFI18"])
def test_flat_holds_the_areas_of_the_pixels(detector, monkeypatch):
    """A uniform sky gives more light to larger pixels: by 3 to 4 % over a detector."""
    monkeypatch.setattr("rtools.reference.nominal.FLAT_STRUCTURE", 0.0)
    ratios = []
    for channel in (0, 16, 31):
        flat = plane(Setting(detector), "flat", "data", channel).astype(float)
        for first in (8, 2000, 3960):
            y, x = np.mgrid[first : first + 128, channel * 128 : channel * 128 + 128] - 4.0
            area = measured_area(detector, x.ravel(), y.ravel()).reshape(x.shape)
            ratios.append([flat[first : first + 128].mean() * pixel_area_sr(detector) / area.mean(), area.mean()])
    ratio, area = np.array(ratios).T
    np.testing.assert_allclose(ratio, 1, atol=4 * 0.01 / 128)
    assert np.ptp(area) / area.mean() > 0.01
    assert pixel_area_sr(detector) == pytest.approx(measured_area(detector, *np.full((2, 1), 2043.5))[0], rel=1e-7)


def test_flat_has_mean_one_structure_and_scatter():
    flat = np.concatenate([plane(Setting("WFI11"), "flat", "data", c)[::16, ::4] for c in range(32)], axis=1)
    flat = flat / relative_area("WFI11", np.arange(0, 4096, 4) - 4, np.arange(0, 4096, 16) - 4)
    assert flat.mean() == pytest.approx(1, abs=0.002)
    assert flat.std() == pytest.approx(np.hypot(0.01, 0.02), rel=0.03)
    assert np.diff(flat, axis=0).std() / np.sqrt(2) == pytest.approx(0.01, rel=0.02)


def test_planes_of_flags_are_zero():
    for reftype in ("saturation", "linearity", "dark", "flat"):
        dq = Builtin(reftype, "WFI01", "F158", FRAME).columns("dq", 3, 40)
        assert dq.dtype == np.uint32
        assert not dq.any()


def test_refpix_has_coefficients_for_any_number_of_rows():
    full = Builtin("refpix", "WFI01")
    assert full.shape("alpha") == (32, 286721)
    alpha = full.rows("alpha", 30, 32)
    assert alpha.dtype == np.complex128
    assert alpha.shape == (2, 286721)
    small = Builtin("refpix", "WFI01", frame=FRAME)
    assert small.rows("gamma", 0, 3).shape == (3, 96 * 140 // 2 + 1)
    np.testing.assert_array_equal(small.columns("zeta", 5, 9)[1], small.rows("zeta", 1, 2)[0, 5:9])
    varied, same = (
        Builtin("refpix", "WFI01", frame=FRAME, seed=seed).rows("alpha", 0, 32)[:, 9].real for seed in (3, 0)
    )
    assert (varied / same).std() == pytest.approx(nominal.VARIATION["refpix"], rel=0.5)


def test_built_in_refpix_coefficients_are_least_squares():
    """The borders see 4 of 140 clocks: they help with the slowest noise, and the reference output with the rest."""
    source = Builtin("refpix", "WFI01")
    border, amp33 = (source.rows(name, 7, 8)[0].real for name in ("gamma", "alpha"))
    np.testing.assert_array_equal(source.rows("zeta", 7, 8)[0], border)
    frequency = [0, 1, 10, 100, 500, 1000, 2048, 4096, 14336]
    expected = [0.266, 0.266, 0.110, 0.032, 0.017, 0.012, 0.008, 0.005, 0.0015]
    np.testing.assert_allclose(border[frequency], expected, atol=6e-4)
    expected = [0.440, 0.440, 0.727, 0.796, 0.595, 0.447, 0.293, 0.175, 0.058]
    np.testing.assert_allclose(amp33[frequency], expected, atol=6e-4)
    beside_a_cycle_a_row = border[[4095, 4097, 8191, 8193]]
    assert beside_a_cycle_a_row.max() < 2e-4


@pytest.mark.parametrize(
    ("name", "value", "larger"),
    [("COMMON_NOISE_E", 8.0, True), ("PINK_NOISE_E", 2.0, False), ("REFERENCE_PIXEL_NOISE", 2.0, False)],
)
def test_other_noise_gives_other_refpix_coefficients(monkeypatch, name, value, larger):
    """More of the common noise is worth a larger correction, more of any other noise a smaller one."""
    source = Builtin("refpix", "WFI01", frame=FRAME)

    def correction():
        return sum(source.rows(array, 0, 1)[0, 1:400].real for array in ("gamma", "zeta", "alpha"))

    before = correction()
    monkeypatch.setattr(nominal, name, value)
    assert ((correction() > before) == larger).all()


def test_refpix_coefficients_follow_the_read_noise_of_the_detector():
    quiet, loud = sorted(DETECTORS, key=lambda name: instrument.detector(name)["cds_noise_e"])[:: len(DETECTORS) - 1]
    alpha = [Builtin("refpix", name, frame=FRAME).rows("alpha", 0, 1)[0, 300].real for name in (quiet, loud)]
    assert alpha[0] > 1.05 * alpha[1]


def test_the_integral_nonlinearity_has_a_table_for_each_channel():
    source = Builtin("integralnonlinearity", "WFI05")
    value, table = source.node("value"), source.node("inl_table")
    assert value.dtype == np.uint16
    assert (np.diff(value.astype(int)) > 0).all()
    assert sorted(table) == [f"science_channel_{channel:02d}" for channel in range(1, 33)]
    for channel, entry in enumerate(table.values()):
        assert entry["instrument_channel"] == channel
        assert abs(entry["correction"]).max() == pytest.approx(3, abs=0.01)
    assert (table["science_channel_01"]["correction"] != table["science_channel_06"]["correction"]).any()


def test_photometry_follows_the_zero_point():
    mean = {"F062": 0.518, "F087": 0.693, "F106": 0.660, "F129": 0.661, "F146": 0.213, "F158": 0.647, "F184": 0.992}
    for name, expected in (mean | {"F213": 1.038}).items():
        magnitude = instrument.zero_point(None, name)
        assert instrument.photmjsr(magnitude, 1.8) == pytest.approx(expected, abs=6e-4)
    table = Builtin("photom", "WFI01").node("phot_table")
    assert set(table) == {*instrument.ELEMENTS, "GRISM_0"}
    entry = table["F158"]
    assert entry["photmjsr"] == pytest.approx(3631e-6 * 10 ** (-0.4 * 26.3225) * 1.8 / entry["pixelareasr"], rel=1e-9)
    assert entry["pixelareasr"] == pytest.approx(2.808e-13, rel=1e-3)
    assert Builtin("photom", "WFI09").node("phot_table")["F158"]["pixelareasr"] == pytest.approx(2.645e-13, rel=1e-3)
    assert table["GRISM"]["photmjsr"] is None
    assert table["GRISM"]["effective_area"].dtype == np.float32
    assert all(value is None for value in table["DARK"].values())


def test_decay_table_has_all_detectors():
    table = Builtin("darkdecaysignal", "WFI03").node("decay_table")
    assert tuple(table) == DETECTORS
    assert table["WFI17"] == {"amplitude": 0.67, "time_constant": 25.2}


def test_apcorr_rises_to_one():
    entry = Builtin("apcorr", "WFI03").node("data.F213")
    assert len(entry["ee_radii"]) == len(entry["ee_fractions"]) == 200
    assert (np.diff(entry["ee_fractions"]) > 0).all()
    assert entry["ee_fractions"][-1] == pytest.approx(1, abs=0.01)
    np.testing.assert_allclose(entry["ap_corrections"] * entry["ee_fractions"], 1)


@pytest.mark.parametrize(
    ("name", "corner", "expected"),
    [
        ("WFI01", 0, (1616.97641, -955.70469)),
        ("WFI01", 4087, (1006.64101, -1125.50925)),
        ("WFI18", 0, (2909.05104, -17.99637)),
        ("WFI18", 4087, (2330.69341, -181.77612)),
    ],
)
def test_distortion_of_the_siaf(name, corner, expected):
    np.testing.assert_allclose(distortion(name)(corner, corner), expected, atol=6e-6)


@pytest.mark.parametrize("name", DETECTORS)
def test_distortion_inverse_closes(name):
    model = distortion(name)
    facts = instrument.detector(name)
    np.testing.assert_allclose(model(CENTRE, CENTRE), (facts["v2_ref"], facts["v3_ref"]), atol=1e-9)
    x, y = np.meshgrid(np.linspace(-0.5, 4087.5, 40), np.linspace(-0.5, 4087.5, 40))
    back = model.inverse(*model(x, y))
    assert np.hypot(back[0] - x, back[1] - y).max() < 0.002


def test_read_patterns_are_found_by_name_and_number():
    assert instrument.read_pattern("C2A_IMG_HLWAS") == instrument.read_pattern(4) == instrument.read_pattern("SCI0004")
    assert [len(reads) for reads in instrument.read_pattern(4)] == [1, 1, 2, 5, 8, 8, 8, 10, 1]
    assert instrument.read_pattern(109)[-2:] == [[39, 40, 41, 42, 43], [44]]
    assert instrument.ma_table("IM_66_6_V2").id == "SCI1049"
    with pytest.raises(UsageError, match="C3A_SPEC_HLSS"):
        instrument.read_pattern("IM_135_8")
    assert instrument.frame_time("WFI_SPECTRAL") == 5.14116


def test_unknown_detector_element_and_type_are_named():
    for arguments, word in (
        (("gain", "WFI19"), "WFI19"),
        (("flat", "WFI01", "F999"), "F999"),
        (("gian", "WFI01"), "gian"),
    ):
        with pytest.raises(UsageError, match=word):
            Builtin(*arguments)


def test_labels_say_what_and_which():
    assert Builtin("flat", "WFI01", "F062").label == "builtin:nominal2/flat_wfi01_f062"
    assert Builtin("darkdecaysignal", "WFI01").label == "builtin:nominal2/darkdecaysignal"
    assert Builtin("gain", "WFI01", seed=7).label == "builtin:nominal2-seed7/gain_wfi01"
    assert Builtin("gain", "WFI01", seed=7).checksum != Builtin("gain", "WFI01").checksum


def test_variation_scatters_the_means():
    assert planes.factor(Setting("WFI01"), "gain") == 1
    scatter = [planes.factor(Setting(name, seed=2), "dark") - 1 for name in DETECTORS]
    assert 0.03 < np.std(scatter) < 0.2
    assert tables.decay_table(2)["WFI01"]["amplitude"] != tables.decay_table()["WFI01"]["amplitude"]
