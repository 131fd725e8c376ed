"""rt-gw against what rt-sim put into guide windows: places, light, motion, width, kernel, lines, faults beside it."""

import json

import numpy as np
import pytest
from astropy.table import Table
from pyarrow import parquet

from tests.support.small_files import tool

pytestmark = pytest.mark.slow

NAME = "r0000101001001001001_0001_1_wfi10_f062_gw.asdf"
READS = ";".join(map(str, range(1, 21)))


@pytest.fixture(scope="module")
def simulate(tmp_path_factory):
    """Guide windows of a bright star alone on the sky, in a folder of their own."""

    def make(*options):
        folder = tmp_path_factory.mktemp("truth")
        asked = ("--mag", 12, "--crowded", 0, "--read-pattern", READS, "-q")
        assert tool("sim", folder / NAME, "--outdir", folder, *asked, *options) == 0
        return folder / NAME

    return make


@pytest.fixture(scope="module")
def made(simulate):
    """Two exposures of twenty reads, the star at different phases of its pixel."""
    return simulate("--exposures", 2, "--dither", "0.37,-0.29")


def truth_of(path):
    """The truth of a file as a table, and of its exposures."""
    table = parquet.read_table(path.with_name(path.name.replace("_gw.asdf", "_truth.parquet")))
    about = json.loads(table.schema.metadata[b"rtools"])
    return Table({name: table[name].to_numpy(zero_copy_only=False) for name in table.column_names}), about["exposures"]


def rows_of(capsys, command, *args):
    """Rows that a subcommand of rt-gw prints, as a table."""
    capsys.readouterr()
    assert tool("gw", command, *args, "--json") == 0
    return Table(json.loads(capsys.readouterr().out)["rows"])


def covariance(row):
    """xx and yy of a kernel, mas²."""
    turn = np.deg2rad(row["jitter_position_angle"])
    sin, cos = np.sin(turn) ** 2, np.cos(turn) ** 2
    major, minor = row["jitter_major"] ** 2, row["jitter_minor"] ** 2
    return np.array([major * sin + minor * cos, major * cos + minor * sin])


def test_places_and_light_reach_their_errors_at_every_phase_of_a_pixel(made, capsys):
    """A PSF with the jitter of a whole exposure would give pulls of 1.2, and a converter that is not straight, too."""
    found, (true, _exposures) = rows_of(capsys, "measure", made), truth_of(made)
    true = true[true["stage"] == "track"]
    used = np.array((found["use"] == 0) & (found["exposure"] > 0))
    assert used.sum() > 600
    for axis in "xy":
        pull = np.array((found[axis] - true[axis]) / found[f"{axis}_err"], float)[used]
        assert abs(pull.mean()) < 0.2
        assert np.sqrt(np.mean(pull**2)) == pytest.approx(1, abs=0.08)
    ratio = np.array(found["flux"] / true["flux"], float)[used]
    assert ratio.mean() == pytest.approx(1, abs=1e-3)
    assert ratio.std() == pytest.approx(np.mean(found["flux_err"][used]) / true["flux"][0], rel=0.08)


@pytest.mark.parametrize("kind", ["slow", "total"])
def test_kernel_is_the_slow_part_of_the_truth_or_all_of_it(made, capsys, kind):
    words = ("--high-frequency", "window") if kind == "total" else ()
    found, (_true, exposures) = rows_of(capsys, "jitter", made, *words), truth_of(made)
    for row, truth in zip(found, exposures, strict=True):
        assert row["kind"] == ("window" if words else "slow")
        error = np.array([row["high_xx_err"], row["high_yy_err"]]) if words else 1.0
        assert np.all(np.abs(covariance(row) - truth[kind][:2]) < 4 * error)


def test_width_is_that_of_the_motion_inside_pairs(made, capsys):
    found, (_true, exposures) = rows_of(capsys, "jitter", made), truth_of(made)
    for row, truth in zip(found, exposures, strict=True):
        expected = np.array(truth["inside"]) - (64, 64, 0)  # the built-in PSF contains 8 mas
        for name, value in zip(("xx", "yy", "xy"), expected, strict=True):
            assert abs(row[f"high_{name}"] - value) < 4 * row[f"high_{name}_err"] + 0.04 * abs(value)


def test_faults_in_an_exposure_change_nothing_in_those_beside_it(simulate, capsys):
    faults = [word for fault in ("lost", "reset", "sce", "bind", "late") for word in ("--fault", fault)]
    right, wrong = (rows_of(capsys, "jitter", simulate("--exposures", 3, *words)) for words in ((), faults))
    dropped = [name for name in right.colnames if name.startswith("dropped_")]
    assert sum(int(wrong[name][1]) for name in dropped) > sum(int(right[name][1]) for name in dropped)
    for index in (0, 2):  # other noise is drawn, where another one of the pairs is missing
        assert right["used"][index] == wrong["used"][index]
        noise = right["noise_x"][index] * np.sqrt(2 / right["used"][index])
        for name in ("rms_x", "rms_y"):
            assert abs(wrong[name][index] - right[name][index]) < 4 * noise, name
        for name in ("x", "y", "flux"):
            assert wrong[name][index] == pytest.approx(right[name][index], rel=1e-3), name
        assert abs(wrong["high_xx"][index] - right["high_xx"][index]) < 6 * right["high_xx_err"][index]


def test_lines_are_found_at_their_frequency_and_by_their_partners(simulate, tmp_path, capsys):
    t = np.arange(-30, 120, 0.004)
    slow = 4 * np.sqrt(2) * np.sin(2 * np.pi * 0.05 * t)
    dx = slow + 2 * np.sqrt(2) * np.sin(2 * np.pi * 1.3 * t + 1)
    dy = slow + 15 * np.sqrt(2) * np.sin(2 * np.pi * 11.3 * t)
    Table({"t": t, "dx": dx, "dy": dy}).write(tmp_path / "motion.csv")
    path = simulate("--motion", tmp_path / "motion.csv")
    lines = rows_of(capsys, "spectrum", path, "--show", "lines")
    mine = lines[(lines["axis"] == "x") & (np.abs(lines["partner"] - 1.3) < 0.01)]
    assert np.array(mine["frequency"]) == pytest.approx([1.3], abs=0.003)
    assert np.array(mine["rms_partner"]) == pytest.approx([2.0], rel=0.1)
    folded = lines[(lines["axis"] == "y") & (np.abs(lines["frequency"] - 1.181) < 0.005)]
    fast = folded[np.abs(folded["partner"] - 11.3) < 0.01]
    assert np.array(fast["rms_partner"]) == pytest.approx([15.0], rel=0.1)
