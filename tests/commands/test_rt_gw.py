"""rt-gw measure, jitter, spectrum, lightcurve: tables of every form, faults, options, kernels in science files."""

import json
import shutil
import warnings

import asdf
import numpy as np
import pytest
from astropy.table import Table
from pyarrow import parquet

from rtools.pipeline.guide import columns
from rtools.products.guide import open_guide
from rtools.products.io import open_product
from rtools.products.tables import read_catalog
from rtools.wfi.guide import DROPPED_BY_JITTER, Use
from tests.support import judges
from tests.support.guide_files import FORMS, MAPPING, guide_file
from tests.support.runs import meta
from tests.support.small_files import tool

pytestmark = pytest.mark.slow

ROOT = "r0000101001001001001_0001"
NAME = f"{ROOT}_1_wfi02_f158_gw.asdf"
READS = ";".join(map(str, range(1, 9)))
FAULTS = ("lost", "reset", "sce", "bind", "late")
COLUMNS = {"measure": columns.PAIRS, "jitter": columns.JITTER, "spectrum": columns.SPECTRUM,
           "lightcurve": columns.LIGHT_CURVE}  # fmt: skip
"""Subcommand to the columns of its table."""

UNASKED = {"lightcurve": {"bjd_tdb", "pairs", "use"}}
"""Columns that a table has only where they are asked for: dates at the barycentre, bins or pairs."""


def simulate(folder, *options, exposures=3):
    """Windows of a star of 14 mag, exposures of eight reads, a read between them; path of the file."""
    asked = ("--mag", 14, "--exposures", exposures, "--crowded", 0, "--read-pattern", READS, "--gap", 1, "-q")
    assert tool("sim", folder / NAME, *asked, *options) == 0
    return folder / NAME


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return simulate(tmp_path_factory.mktemp("whole"))


@pytest.fixture(scope="module")
def faulty(tmp_path_factory):
    """The same with all that can go wrong in the exposure in the middle."""
    return simulate(tmp_path_factory.mktemp("faulty"), *(word for fault in FAULTS for word in ("--fault", fault)))


def truth_of(path):
    """Columns of the truth of tracking."""
    table = parquet.read_table(path.with_name(path.name.replace("_gw.asdf", "_truth.parquet")))
    found = {name: table[name].to_numpy(zero_copy_only=False) for name in table.column_names}
    return {name: values[found["stage"] == "track"] for name, values in found.items()}


def table_of(tmp_path, subcommand, *args, form="ecsv", status=0):
    """The table that a subcommand writes."""
    target = tmp_path / f"table.{form}"
    assert tool("gw", subcommand, *args, "-o", target, "--overwrite", "-q") == status
    return read_catalog(target)


def same(one, two):
    """Whether two tables have the same numbers; NaN equals NaN."""
    assert one.colnames == two.colnames and len(one) == len(two)
    return all(np.array_equal(np.asarray(one[name]), np.asarray(two[name]), equal_nan=one[name].dtype.kind == "f")
               for name in one.colnames)  # fmt: skip


def changed(path, folder, change):
    """A copy of a file whose tracking was changed by ``change(data, exposure)``."""
    target = folder / path.name
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # asdf does not know the tags
        with asdf.open(path, memmap=False, lazy_load=False) as file:
            data = file["roman"]["track_data"]
            change(data, np.asarray(data["exposure_mapping"]))
            file.write_to(target)
    return target


# --- tables of every form -------------------------------------------------------------------------------------------


def slowly(values, quick):
    """Values of a parameter, of which the others than the quick ones are of tests that are slow."""
    return [pytest.param(one, marks=() if one in quick else pytest.mark.slow) for one in values]


@pytest.mark.parametrize("subcommand", slowly(COLUMNS, ("measure", "jitter")))
@pytest.mark.parametrize("form", slowly(FORMS, ("seed", "dark", "empty")))
def test_every_form_of_a_file_gives_the_columns_with_their_units(form, subcommand, tmp_path, capsys):
    table = table_of(tmp_path, subcommand, guide_file(tmp_path, form), "--builtin")
    expected = {one.name: one.unit for one in COLUMNS[subcommand]}
    missing = set(expected) - set(table.colnames)
    assert list(table.colnames) == [name for name in expected if name not in missing]
    assert missing <= UNASKED.get(subcommand, set())
    for name, unit in expected.items():
        assert name in missing or str(table[name].unit or "") == (unit or "").replace("pix2", "pix2"), name
    rows = {"measure": len(MAPPING), "jitter": 2, "spectrum": 0}
    assert len(table) == (0 if form == "empty" else rows.get(subcommand, len(table)))
    said = [line for line in capsys.readouterr().err.splitlines() if "no row" in line]
    assert len(said) <= 1


