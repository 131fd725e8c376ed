"""rt-sim: files, names, metadata, truth, refusals; and that the chain gives the truth back."""

import asdf
import numpy as np
import pytest
from astropy.table import Table
from pyarrow import parquet
from pyarrow import table as arrow_table

from rtools.commands.kit import entry
from rtools.commands.kit.tools import command_of
from rtools.exposure.rampfit.timing import resultant_timing
from rtools.pipeline.job import local
from rtools.products.io import header, open_product
from rtools.reference.builtin import Builtin
from rtools.wfi import instrument, metadata
from rtools.wfi.distortion import relative_area
from tests.support.runs import done, records, tool

pytestmark = pytest.mark.slow

ROOT = "r0000101001001001001_0001_wfi01_f158"


def sim(*args):
    return entry.run(command_of("sim"), [str(arg) for arg in args])


def make(folder, *args, root=ROOT, size=256):
    path = folder / f"{root}_uncal.asdf"
    assert sim(path, "--size", size, "-q", *args) == 0
    return path


@pytest.fixture(scope="module")
def exposure(tmp_path_factory):
    return make(tmp_path_factory.mktemp("sim"))


def truth_of(path):
    with asdf.open(path.with_name(path.name.replace("_uncal", "_truth"))) as file:
        return {key: np.array(value) for key, value in file["cosmic_rays"].items()}, np.array(file["rate"])


def table_of(path):
    """The truth table; numpy columns with a unit each, as the parquet fields say."""
    found = parquet.read_table(path.with_name(path.name.replace("_uncal.asdf", "_truth.parquet")))
    columns = {name: found[name].to_numpy() for name in found.column_names}
    return Table(columns, units={field.name: _unit(field) for field in found.schema})


def _unit(field):
    word = field.metadata[b"unit"].decode()
    return None if word == "None" else word


def test_writes_an_l1_file_and_its_truth(exposure):
    product = open_product(exposure, kinds=("l1_uncal",))
    assert product.array("data").shape == (9, 256, 256)
    assert product.array("data").dtype == np.uint16
    assert product.array("amp33").shape == (9, 256, 128)
    assert not product.has("reference_read")
    hits, rate = truth_of(exposure)
    assert rate.shape == (248, 248)
    assert rate.dtype == np.float32
    assert np.all(rate > 0.2)
    assert set(hits) == {"read", "resultant", "y", "x", "electrons", "dn"}
    assert table_of(exposure)["ra"].unit == "deg"


def test_prints_the_paths_it_writes(tmp_path, capsys):
    path = tmp_path / f"{ROOT}_uncal.asdf"
    assert sim(path, "--size", 256, "--json") == 0
    said = capsys.readouterr()
    outputs = records(said.out)[0]["outputs"]
    assert outputs[0] == str(path)
    assert sorted(outputs) == sorted(str(found) for found in tmp_path.iterdir())
    assert "not for science" in said.err


def test_metadata_say_what_was_asked(tmp_path):
    options = (
        "--ra",
        150.1,
        "--dec",
        -2.2,
        "--pa",
        35,
        "--date",
        "2027-06-05T04:03:02",
        "--read-pattern",
        "1;2-3;4-9;12",
    )
    path = make(tmp_path, *options, root="r0012302003004005006_0007_wfi07_f106")
    meta = open_product(path).meta
    assert meta["filename"] == path.name
    assert meta["observation"] | {"program": 123, "execution_plan": 2, "pass": 3, "segment": 4} == meta["observation"]
    assert meta["observation"]["visit_id"] == "0012302003004005006"
    assert meta["observation"]["exposure"] == 7
    assert meta["instrument"]["detector"] == "WFI07"
    assert meta["instrument"]["optical_element"] == "F106"
    assert meta["exposure"]["type"] == "WFI_IMAGE"
    assert meta["exposure"]["read_pattern"] == [[1], [2, 3], [4, 5, 6, 7, 8, 9], [12]]
    assert meta["exposure"]["start_time"] == "2027-06-05T04:03:02.000"
    assert meta["exposure"]["exposure_time"] == pytest.approx(12 * 3.16247)
    assert meta["exposure"]["ma_table_number"] == -999999
    assert meta["wcsinfo"]["ra_ref"] == 150.1
    assert meta["wcsinfo"]["roll_ref"] == pytest.approx(95)
    assert meta["pointing"]["target_dec"] == -2.2
    assert meta["velocity_aberration"]["scale_factor"] == pytest.approx(1, abs=1.1e-4)
    assert "assumed" in meta["rtools"]["simulation"]["note"]
    assert meta["rtools"]["simulation"]["references"]["gain"].startswith("builtin:")


