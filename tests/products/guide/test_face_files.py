"""FACE files: rotations, words, times, which attitudes are good."""

import numpy as np
import pytest

from rtools.errors import InputError
from rtools.products.guide import open_face
from tests.support.guide_files import FACE_NAME, GUIDE_NAME, VISIT, face_file


@pytest.mark.parametrize("form", ["rad", "old", "seed"])
def test_every_form_says_the_same(tmp_path, form):
    with open_face(face_file(tmp_path, form)) as face:
        assert (face.element, face.window_id, face.t_start_mjd) == ("F158", VISIT + "1", 61557.5)
        assert face.remarks == ()
        assert len(face.t) == 144
        assert (np.diff(face.t) > 0).all()
        assert set(face.phase) == {"WIM_ACQ_VW", "WIM_ACQ_NA", "WIM_TRK"}
        assert set(face.quality) == {"AQ_DOF_3"}
        assert face.good.all()
        assert set(face.num_stars_used) == {18}
        assert face.delta.dtype == np.float64
        assert face.detector_files["WFI06"] == GUIDE_NAME
        assert face.detector_files["WFI01"] is None


def test_bad_words_nan_and_negative_variances_are_not_good(tmp_path):
    def change(tree):
        data = tree["face_data"]
        data["attitude_estimate_quality"][:3] = ["AQ_TOO_FEW_STARS", "AQ_DOF_1", "what"]
        data["zeta"][3] = np.nan
        data["delta_var"][4] = -1

    good = open_face(face_file(tmp_path, change=change)).good
    assert np.flatnonzero(~good).tolist() == [0, 2, 3, 4]


def test_missing_arrays_are_told(tmp_path):
    face = open_face(face_file(tmp_path, change=lambda tree: tree["face_data"].pop("zeta_var")))
    assert np.isnan(face.zeta_var).all()
    assert not face.good.any()
    assert face.remarks == ("face_data.zeta_var: missing",)


def test_lengths_that_do_not_agree_are_refused(tmp_path):
    path = face_file(tmp_path, change=lambda tree: tree["face_data"].update(epsilon=np.zeros(3, "f4")))
    with pytest.raises(InputError, match=r"face_data.epsilon: 3 entries, not 144 as face_data.delta"):
        open_face(path)


def test_a_file_without_tag_is_known_by_its_name(tmp_path):
    assert open_face(face_file(tmp_path / FACE_NAME, tag=None)).remarks == ("no tag: read as _face",)