@pytest.mark.parametrize("subcommand", COLUMNS)
def test_a_table_without_rows_is_written_with_one_warning(subcommand, tmp_path, capsys):
    path = guide_file(tmp_path, "empty")
    for name in (subcommand, f"{subcommand} in a pipe"):
        words = ("-o", tmp_path / "x.ecsv") if name == subcommand else ()
        assert tool("gw", subcommand, path, "--builtin", *words) == 0
        printed, said = capsys.readouterr()
        lines = [line for line in said.splitlines() if "nominal instrument" not in line]
        assert len(lines) == 1 and lines[0].endswith(": no row"), said
    assert printed.split("\n")[0].split("\t") == read_catalog(tmp_path / "x.ecsv").colnames


@pytest.mark.slow
@pytest.mark.parametrize("form", ["rad", "empty"])
def test_spectra_have_tables_too(form, tmp_path, capsys):
    path = guide_file(tmp_path, form, spectroscopic=True)
    for subcommand in COLUMNS:
        table = table_of(tmp_path, subcommand, path, "--builtin", "--gain", 1.8)
        assert len(table.colnames) > 5
    assert "internal" not in capsys.readouterr().err


@pytest.mark.parametrize("form", slowly(("parquet", "ecsv", "fits", "csv"), ("parquet", "fits")))
def test_a_table_opens_elsewhere_with_its_units(form, made, tmp_path, capsys):
    first = table_of(tmp_path, "measure", made, form="ecsv")
    target = tmp_path / f"pairs.{form}"
    assert tool("gw", "measure", made, "-o", target) == 0
    if form == "parquet":  # astropy reads it with pandas
        read = parquet.read_table(target)
        again = Table({name: read[name].to_numpy() for name in read.column_names})
    else:
        again = Table.read(target, format={"ecsv": "ascii.ecsv", "csv": "ascii.csv"}.get(form, form))
    if form != "csv":
        assert [str(one.unit) for one in read_catalog(target).itercols()] == [str(one.unit) for one in first.itercols()]
    assert list(again.colnames) == first.colnames and len(again) == len(first)
    np.testing.assert_allclose(np.asarray(again["x"], float), np.asarray(first["x"]), rtol=1e-12)
    if form in ("ecsv", "fits"):
        assert (str(again["flux"].unit), str(again["width_xx"].unit)) == ("electron / s", "mas2")
        assert str(again["x"].unit) == "pix"
    if form == "parquet":
        fields = parquet.read_schema(target)
        assert fields.field("flux").metadata[b"unit"] == b"electron / s"
        assert str(fields.field("use").type) == "uint16"


def test_files_in_a_directory_are_called_as_the_input(made, tmp_path, capsys):
    for subcommand, name in (("measure", "pairs.parquet"), ("jitter", "jitter.ecsv"), ("spectrum", "spectrum.ecsv"),
                             ("lightcurve", "lightcurve.parquet")):  # fmt: skip
        assert tool("gw", subcommand, made, "--outdir", tmp_path) == 0
        assert (tmp_path / f"{made.stem}_{name}").exists()


def test_two_files_in_one_table_have_their_names(made, tmp_path):
    other = shutil.copy(made, tmp_path / made.name.replace("wfi02", "wfi03"))
    for subcommand in ("measure", "jitter"):
        table = table_of(tmp_path, subcommand, made, other, "--exposure", 2)
        assert table.colnames[0] == "filename"
        assert sorted(set(table["filename"])) == [made.name, other.name]
        assert "filename" not in table_of(tmp_path, subcommand, made).colnames