def test_tables_by_name_number_and_default(tmp_path, exposure):
    default = open_product(exposure).meta["exposure"]
    assert (default["ma_table_id"], default["ma_table_name"], default["ma_table_number"]) == (
        "SCI0004",
        "C2A_IMG_HLWAS",
        4,
    )
    path = make(tmp_path, "--ma-table", "C1_IMG_MICROLENS", "--no-truth")
    assert open_product(path).meta["exposure"]["read_pattern"] == instrument.read_pattern(3)
    assert [found.name for found in tmp_path.iterdir()] == [path.name]


KINDS = [
    ("wfi02_f062", "WFI_WFSC", ()),
    ("wfi18_f213", "WFI_LOLO", ("--reference-read",)),
    ("wfi03_grism", None, ()),
    ("wfi04_prism", None, ("--profile", "1.5.0")),
    ("wfi05_f129", "WFI_FLAT", ("--profile", "2.2.0")),
    ("wfi06_dark", None, ()),
    ("wfi07_dark", "WFI_SP_DARK", ()),
]


@pytest.mark.parametrize(("place", "kind", "more"), KINDS)
def test_every_exposure_type(tmp_path, place, kind, more):
    asked = ("--exposure-type", kind) if kind else ()
    path = make(tmp_path, *asked, *more, "--read-pattern", "1;2-3;4;5", root=f"r0000101001001001001_0001_{place}")
    meta = open_product(path).meta
    expected = kind or ("WFI_IM_DARK" if "dark" in place else "WFI_SPECTRAL")
    assert meta["exposure"]["type"] == expected
    spectral = expected in ("WFI_SPECTRAL", "WFI_SP_DARK")
    assert meta["exposure"]["frame_time"] == (5.14116 if spectral else 3.16247)
    _hits, rate = truth_of(path)
    lamp = {"WFI_FLAT": 150 / 1.8, "WFI_LOLO": 50 / 1.8}.get(expected, 0)
    if "DARK" in expected:
        assert not rate.any()
    elif expected == "WFI_FLAT":
        # The chain does not divide these by the flat: it is in the truth.
        flat = Builtin("flat", "WFI05", "F129", (256, 256)).array("data")
        np.testing.assert_allclose(rate, lamp * flat, rtol=1e-3)
    else:
        assert rate.min() > lamp
        assert len(table_of(path)) > 10


def test_the_chain_gives_the_truth_back(tmp_path):
    """Pulls in bright sky, where linearity, flat, gain, dark decay and averaging all matter; no unflagged surprises."""
    path = make(tmp_path, "--crowded", 0, "--sky", 350)
    assert entry.run(command_of("run"), [str(path), "-q", "--profile", "1.5.0"]) == 0
    product = open_product(path.with_name(f"{ROOT}_cal.asdf"))
    data, err, dq = (product.array(name) for name in ("data", "err", "dq"))
    hits, rate = truth_of(path)
    np.testing.assert_allclose(rate, 350 / 1.8, rtol=2e-3)
    good = dq == 0
    good[hits["y"], hits["x"]] = False
    assert good.mean() > 0.9
    pull = (data - rate)[good] / err[good]
    assert abs(pull.mean()) < 0.02
    assert abs(pull.std() - 1) < 0.015


def test_cosmic_rays_in_the_truth_are_in_the_data(tmp_path, exposure):
    hits, _rate = truth_of(exposure)
    quiet = make(tmp_path, "--no-cosmic-rays")
    assert len(truth_of(quiet)[0]["x"]) == 0
    step = open_product(exposure).array("data").astype(int) - open_product(quiet).array("data").astype(int)
    changed = np.argwhere(np.abs(step[-1]) > 3)
    assert {tuple(place) for place in changed - 4} == set(zip(hits["y"].tolist(), hits["x"].tolist(), strict=True))
    for y, x, resultant, dn in zip(hits["y"], hits["x"], hits["resultant"], hits["dn"], strict=True):
        alone = np.sum((hits["y"] == y) & (hits["x"] == x)) == 1
        assert not alone or np.abs(step[:resultant, y + 4, x + 4]).max(initial=0) <= 1
        assert step[-1, y + 4, x + 4] > 0.75 * dn


