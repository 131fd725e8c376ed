"""rt-outlier: what is flagged and what is not."""

import numpy as np
import pytest

from tests.support.dithers import SIZE, exposure, exposures, place, planes, rays
from tests.support.runs import done, meta, tool

pytestmark = pytest.mark.slow

OUTLIER = 1 << 7
SUFFIX = "outlier_detection_step"


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    return exposures(tmp_path_factory.mktemp("images"))


@pytest.fixture(scope="module")
def flagged(images, tmp_path_factory):
    """The four images with their outliers flagged."""
    directory = tmp_path_factory.mktemp("flagged")
    done("skymatch", *images, "--outdir", directory)
    done("outlier", *sorted(directory.iterdir()), "--outdir", directory / "out", "-j", 2)
    return sorted((directory / "out").iterdir())


def deep(path):
    """Pixels of an exposure well inside, where others see the same sky."""
    dq = planes(path, "dq")["dq"]
    inside = np.zeros(dq.shape, bool)
    inside[60:-60, 60:-60] = True
    return inside & ((dq & ~np.uint32(OUTLIER | 1)) == 0)


def test_cosmic_rays_are_flagged_and_little_else(images, flagged):
    hits, found, wrong, looked = 0, 0, 0, 0
    for number, path in enumerate(flagged):
        assert path.name == images[number].name.replace("_cal", f"_{SUFFIX}")
        inside, outliers = deep(path), (planes(path, "dq")["dq"] & OUTLIER) > 0
        hit = np.zeros(inside.shape, bool)
        hit[tuple(rays(number))] = True
        hit &= inside & (planes(images[number], "dq")["dq"] == 0)
        near = sum(np.roll(hit, (dy, dx), (0, 1)) for dy in (-1, 0, 1) for dx in (-1, 0, 1)) > 0
        clean = inside & ~near & (planes(images[number], "dq")["dq"] != 1)
        hits, found = hits + hit.sum(), found + (hit & outliers).sum()
        wrong, looked = wrong + (outliers & clean).sum(), looked + clean.sum()
    assert hits > 20 and found >= 0.95 * hits
    assert wrong < 2e-3 * looked


def test_flags_are_added_and_the_rest_stays(images, flagged, judge):
    before, after = planes(images[1]), planes(flagged[1])
    assert np.all((after["dq"] & before["dq"]) == before["dq"])
    new = after["dq"] != before["dq"]
    assert np.all((after["dq"][new] & 129) == 129)
    about = meta(flagged[1])
    assert about["cal_step"]["outlier_detection"] == "COMPLETE" and about["cal_step"]["flux"] == "COMPLETE"
    np.testing.assert_array_equal(after["chisq"], before["chisq"])
    np.testing.assert_allclose(after["data"], 0.5 * before["data"], rtol=1e-6)
    for version in ("1.1.0", "1.2.0"):
        assert judge(version, flagged[:1])[str(flagged[0])]["ok"]


def test_pixel_by_pixel(tmp_path):
    """Three exposures of one pointing."""
    files = [exposure(tmp_path / f"{name}_cal.asdf", 0, change={"observation.observation_id": name}) for name in "abc"]
    files.append(exposure(tmp_path / "d_cal.asdf", 0, hit=False))
    done("outlier", *files, "--no-resample-data", "--outdir", tmp_path / "out")
    counts = [np.count_nonzero(planes(path, "dq")["dq"] & OUTLIER) for path in sorted((tmp_path / "out").iterdir())]
    assert counts[:3] == [0, 0, 0] and counts[3] > 20


def test_one_image_is_left_as_it_is(images, tmp_path, capsys):
    assert tool("outlier", images[0], "--outdir", tmp_path) == 0
    assert "one exposure only" in capsys.readouterr().err
    (path,) = tmp_path.iterdir()
    assert meta(path)["cal_step"]["outlier_detection"] == "SKIPPED"
    np.testing.assert_array_equal(planes(path, "dq")["dq"], planes(images[0], "dq")["dq"])


def test_nothing_outside_the_grid_is_tested(images, tmp_path):
    center = place(0)[0](SIZE / 2, SIZE / 2)
    done("outlier", *images, "--outdir", tmp_path, "--center", "{:.6f},{:.6f}".format(*center), "--size", "80,80")
    found = 0
    for number, path in enumerate(sorted(tmp_path.iterdir())):
        x, y = place(number)[0].invert(*center, with_bounding_box=False)
        rows, columns = np.nonzero(planes(path, "dq")["dq"] & OUTLIER)
        found += len(rows)
        assert np.all(np.hypot(columns - x, rows - y) < 40 * np.sqrt(2) + 2)
    assert found


def test_done_is_refused(flagged, tmp_path, capsys):
    assert tool("outlier", *flagged, "--outdir", tmp_path) == 3
    assert "--again" in capsys.readouterr().err
    done("outlier", *flagged, "--outdir", tmp_path, "--again")
    assert len(list(tmp_path.iterdir())) == 4
