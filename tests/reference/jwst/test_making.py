"""Nominal references of JWST as files: names, headers, contents."""

import asdf
import numpy as np
import pytest
from astropy.io import fits

from rtools.errors import UsageError
from rtools.jwst.distortion import pixel_to_v2v3
from rtools.jwst.readout import subarray, window
from rtools.reference.jwst import make
from rtools.reference.jwst.nominal import available_types, nominal_reference

PART = window("nis", 1, 1, 40, 24)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Path of a file of each type for NIS, of a small part of it."""
    directory = tmp_path_factory.mktemp("references")
    planned = make.files(["nis"], ["F480M"], parts={"nis": PART})
    return {one.type: make.write(directory / one.name, one.reference()) for one in planned}


def test_there_is_a_file_for_each_type(made):
    assert tuple(made) == available_types("nis")
    assert made["flat"].name == "jwst_niriss_flat_builtin_nis_f480m_1-1-40-24.fits"
    assert made["distortion"].name == "jwst_niriss_distortion_builtin_nis.asdf"
    assert made["photom"].name == "jwst_niriss_photom_builtin_nis.fits"
    [one] = make.files(["nrca1"], types=["gain"])
    assert one.name == "jwst_nircam_gain_builtin_nrca1.fits"
    [one] = make.files(["nrca1"], types=["dark"], parts={"nrca1": subarray("nrca1", "SUB64P")})
    assert one.name == "jwst_nircam_dark_builtin_nrca1_sub64p.fits"


def test_files_hold_what_the_reference_does(made):
    for reftype, path in made.items():
        if path.suffix != ".fits":
            continue
        reference = nominal_reference(reftype, "nis", "F480M", part=PART)
        with fits.open(path) as hdus:
            hdus.verify("exception")
            names = [*reference.arrays, *reference.tables]
            assert [hdu.name for hdu in hdus[1:]] == names
            for name, array in reference.arrays.items():
                assert hdus[name].data.dtype.newbyteorder("=") == array.dtype
                assert np.array_equal(hdus[name].data, array)
            for name, rows in reference.tables.items():
                assert hdus[name].columns.names == list(rows.dtype.names)
                for column in rows.dtype.names:
                    stored = hdus[name].data[column]
                    words = rows[column].astype(str) if rows[column].dtype.kind == "S" else rows[column]
                    assert np.array_equal(stored, words)


def test_the_header_says_for_what_a_file_is(made):
    header = fits.getheader(made["flat"])
    assert (header["TELESCOP"], header["REFTYPE"], header["DATAMODL"]) == ("JWST", "FLAT", "FlatModel")
    assert (header["INSTRUME"], header["DETECTOR"], header["FILTER"]) == ("NIRISS", "NIS", "F480M")
    assert [header[key] for key in ("SUBSTRT1", "SUBSTRT2", "SUBSIZE1", "SUBSIZE2")] == [1, 1, 40, 24]
    assert (header["SUBARRAY"], header["FASTAXIS"], header["SLOWAXIS"]) == ("GENERIC", -2, -1)
    assert header["FILENAME"] == made["flat"].name
    assert "FILTER" not in fits.getheader(made["gain"])
    assert fits.getheader(made["dark"])["NGROUPS"] == fits.getdata(made["dark"]).shape[0]
    assert fits.getheader(made["nrm"])["F2F"] == 0.8


def test_the_same_reference_gives_the_same_bytes(made, tmp_path):
    for reftype, path in made.items():
        again = make.write(tmp_path / path.name, nominal_reference(reftype, "nis", "F480M", part=PART))
        assert again.read_bytes() == path.read_bytes()


def test_the_distortion_is_a_model(made):
    with asdf.open(made["distortion"]) as file:
        assert file["meta"]["reftype"] == "distortion"
        assert file["meta"]["instrument"]["detector"] == "NIS"
        assert file["model"](100.0, 200.0) == pytest.approx(pixel_to_v2v3("nis", 100.0, 200.0))
        assert file["model"].inverse(*file["model"](100.0, 200.0)) == pytest.approx((100, 200), abs=1e-3)


def test_trees_of_tables_can_be_read(made):
    with asdf.open(made["abvegaoffset"]) as file:
        assert "F480M" in file["abvega_offset"]["filter"]
    with asdf.open(made["filteroffset"]) as file:
        assert {"filter": "F480M", "pupil": "NRM", "row_offset": 0.0, "column_offset": 0.0} in file["filters"]


def test_what_cannot_be_made_is_refused():
    with pytest.raises(UsageError, match="none of these detectors has filter F444W"):
        make.files(["nrca1", "nrcb1"], ["F444W"])
    with pytest.raises(UsageError, match="has no superbias"):
        make.files(["mirimage"], types=["superbias"])
    with pytest.raises(UsageError, match="no reference type of JWST"):
        make.files(["nrca1"], types=["epsf"])
    assert make.files(["nrca1"], types=["flat"]) == []
    both = make.files(["nrca1", "nrcalong"], ["F200W", "F444W"], types=["flat"])
    assert [(one.detector, one.filter) for one in both] == [("NRCA1", "F200W"), ("NRCALONG", "F444W")]