def test_resultants_scatter_as_reads_that_accumulate(tmp_path):
    """Flat lamp: variance of resultant differences between neighbouring pixels against the ramp fit's own terms."""
    options = ("--exposure-type", "WFI_FLAT", "--no-cosmic-rays", "--read-pattern", "1;2-3;4-9;10")
    path = make(tmp_path, *options, root="r0000101001001001001_0001_wfi05_f129")
    product = open_product(path)
    data = product.array("data")[:, 4:-4, 132:252].astype(float)
    steps = np.diff(data, axis=0)
    pairs = (steps[:, :, 1:] - steps[:, :, :-1]) / np.sqrt(2)
    found = (1.4826 * np.median(np.abs(pairs - np.median(pairs, axis=(1, 2), keepdims=True)), axis=(1, 2))) ** 2
    timing = resultant_timing(product.meta["exposure"]["read_pattern"], product.meta["exposure"]["frame_time"])
    noise = instrument.detector("WFI05")["cds_noise_e"] / np.sqrt(2) / 1.8
    expected = 150 / 1.8**2 * timing.poisson_diagonal + noise**2 * timing.read_diagonal
    flat_scatter = (150 / 1.8 * 0.01) ** 2  # a flat in DN has the gain's scatter in it
    np.testing.assert_allclose(found / timing.interval**2, expected + flat_scatter, rtol=0.06)


def test_same_bits_for_any_number_of_threads_and_none_for_other_seeds(tmp_path, exposure):
    again = make(tmp_path, "-j", 3)
    first, second = open_product(exposure), open_product(again)
    for name in ("data", "amp33"):
        assert np.array_equal(first.array(name), second.array(name))
    assert np.array_equal(truth_of(exposure)[1], truth_of(again)[1])
    other = make(tmp_path, "--seed", 1, "--overwrite")
    assert not np.array_equal(first.array("data"), open_product(other).array("data"))
    assert np.array_equal(truth_of(exposure)[1], truth_of(other)[1])
    dither = make(tmp_path, root=ROOT.replace("_0001_", "_0002_"))
    noise = open_product(dither).array("data")[0, 4:-4, 4:-4].astype(int) - first.array("data")[0, 4:-4, 4:-4]
    assert noise.std() > 8


@pytest.mark.long
def test_names_that_are_simulated_by_several_processes_have_the_same_bits(tmp_path, exposure, monkeypatch):
    monkeypatch.setattr(local, "WORTHWHILE", 0)
    names = exposure.name, exposure.name.replace("_0001_", "_0002_")
    assert sim(*names, "--outdir", tmp_path, "--size", 256, "-q", "-j", 2) == 0
    assert (tmp_path / names[1]).exists()
    made, known = open_product(tmp_path / names[0]), open_product(exposure)
    assert all(np.array_equal(made.array(name), known.array(name)) for name in known.arrays)


def test_two_pointings_see_the_same_sky(tmp_path):
    near = make(tmp_path, "--no-cosmic-rays", "--read-pattern", "1;2", root=ROOT)
    root = ROOT.replace("_0001_", "_0002_").replace("f158", "f106")
    moved = make(tmp_path, "--dec", 66.0008, "--pa", 20, "--read-pattern", "1;2", root=root)
    first, second = table_of(near), table_of(moved)
    known = {(row["ra"], row["dec"]): row for row in first}
    both = [(known[row["ra"], row["dec"]], row) for row in second if (row["ra"], row["dec"]) in known]
    assert both
    for one, other in both:
        assert one["type"] == other["type"]
        assert one["half_light_radius"] == other["half_light_radius"]
        assert (one["x"], one["y"]) != (other["x"], other["y"])