def test_json_has_the_rows_and_their_causes(made, capsys):
    assert tool("gw", "measure", made, "--json") == 0
    record = json.loads(capsys.readouterr().out)
    assert record["status"] == "done" and record["file"] == str(made)
    assert record["flags"]["RESET_READ"] == 3 * 16 == sum(row["use"] & 2 > 0 for row in record["rows"])


# --- faults ---------------------------------------------------------------------------------------------------------

BITS = {"lost": Use.NO_FIT, "reset": Use.RESET_IMPACTED, "sce": Use.SCE, "min_bind": Use.MIN_BIND,
        "max_bind": Use.MAX_BIND}  # fmt: skip
"""What rt-sim plants, and the flag that says so."""


def test_flags_are_those_of_what_went_wrong_and_of_nothing_else(faulty, tmp_path):
    table, truth = table_of(tmp_path, "measure", faulty), truth_of(faulty)
    use, added = np.asarray(table["use"]), truth["added"]
    assert len(use) == len(added) and set(added) >= {"", "reset", "sce", "min_bind", "max_bind"}
    for word, flag in BITS.items():
        planted = np.array([word in str(one).split("+") or word == one for one in added])
        assert planted.any() or word == "lost", word
        assert ((use[planted] & flag) > 0).all(), word
        if word != "lost":
            assert not (use[~planted] & flag).any(), word
    inside = (added == "") & (np.asarray(table["exposure"]) > 0) & ((use & Use.RESET_READ) == 0)
    assert (use[inside] & int(DROPPED_BY_JITTER) > 0).mean() < 0.02


def test_causes_of_an_exposure_are_counted(faulty, tmp_path):
    pairs, table = table_of(tmp_path, "measure", faulty), table_of(tmp_path, "jitter", faulty)
    for row in table:
        use = np.asarray(pairs["use"])[np.asarray(pairs["exposure"]) == row["exposure"]]
        assert row["pairs"] == len(use)
        assert row["used"] == np.count_nonzero((use & int(DROPPED_BY_JITTER)) == 0)
        for flag in Use:
            assert row[f"dropped_{flag.name.lower()}"] == np.count_nonzero(use & flag), flag
    assert table["gaps"][1] >= 1 and table["gaps"][0] == table["gaps"][2] == 0  # late pairs


def lose(data, exposure):
    """Guiding is lost for forty pairs of the second exposure: the star is elsewhere."""
    mine = np.flatnonzero(exposure == 2)[60:100]
    for name in ("pedestal_resultants", "signal_resultants"):
        array = np.array(data[name])
        array[mine] = np.roll(array[mine], 6, axis=2)
        data[name] = array


def spoil(data, exposure):
    """A reset in the midst of the second exposure."""
    mine = np.flatnonzero(exposure == 2)[70:86]
    signals, read, impacted = (
        np.array(data[name]) for name in ("signal_resultants", "reset_read_flag", "reset_impacted_pairs")
    )
    signals[mine[5]] //= 3
    read[mine], impacted[mine[5]] = 1, 1
    data |= {"signal_resultants": signals, "reset_read_flag": read, "reset_impacted_pairs": impacted}


def bind(data, exposure):
    """A pedestal and a signal of the second exposure are bound."""
    first, second = np.flatnonzero(exposure == 2)[[60, 90]]
    for name, pair, value in (("pedestal_resultants", first, 0), ("signal_resultants", second, 65535)):
        array = np.array(data[name])
        array[pair, 3:9] = value
        data[name] = array
    for name, pair, column in (("min_bind_flag", first, 0), ("max_bind_flag", second, 1)):
        flags = np.array(data[name])
        flags[pair, column] = 1
        data[name] = flags


def all_at_once(data, exposure):
    for fault in (lose, spoil, bind):
        fault(data, exposure)


EACH = [pytest.param(fault, marks=pytest.mark.long) for fault in (lose, spoil, bind)]


@pytest.mark.parametrize("fault", [all_at_once, *EACH])
def test_a_fault_changes_no_number_of_the_exposures_around_it(fault, made, tmp_path):
    made = changed(made, tmp_path, lambda data, exposure: None)  # its times are rounded as those of the other
    (tmp_path / "bad").mkdir()
    bad = changed(made, tmp_path / "bad", fault)
    for subcommand in ("measure", "jitter", "spectrum", "lightcurve"):
        one, two = (table_of(tmp_path, subcommand, path) for path in (made, bad))
        around = [table[np.isin(np.asarray(table["exposure"]), (1, 3))] for table in (one, two)]
        inside = [table[np.asarray(table["exposure"]) == 2] for table in (one, two)]
        assert len(around[0]) and same(*around), subcommand
        assert len(inside[0]) != len(inside[1]) or not same(*inside), subcommand


