"""rt-fits: guide windows and FACE as cubes and tables, and back."""

import warnings

import asdf
import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from rtools.products.guide import open_face, open_guide
from rtools.products.schema import nodes
from tests.support.fits_files import back, lossless, there
from tests.support.guide_files import MAPPING, face_file, face_tree, guide_file, guide_tree, text
from tests.support.runs import meta, tool

pytestmark = pytest.mark.slow

FORMS = ("rad", "old", "seed", "dark", "empty")


@pytest.mark.parametrize("form", FORMS)
def test_guide_windows_come_back_as_they_were(form, tmp_path):
    lossless(guide_file(tmp_path, form), tmp_path, "--check")


@pytest.mark.parametrize("form", ["rad", "old", "seed"])
def test_face_comes_back_as_it_was(form, tmp_path):
    lossless(face_file(tmp_path, form), tmp_path, "--check")


def test_pixels_are_cubes_of_pairs(tmp_path):
    made = there(guide_file(tmp_path, spectroscopic=True), tmp_path)
    tree = guide_tree(spectroscopic=True)
    with fits.open(made) as hdus:
        assert [hdu.name for hdu in hdus] == [
            "PRIMARY", "ACQPED", "ACQSIG", "EDGPED", "EDGSIG", "TRKPED", "TRKSIG", "A33ACQPED", "A33ACQSIG",
            "A33EDGPED", "A33EDGSIG", "A33TRKPED", "A33TRKSIG", "ACQ", "EDGE", "TRACK", "META", "ASDF",
        ]  # fmt: skip
        np.testing.assert_array_equal(hdus["EDGSIG"].data, tree["edge_acq_data"]["signal_resultants"])
        np.testing.assert_array_equal(hdus["A33TRKPED"].data, tree["amp33"]["amp33_track_pedestals"])
        assert hdus["TRKPED"].data.dtype == np.uint16
        assert hdus["TRKPED"].header["BUNIT"] == "DN"


def test_a_stage_is_a_table_with_times_as_dates(tmp_path):
    path = guide_file(tmp_path)
    made = there(path, tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table, acquired = Table.read(made, hdu="TRACK"), Table.read(made, hdu="ACQ")
    with open_guide(path) as guide:
        track = guide.stage("track")
        np.testing.assert_array_equal(table["mjd"], track.mjd)
        for name in ("pedestal", "signal"):
            expected = guide.t_start_mjd + getattr(track, f"{name}_t") / 86400
            np.testing.assert_allclose(table[f"{name}_mjd"], expected, rtol=0, atol=1e-10)
        np.testing.assert_allclose(table["mjd_down"], guide.t_start_mjd + track.centroid_t / 86400, rtol=0, atol=1e-10)
        np.testing.assert_array_equal(acquired["xy_all"], guide.stage("acq").centroids)
    assert table["exposure"].tolist() == MAPPING.tolist()
    assert [table[name].unit for name in ("mjd", "x_down", "pixel_offset")] == ["d", "pix", "adu"]
    assert fits.getheader(made, "TRACK")["TCOMM3"] == "centre of the pair (UTC)"
    assert "xy_all" not in table.colnames


def test_face_is_one_table(tmp_path):
    path = face_file(tmp_path)
    with fits.open(there(path, tmp_path)) as hdus:
        assert [hdu.name for hdu in hdus] == ["PRIMARY", "FACE", "META", "ASDF"]
        assert (hdus[0].header["FILTER"], hdus["FACE"].columns["delta"].unit) == ("F158", "rad")
        with open_face(path) as face:
            np.testing.assert_array_equal(hdus["FACE"].data["mjd"], face.mjd)
        np.testing.assert_array_equal(hdus["FACE"].data["zeta"].astype("f4"), face_tree()["face_data"]["zeta"])


def test_keywords_say_star_window_and_times_and_can_win(tmp_path):
    made = there(guide_file(tmp_path), tmp_path)
    primary = fits.getheader(made)
    assert (primary["DETECTOR"], primary["GSC_ID"], primary["DATE-BEG"]) == ("WFI06", "N5R2005564", text(0))
    with fits.open(made, mode="update") as hdus:
        hdus[0].header["GSC_ID"], hdus[0].header["FILTER"] = "S1HP060211", "F129"
        hdus[0].header["DATE-END"] = "2027-06-01T13:00:00.000"
    known = meta(back(made, tmp_path / "asdf", "--header-wins"))
    assert known["guide_star"]["gsc_id"] == "S1HP060211"
    assert known["instrument"]["optical_element"] == "F129"
    assert str(known["t_stop"]) == "2027-06-01T13:00:00.000"
    assert "optical_element" not in known


def test_times_of_any_form_are_the_same_nodes_again(tmp_path):
    long = {"value": 61557.5, "format": "mjd", "scale": "utc"}

    def odd(tree):
        times = tree["track_data"]["pedestal_times"]
        times[3] = None
        times[4] = asdf.tagged.TaggedString(text(17.5)[:-2])
        times[4]._tag = nodes.TIME_TAG
        times[5] = asdf.tagged.TaggedDict(long, nodes.TIME_TAG)

    lossless(guide_file(tmp_path, change=odd), tmp_path, "--check")


def test_without_the_tree_there_is_no_way_back(tmp_path, capsys):
    made = there(face_file(tmp_path), tmp_path)
    with fits.open(made) as hdus:
        fits.HDUList([hdu for hdu in hdus if hdu.name != "ASDF"]).writeto(tmp_path / "bare_face.fits")
    assert tool("fits", tmp_path / "bare_face.fits", "--lossy") == 3
    assert "times" in capsys.readouterr().err


def test_guide_windows_of_before_2025_have_no_fits_form(tmp_path, capsys):
    def five(tree):
        for name in ("acq_data", "track_data", "centroid", "amp33"):
            del tree[name]
        tree["pedestal_frames"] = np.zeros((2, 2, 2, 4, 4), "u2")

    path = guide_file(tmp_path, change=five, tag="asdf://stsci.edu/datamodels/roman/tags/guidewindow-1.2.0")
    assert tool("fits", path) == 3
    assert "old form" in capsys.readouterr().err