def test_positions_agree_with_the_chain_s_wcs(exposure):
    from rtools.astrometry.wcs import Pointing, build_wcs
    from rtools.wfi.distortion import distortion

    meta = open_product(exposure).meta
    chain = Pointing(*(meta["wcsinfo"][key] for key in ("v2_ref", "v3_ref", "ra_ref", "dec_ref", "roll_ref")))
    wcs = build_wcs(distortion("WFI01"), chain, meta["velocity_aberration"]["scale_factor"], (248, 248))
    table = table_of(exposure)
    ra, dec = wcs(np.array(table["x"]), np.array(table["y"]), with_bounding_box=False)
    np.testing.assert_allclose(ra, table["ra"], atol=1e-9)
    np.testing.assert_allclose(dec, table["dec"], atol=1e-9)


def star_table(folder, name="stars.ecsv", **columns):
    """Positions inside the corner that a small frame covers, and what else is given."""
    from rtools.simulate.pointing import Attitude
    from rtools.wfi.distortion import distortion

    v2, v3 = instrument.WFI_CEN
    attitude = Attitude({"v2_ref": v2, "v3_ref": v3, "ra_ref": 270.0, "dec_ref": 66.0, "roll_ref": 60.0})
    ra, dec = attitude.to_sky(*distortion("WFI01")(np.array([60.0, 190.0]), np.array([80.0, 150.0])))
    path = folder / name
    columns = {"RA": ra, "Dec": dec, **columns}
    if name.endswith("parquet"):
        parquet.write_table(arrow_table({key: list(values) for key, values in columns.items()}), path)
    else:
        Table(columns).write(path)
    return path


@pytest.mark.parametrize("suffix", ["ecsv", "csv", "fits", "parquet"])
def test_sources_of_a_table(tmp_path, suffix):
    """The total of a star of 17 mag is what the zero point says: 10^(0.4 (ZP - 17)) / gain."""
    given = star_table(tmp_path, f"stars.{suffix}", mag=[17.0, 19.0])
    path = make(tmp_path, "--sources", given, "--sky", 0)
    _hits, rate = truth_of(path)
    zero = instrument.zero_point("WFI01", "F158")
    expected = 10 ** (0.4 * (zero - np.array([17.0, 19.0]))) / 1.8
    table = table_of(path)
    area = relative_area("WFI01", np.arange(len(rate)), np.arange(len(rate)))
    assert (rate * area).sum(dtype=float) == pytest.approx(expected.sum(), rel=2e-3)
    assert area.mean() < 0.992  # the corner of the detector, where the same light is more surface brightness
    np.testing.assert_allclose(table["rate"], expected, rtol=1e-6)
    np.testing.assert_allclose(table["x"], [60, 190], atol=0.2)
    assert np.unravel_index(rate.argmax(), rate.shape) == (round(table["y"][0]), round(table["x"][0]))
    assert set(table["type"]) == {"star"}


def test_table_with_galaxies_and_a_column_per_filter(tmp_path):
    columns = {"F106": [20.0, 21.0], "F158": [18.0, 18.5], "size": [0.5, 0.0], "type": ["spheroid", "star"]}
    given = star_table(tmp_path, **columns)
    table = table_of(make(tmp_path, "--sources", given))
    assert list(table["magnitude"]) == [18.0, 18.5]
    assert list(table["type"]) == ["spheroid", "star"]


BAD_TABLES = [
    ({}, "no column magnitude"),
    ({"mag": [np.nan, 1.0]}, "not numbers"),
    ({"mag": ["bright", "faint"]}, "mag is not a column of numbers"),
    ({"mag": [20.0, 20.0], "type": ["quasar", "star"]}, "quasar"),
    ({"mag": [20.0, 20.0], "type": ["disk", "star"]}, "without a size"),
]


@pytest.mark.parametrize(("columns", "word"), BAD_TABLES)
def test_bad_tables_are_refused(tmp_path, capsys, columns, word):
    given = star_table(tmp_path, **columns)
    assert sim(tmp_path / f"{ROOT}_uncal.asdf", "--size", 256, "--sources", given) == 3
    assert word in capsys.readouterr().err
    assert [found.name for found in tmp_path.iterdir()] == [given.name]