# --- options --------------------------------------------------------------------------------------------------------


def test_flags_are_kept_and_dropped_as_is_said(made, tmp_path):
    plain = table_of(tmp_path, "jitter", made)
    kept = table_of(tmp_path, "jitter", made, "--keep", "RESET_READ")
    dropped = table_of(tmp_path, "jitter", made, "--drop", "NO_DOWNLINK|MIN_BIND")
    assert list(kept["used"] - plain["used"]) == [15, 15, 15]  # all but that which the reset spoiled
    down = np.isfinite(open_guide(made).stage("track").downlinked().x)
    pairs = table_of(tmp_path, "measure", made)
    ours = (np.asarray(pairs["use"]) & int(DROPPED_BY_JITTER)) == 0
    for number, before, after in zip((1, 2, 3), plain["used"], dropped["used"], strict=True):
        assert before - after == np.count_nonzero(ours & ~down & (np.asarray(pairs["exposure"]) == number))
    assert tool("gw", "jitter", made, "--keep", "FOO") == 2


def test_exposures_are_chosen_by_numbers_and_ranges(made, tmp_path, capsys):
    whole = table_of(tmp_path, "measure", made)
    number = np.asarray(whole["exposure"])
    for words, wanted in ((("2",), (2,)), (("1-2",), (1, 2)), (("1,3",), (1, 3)), (("1", "--exposure", "3"), (1, 3)),
                          (("-2--1",), (-2, -1)), (("-1-1",), (-1, 1))):  # fmt: skip
        table = table_of(tmp_path, "measure", made, "--exposure", *words)
        assert np.array_equal(table["exposure"], number[np.isin(number, wanted)]), words
    table = table_of(tmp_path, "measure", made, "--exposure", "1-3")
    assert same(table, whole[number > 0])
    assert len(table_of(tmp_path, "jitter", made, "--exposure", 9)) == 0
    for words in ("3-1", "a", "1-", "1:2"):
        assert tool("gw", "measure", made, "--exposure", words) == 2
        assert f"--exposure {words}: not a valid number or range" in capsys.readouterr().err


def test_light_goes_with_the_gain_and_places_do_not(made, tmp_path):
    one, two = (table_of(tmp_path, "measure", made, "--gain", gain, "--exposure", 2) for gain in (1.5, 3.0))
    good = (np.asarray(one["use"]) == 0) & (np.asarray(two["use"]) == 0)
    ratio = np.asarray(two["flux"])[good] / np.asarray(one["flux"])[good]
    assert np.median(ratio) == pytest.approx(2, rel=0.002)
    assert np.abs(one["x"] - two["x"])[good].max() < 0.02


@pytest.mark.parametrize(("way", "bias", "scatter"), [("psf", 0.01, 0.02), ("gauss", 0.03, 0.05), ("moment", 0.1, 0.1)])
def test_the_centroid_is_that_of_the_star(way, bias, scatter, made, tmp_path):
    table, truth = table_of(tmp_path, "measure", made, "--centroid", way), truth_of(made)
    good = (np.asarray(table["use"]) & int(DROPPED_BY_JITTER)) == 0
    assert good.sum() > 300
    for axis in "xy":
        off = (np.asarray(table[axis]) - truth[axis])[good]
        assert abs(off.mean()) < bias and off.std() < scatter
    if way != "psf":
        return
    light = (np.asarray(table["flux"]) - truth["flux"])[good] / np.asarray(table["flux_err"])[good]
    assert np.median(np.asarray(table["flux"])[good] / truth["flux"][good]) == pytest.approx(1, abs=0.01)
    assert light.std() == pytest.approx(1, abs=0.2)
    assert table.meta["centroid"] == "psf"


