"""rt-view: the mean difference of guide windows, the rotations of FACE."""

import numpy as np
import pytest

from rtools.products.io import open_product
from rtools.show.guide_view import has_windows, load_difference, load_rotations
from tests.support.guide_files import face_file, face_tree, guide_file, guide_tree
from tests.support.runs import tool


def differences(tree, section="track_data"):
    """Signal less pedestal of all pairs."""
    return tree[section]["signal_resultants"].astype(int) - tree[section]["pedestal_resultants"]


@pytest.mark.parametrize("form", ["rad", "old", "seed", "dark"])
def test_mean_difference_is_that_of_the_pairs_that_are_not_spoiled(form, tmp_path):
    with open_product(guide_file(tmp_path, form)) as product:
        image = load_difference(product)
    tree = guide_tree(form)
    good = ~tree["track_data"]["reset_impacted_pairs"]
    np.testing.assert_allclose(image.data, differences(tree)[good].mean(axis=0), rtol=1e-6)
    assert (image.unit, image.name) == ("DN", "track, signal - pedestal, mean of 110 of 112 pairs")


def test_pairs_with_a_flag_do_not_count_and_a_negative_difference_stays_negative(tmp_path):
    def flagged(tree):
        data = tree["track_data"]
        data["signal_resultants"][:] = 990
        data["pedestal_resultants"][:] = 1000
        for pair, name in enumerate(("sce_status_flag", "gw_resultant_err_flag", "min_bind_flag", "max_bind_flag")):
            data[name] = data[name].copy()
            data[name][pair, pair % 2] = 1
            data["signal_resultants"][pair] = 65535

    with open_product(guide_file(tmp_path, change=flagged)) as product:
        image = load_difference(product)
    assert (image.data == -10).all()
    assert "mean of 106 of 112" in image.name


def test_windows_are_read_in_portions(tmp_path, monkeypatch):
    monkeypatch.setattr("rtools.show.guide_view.WINDOW", 7 * 2 * 256)
    with open_product(guide_file(tmp_path)) as product:
        image = load_difference(product)
    tree = guide_tree()
    good = ~tree["track_data"]["reset_impacted_pairs"]
    np.testing.assert_allclose(image.data, differences(tree)[good].mean(axis=0), rtol=1e-6)


def test_one_pair_and_a_section_of_it(tmp_path):
    with open_product(guide_file(tmp_path)) as product:
        image = load_difference(product, pair=-2, section="4:10,3:12")
    np.testing.assert_array_equal(image.data, differences(guide_tree())[110, 3:12, 4:10])
    assert (image.x, image.y, image.frame, image.region) == (4, 3, (16, 16), "x 4:10, y 3:12")


def test_acquisition_is_shown_where_there_is_no_tracking(tmp_path, capsys):
    path = guide_file(tmp_path, change=lambda tree: tree.update(track_data={}))
    assert tool("view", path, "--width", 20) == 0
    assert "acq, signal - pedestal, mean of 32 of 32" in capsys.readouterr().out


def test_arrays_are_shown_as_they_are_when_they_are_named(tmp_path, capsys):
    path = guide_file(tmp_path)
    assert tool("view", path, "--array", "track_data.signal_resultants", "--resultant", 3, "--width", 40) == 0
    assert "track_data.signal_resultants, plane 3 of 112" in capsys.readouterr().out


def test_rotations_are_in_mas_and_arcsec(tmp_path):
    def spoiled(tree):
        tree["face_data"]["attitude_estimate_quality"][:5] = "AQ_TOO_FEW_STARS"

    with open_product(face_file(tmp_path, change=spoiled)) as product:
        chart = load_rotations(product)
    data = face_tree()["face_data"]
    assert [panel.label for panel in chart.panels] == ["delta [mas]", "epsilon [mas]", "zeta [arcsec]"]
    for panel, name, scale in zip(
        chart.panels, ("delta", "epsilon", "zeta"), (2.06265e8, 2.06265e8, 2.06265e5), strict=True
    ):
        np.testing.assert_allclose(panel.series[0].y, data[name][5:] * scale, rtol=1e-5)
        assert panel.series[1].label == "not used"


def test_rotations_are_shown_where_none_can_be_used(tmp_path):
    def spoiled(tree):
        tree["face_data"]["attitude_estimate_quality"][:] = "AQ_DEFAULT_BAD"

    with open_product(face_file(tmp_path, change=spoiled)) as product:
        assert len(load_rotations(product).panels[0].series[0].y) == len(face_tree()["face_data"]["delta"])


@pytest.mark.parametrize("make", [guide_file, face_file])
def test_pictures_and_text_are_made(make, tmp_path, capsys):
    path = make(tmp_path)
    assert tool("view", path, "-o", tmp_path / "x.png") == 0
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")
    assert tool("view", path, "--width", 60, "--title", "the star") == 0
    made, title, *lines = capsys.readouterr().out.splitlines()
    assert made.endswith("x.png")
    assert title.startswith("the star")
    assert max(map(len, lines)) <= 60


@pytest.mark.parametrize(
    ("make", "words", "status", "said"),
    [
        (face_file, ("--section", "0:1,0:1"), 2, "--section does not go with a _face file"),
        (face_file, ("--dq", "HOT"), 2, "--dq does not go with a _face file"),
        (face_file, ("--hist",), 2, "--hist does not go with a _face file"),
        (face_file, ("--array", "face_data.delta"), 3, "is not an image"),
        (guide_file, ("--section", "0:4,0:4", "--frame", "l2"), 2, "--frame does not go with a _gw file"),
        (guide_file, ("--resultant", "112"), 3, "track has 112 pairs"),
        (guide_file, ("--section", "20:30,0:4"), 3, "outside"),
    ],
)
def test_what_cannot_be_shown_is_refused(make, words, status, said, tmp_path, capsys):
    assert tool("view", make(tmp_path), *words) == status
    assert said in capsys.readouterr().err


def test_all_pairs_are_shown_where_all_are_spoiled(tmp_path):
    path = guide_file(tmp_path, change=lambda tree: tree["track_data"].update(max_bind_flag=1))
    with open_product(path) as product:
        image = load_difference(product)
    assert image.name.endswith("mean of 112 pairs, all of them spoiled")
    np.testing.assert_allclose(image.data, differences(guide_tree()).mean(axis=0), rtol=1e-6)


def test_empty_sections_have_no_windows(tmp_path):
    with open_product(guide_file(tmp_path, "empty")) as product:
        assert not has_windows(product)