def test_guide_window_is_on_the_brightest_unsaturated_star(tmp_path):
    """Unsaturated in the window, which is reset and read sixteen times a science read; not in the exposure."""
    given = star_table(tmp_path, mag=[9.0, 12.0])
    star = make(tmp_path, "--sources", given)
    window = open_product(star).meta["guide_star"]
    table = table_of(star)
    assert window["window_xstop"] - window["window_xstart"] == 16
    assert abs((window["window_xstart"] + window["window_xstop"]) / 2 - (table["x"][1] + 4)) <= 1
    assert abs((window["window_ystart"] + window["window_ystop"]) / 2 - (table["y"][1] + 4)) <= 1
    assert window["jitter_major"] == 8
    none = make(tmp_path, "--guide-window", "none", "--overwrite")
    assert open_product(none).meta["guide_star"]["window_xstart"] == -999999
    there = make(tmp_path, "--guide-window", "10,20", "--overwrite")
    assert open_product(there).meta["guide_star"]["window_ystop"] == 36


def test_offset_and_reference_read_undo(tmp_path, exposure):
    path = make(tmp_path, "--reference-read")
    product, plain = open_product(path), open_product(exposure)
    assert product.meta["instrument"]["data_encoding_offset"] == 1000
    for data, before in (("data", "reference_read"), ("amp33", "reference_amp33")):
        restored = product.array(data).astype(int) + product.array(before).astype(int) - 1000
        if data == "data":
            assert np.array_equal(restored, plain.array(data))
        assert abs(restored.mean() - plain.array(data).mean()) < 1


def test_unknown_things_are_usage_errors(tmp_path, capsys):
    good = tmp_path / f"{ROOT}_uncal.asdf"
    for args, word in (
        ((tmp_path / "mysim.asdf",), "file name"),
        ((tmp_path / f"{ROOT}_cal.asdf",), "_uncal"),
        ((tmp_path / f"{ROOT.removesuffix('_f158')}_uncal.asdf",), "--element"),
        ((good, "--element", "F062"), "F158"),
        ((good, "--read-pattern", "NO_SUCH"), "C2A_IMG_HLWAS"),
        ((good, "--read-pattern", "3;2"), "increase"),
        ((good, "--date", "yesterday"), "date"),
        ((good, "--size", "300"), "128"),
        ((good, "--guide-window", "5"), "X,Y"),
        ((good, "--guide-window", "1,4000"), "science area"),
        ((good, "--ref", "nosuch=x"), "nosuch"),
    ):
        assert sim(*args, "--size", 256, *args[1:]) == 2
        assert word in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_outputs_that_exist_are_refused_before_any_work(exposure, capsys, tmp_path):
    before = exposure.stat().st_mtime_ns
    assert sim(exposure, "--size", 256) == 1
    assert "exists" in capsys.readouterr().err
    assert exposure.stat().st_mtime_ns == before
    assert sim(exposure, "--outdir", tmp_path / "new", "--size", 256, "-n") == 0
    assert len(capsys.readouterr().out.split()) == 3
    assert not list(tmp_path.iterdir())


def test_missing_reference_is_exit_4_and_the_builtin_fills_a_directory(tmp_path, capsys):
    refs = tmp_path / "refs"
    made = ["make", str(refs), "--detector", "WFI01", "--element", "F158", "--size", "256", "--types", "gain,flat"]
    assert entry.run(command_of("refs"), made) == 0
    capsys.readouterr()
    good = tmp_path / f"{ROOT}_uncal.asdf"
    assert sim(good, "--size", 256, "--refdir", refs, "--no-builtin") == 4
    assert "readnoise" in capsys.readouterr().err
    assert sim(good, "--size", 256, "--refdir", refs) == 0
    warning = capsys.readouterr().err
    assert "from the built-in nominal instrument: " in warning
    assert "readnoise" in warning
    assert "gain" not in warning.split("instrument: ")[1]
    used = open_product(good).meta["rtools"]["simulation"]["references"]
    assert used["gain"].startswith(str(refs))
    assert used["mask"].startswith("builtin:")