def test_the_reference_output_takes_noise_away_and_linearity_adds_light(made, tmp_path):
    tables = {word: table_of(tmp_path, "measure", made, "--amp33", word) for word in ("none", "frame", "row")}
    tables["raw"] = table_of(tmp_path, "measure", made, "--no-linearity")
    good = np.all([np.asarray(one["use"]) == 0 for one in tables.values()], axis=0)
    light = {word: np.asarray(one["flux"])[good] for word, one in tables.items()}
    assert light["row"].std() < 1.01 * light["none"].std()
    assert not np.array_equal(light["row"], light["none"]) and not np.array_equal(light["frame"], light["none"])
    assert 0.9 < np.median(light["raw"]) / np.median(light["row"]) < 0.9999
    assert tables["raw"].meta["linearity"] in (False, "False")


def test_stages_are_chosen(made, tmp_path, capsys):
    for word, stages in (("acq", ["acq"]), ("all", ["acq", "track"]), ("edge", [])):
        assert sorted(set(table_of(tmp_path, "measure", made, "--stage", word)["stage"])) == stages
    assert tool("gw", "measure", made, "--stage", "foo") == 2


def test_without_references_there_is_no_measurement(tmp_path, capsys):
    path = guide_file(tmp_path)
    for subcommand in COLUMNS:
        assert tool("gw", subcommand, path, "-o", tmp_path / "x.ecsv") == 4
        assert "readnoise" in capsys.readouterr().err
    assert not (tmp_path / "x.ecsv").exists()


def test_a_wcs_says_how_large_pixels_are(made, tmp_path, monkeypatch):
    """Of a file whose pixels are as the nominal distortion has them, the same; of one with others, not."""
    from rtools.pipeline.guide import measure

    plain = table_of(tmp_path, "jitter", made)
    monkeypatch.setattr(measure, "angles_of_wcs", lambda path, place: 110.0 * np.eye(2))
    square = table_of(tmp_path, "jitter", made, "--wcs", "any_wcs.asdf")
    ratio = np.asarray(square["rms_x"]) / np.asarray(plain["rms_x"])
    assert np.allclose(ratio, ratio[0], rtol=2e-3) and 1 < ratio[0] < 1.06
    assert np.allclose(square["x"], plain["x"])


# --- kernels in science files ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def guided(tmp_path_factory):
    """A raw exposure and its guide windows."""
    folder = tmp_path_factory.mktemp("guided")
    raw = folder / f"{ROOT}_wfi01_f158_uncal.asdf"
    reads = ";".join(map(str, range(1, 7)))
    assert tool("sim", raw, "--guide", "--size", 256, "--read-pattern", reads, "--jitter", "20,12,30", "--no-truth",
                "--mag", 13, "-q") == 0  # fmt: skip
    return raw, next(folder.glob("*_gw.asdf"))


def test_a_kernel_is_written_and_the_file_says_where_it_is_from(guided, tmp_path, capsys):
    raw, windows = guided
    assert tool("gw", "jitter", windows, "--apply", raw, "--outdir", tmp_path) == 0
    row = table_of(tmp_path, "jitter", windows)[0]
    with open_product(tmp_path / raw.name) as after:
        star, told = after.meta["guide_star"], after.meta["rtools"]["jitter"]
        assert after.history[-1]["software"] if isinstance(after.history[-1], dict) else True
    for name in ("jitter_major", "jitter_minor", "jitter_position_angle"):
        assert star[name] == pytest.approx(row[name], rel=1e-6)
    assert told["file"] == windows.name and told["source"] == "guide window" and told["kind"] == "slow"
    assert (told["pairs"], told["scale"]) == (row["used"], 110.0)
    assert told["rms_x"] == pytest.approx(row["rms_x"])
    capsys.readouterr()
    assert tool("validate", tmp_path / raw.name) == 0


def test_a_kernel_is_written_in_place_and_with_fast_motion(guided, tmp_path):
    raw, windows = guided
    copy = shutil.copy(raw, tmp_path / raw.name)
    assert tool("gw", "jitter", windows, "--apply", copy, "--in-place", "--high-frequency", "5", "-q") == 0
    with open_product(copy) as after:
        assert after.meta["rtools"]["jitter"]["kind"] == "added"
        major = after.meta["guide_star"]["jitter_major"]
    slow = table_of(tmp_path, "jitter", windows)["jitter_major"][0]
    assert major == pytest.approx(np.hypot(slow, 5), rel=1e-4)
    assert tool("gw", "jitter", windows, "--in-place") == 2