def test_references_refused_by_the_user_leave_their_effect_out(tmp_path):
    kinds = ("mask", "saturation", "linearity", "dark", "flat", "integralnonlinearity", "darkdecaysignal", "photom")
    refused = [word for kind in kinds for word in ("--ref", f"{kind}=none")]
    path = make(tmp_path, *refused, "--sky", 1000, "--crowded", 0, "--no-cosmic-rays", "--read-pattern", "1;2;3")
    data = open_product(path).array("data")[:, 4:-4, 4:-4].astype(float)
    steps = np.diff(data, axis=0).mean(axis=(1, 2))
    np.testing.assert_allclose(steps, 1000 / 1.8 * 3.16247, rtol=2e-3)


def test_several_names_go_on_after_a_failure(tmp_path, exposure, capsys):
    new = tmp_path / f"{ROOT}_uncal.asdf"
    assert sim(tmp_path / "bad_uncal.asdf", new, "--size", 256, "-q") == 2
    assert new.exists()
    assert capsys.readouterr().err.count("\n") == 1


def test_history_and_validity(exposure):
    with asdf.open(exposure, ignore_unrecognized_tag=True) as file:
        entry = file["history"]["entries"][0]
    assert entry["tool"] == "rt-sim"
    assert entry["parameters"]["scene_seed"] == 0
    meta = open_product(exposure).meta
    metadata.require(
        meta, "exposure.read_pattern", "ephemeris.velocity_x", "wcsinfo.s_region", "guide_star.window_xstart"
    )
    assert meta["wcsinfo"]["s_region"].startswith("POLYGON ICRS  ")


def test_matable_reference_gives_read_patterns(tmp_path):
    entry = {"ma_table_number": 1010, "ma_table_name": "IM_135_8", "science_read_pattern": [[1], [2, 3], [5]]}
    matable = tmp_path / "matable.asdf"
    tag = "asdf://stsci.edu/datamodels/roman/tags/reference_files/matable-2.0.0"
    tree = {"meta": {"reftype": "MATABLE"}, "science_tables": {"SCI1010": entry}, "guide_window_tables": {}}
    asdf.AsdfFile({"roman": asdf.tagged.TaggedDict(tree, tag)}).write_to(matable)
    path = make(tmp_path, "--matable", matable, "--ma-table", "im_135_8", "--no-truth")
    said = open_product(path).meta["exposure"]
    assert said["read_pattern"] == [[1], [2, 3], [5]]
    assert said["ma_table_id"] == "SCI1010"


def test_pink_noise_option_reaches_the_channels(tmp_path):
    """Dark pixels of one channel, same seed: the difference of two amplitudes is 1/f noise in the order of reading."""
    options = ("--crowded", 0, "--no-cosmic-rays", "--read-pattern", "1;2", "--no-truth")
    loud = open_product(make(tmp_path, *options, "--pink-noise", 18.5)).array("data").astype(int)
    quiet = open_product(make(tmp_path, *options, "--overwrite")).array("data").astype(int)
    step = (loud - quiet)[0, :, :128]
    assert step.std() == pytest.approx(18 / 1.8, rel=0.4)
    assert np.corrcoef(step[:, :-1].ravel(), step[:, 1:].ravel())[0, 1] > 0.8


@pytest.mark.parametrize("option", ["--ra", "--pa", "--sky", "--background", "--pink-noise"])
@pytest.mark.parametrize("value", ["nan", "inf"])
def test_numbers_that_are_none_are_refused(option, value, tmp_path, capsys):
    name = tmp_path / "r0000101001001001001_0001_wfi01_f158_uncal.asdf"
    assert entry.run(command_of("sim"), [str(name), option, value, "--size", "256"]) == 2
    assert option in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_position_says_where_the_aperture_points(tmp_path, capsys):
    name = "r0000101001001001001_0001_wfi01_f158_uncal.asdf"
    done("sim", name, "--sky", "10h02m03.4s,+02d12m11s", "--outdir", tmp_path, "--size", 256, "--read-pattern", "1;2",
         "--no-truth", "--crowded", 0)  # fmt: skip
    pointing = header.read_header(tmp_path / name)[0]["roman"]["meta"]["pointing"]
    assert (pointing["target_ra"], pointing["target_dec"]) == pytest.approx((150.5141667, 2.2030556), abs=1e-6)
    assert tool("sim", name, "--sky", "1,2", "--ra", 3, "--outdir", tmp_path) == 2
    assert "--ra and --dec in one" in capsys.readouterr().err