def test_windows_of_another_exposure_are_refused_and_nothing_is_written(guided, made, tmp_path, capsys):
    raw, windows = guided
    out = tmp_path / "out"

    def another(meta):
        meta["observation"]["exposure"] = 7

    from tests.support.runs import rewrite

    later = rewrite(raw, tmp_path / raw.name, lambda meta, _arrays: another(meta))
    for gw, science in ((made, raw), (windows, later)):
        assert tool("gw", "jitter", gw, "--apply", science, "--outdir", out) == 3
        assert "no guide-window file of" in capsys.readouterr().err
    assert not out.exists() or not list(out.iterdir())


@pytest.mark.slow
def test_a_run_takes_the_kernel_of_a_directory(guided, tmp_path):
    raw, windows = guided
    assert tool("run", raw, "--guide", windows.parent, "--outdir", tmp_path, "--skip", "tweakreg", "-q") == 0
    row = table_of(tmp_path, "jitter", windows)[0]
    with open_product(next(tmp_path.glob("*_cal.asdf"))) as image:
        assert image.meta["guide_star"]["jitter_major"] == pytest.approx(row["jitter_major"], rel=1e-6)
        assert image.meta["rtools"]["jitter"]["file"] == windows.name
    assert tool("run", raw, "--guide", tmp_path, "--outdir", tmp_path / "none", "-q") == 3


# --- files of others ------------------------------------------------------------------------------------------------


@pytest.mark.judges
@pytest.mark.parametrize("version", judges.newest_only(judges.OPENS))
def test_files_of_roman_datamodels_give_tables(version, tmp_path, capsys):
    judges.asked(version, "products", tmp_path)
    windows, face = (tmp_path / f"L1{name}GuidewindowModel.asdf" for name in ("Detector", "Face"))
    for subcommand in (*COLUMNS, "info"):
        capsys.readouterr()
        assert tool("gw", subcommand, windows, "--builtin", "--json") == 0
        assert json.loads(capsys.readouterr().out)["rows"] == []
    for subcommand in ("face", "info"):
        assert tool("gw", subcommand, face) == 0
    old = tmp_path / "GuidewindowModel.asdf"
    assert tool("gw", "info", old) == 3
    assert "of an old form" in capsys.readouterr().err


# --- time and pictures ----------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_dates_at_the_barycentre_follow_from_the_ephemeris_of_a_science_file(made, raw, tmp_path):
    table = table_of(tmp_path, "lightcurve", made, "--barycentre", raw, "--builtin")
    with open_guide(made) as guide:
        ra, dec = (np.deg2rad(guide.meta["guide_star"][f"predicted_{axis}"]) for axis in ("ra", "dec"))
    star = np.array([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)])
    ephemeris = meta(raw)["ephemeris"]
    place, speed = (np.array([ephemeris[f"{what}_{axis}"] for axis in "xyz"]) for what in ("spatial", "velocity"))
    seconds = (table["mjd"] - ephemeris["time"]) * 86400
    delay = (place @ star + seconds * (speed @ star)) / 299792.458
    found = (np.asarray(table["bjd_tdb"]) - 2400000.5 - table["mjd"]) * 86400
    assert found == pytest.approx(69.184 + delay, abs=0.005)  # TDB is within 2 ms of TT; days have 40 microseconds


@pytest.mark.parametrize("subcommand", ["measure", "jitter", "spectrum", "lightcurve"])
def test_a_chart_is_drawn_in_the_terminal_and_as_a_picture(subcommand, made, tmp_path, capsys):
    capsys.readouterr()
    assert tool("gw", subcommand, made, "--builtin", "--plot", "-", "-q") == 0
    lines = capsys.readouterr().out.splitlines()
    assert made.name in lines[0] and any(set(line) & set("⠁⠂⠄⡀⢀*") for line in lines)
    picture = tmp_path / "chart.png"
    assert tool("gw", subcommand, made, "--builtin", "--plot", picture, "-q") == 0
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert tool("gw", subcommand, made, "--builtin", "--plot", picture, "-q") == 1  # it exists already
