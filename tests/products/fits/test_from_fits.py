"""rt-fits, FITS to ASDF: what was edited, damaged or lost, and what others may be given by mistake."""

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from rtools.products.schema import layout
from tests.support.fits_files import back, sample, there
from tests.support.runs import arrays, history, listing, meta, tool

# -- edited and damaged files -----------------------------------------------------------------------------------------


def edited(path, change):
    with fits.open(path, mode="update") as hdus:
        change(hdus)
    return path


def test_edited_pixels_come_back_edited(product, tmp_path):
    def change(hdus):
        hdus["SCI"].data[3, 4] = 42.0

    again = back(edited(there(product("cal"), tmp_path), change), tmp_path)
    assert arrays(again, "data")["data"][3, 4] == 42.0


def rewritten(product, tmp_path, **keywords):
    """The FITS file of an image with other keywords in HDU 0, or in SCI where they are there."""

    def change(hdus):
        for key, value in keywords.items():
            header = hdus["SCI"].header if key in hdus["SCI"].header else hdus[0].header
            header[key.replace("_BEG", "-BEG")] = value

    return edited(there(product("cal"), tmp_path), change)


def test_edited_keywords_are_named_and_do_not_count(product, tmp_path, capsys):
    made = rewritten(product, tmp_path, TITLE="another", RA_REF=1.5)
    capsys.readouterr()
    assert tool("fits", made) == 0
    told = capsys.readouterr().err
    assert all(word in told for word in ("TITLE", "RA_REF", "--header-wins"))
    again = made.with_suffix(".asdf")
    assert meta(again)["program"]["title"] == meta(product("cal"))["program"]["title"]


def test_edited_keywords_count_when_they_shall(product, tmp_path, capsys):
    keywords = {
        "TITLE": "another",
        "RA_REF": 1,
        "DATE_BEG": "2027-01-02T03:04:05.678",
        "NINTS": 2,
        "EXP_TYPE": "WFI_IMAGE",
    }
    made = rewritten(product, tmp_path, **keywords)
    capsys.readouterr()
    assert tool("fits", made, "--header-wins", "--check") == 0
    told = capsys.readouterr().err
    assert "edited keywords NINTS\n" in told
    again, known = meta(made.with_suffix(".asdf")), meta(product("cal"))
    assert again["program"] == known["program"] | {"title": "another"}
    assert again["wcsinfo"] == known["wcsinfo"] | {"ra_ref": 1.0}
    assert type(again["wcsinfo"]["ra_ref"]) is float
    assert again["exposure"] == known["exposure"] | {"start_time": "2027-01-02T03:04:05.678"}
    recorded = history(made.with_suffix(".asdf"))[-1]["parameters"]
    assert recorded["meta.program.title"] == "another"


@pytest.mark.parametrize("keywords", [{"EXP_TYPE": "NIRCAM"}, {"EXPOSURE": "many"}, {"DATE_BEG": "yesterday"}])
def test_edited_keywords_that_do_not_fit_are_refused(product, keywords, tmp_path, capsys):
    made = rewritten(product, tmp_path, **keywords)
    capsys.readouterr()
    assert tool("fits", made, "--header-wins") == 3
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert not made.with_suffix(".asdf").exists()


def test_a_deleted_keyword_is_named_and_changes_nothing(product, tmp_path, capsys):
    made = edited(there(product("cal"), tmp_path), lambda hdus: hdus[0].header.remove("TITLE"))
    capsys.readouterr()
    assert tool("fits", made, "--header-wins") == 0
    assert "TITLE" in capsys.readouterr().err
    assert meta(made.with_suffix(".asdf"))["program"] == meta(product("cal"))["program"]


def test_an_edited_wcs_is_named(product, tmp_path, capsys):
    made = rewritten(product, tmp_path, CRVAL1=12.0)
    capsys.readouterr()
    assert tool("fits", made, "--header-wins") == 0
    assert "WCS" in capsys.readouterr().err


def test_what_was_not_edited_is_not_named(tmp_path, capsys):
    def change(known, _data):
        known["program"]["title"] = "'quotes', ümlauts and more of them than fit into one card, " * 3
        known["wcsinfo"] |= {"ra_ref": -1.2345678901234567e-05, "dec_ref": 1 / 3e-9}
        known["exposure"]["frame_time"] = float("nan")

    made = there(sample(tmp_path, "l2_image", change=change), tmp_path)
    edited(made, lambda hdus: hdus[0].header.update(OBSERVER="somebody"))
    capsys.readouterr()
    assert tool("fits", made, "--overwrite") == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("change", [
    lambda hdus: hdus.__setitem__("SCI", fits.ImageHDU(hdus["SCI"].data.astype("f8"), name="SCI")),
    lambda hdus: hdus.__setitem__("SCI", fits.ImageHDU(hdus["SCI"].data[:-1], name="SCI")),
    lambda hdus: hdus.pop("ERR"),
], ids=["type", "shape", "missing"])  # fmt: skip
def test_images_that_do_not_fit_the_tree_are_refused(product, change, tmp_path, capsys):
    made = there(product("cal"), tmp_path)
    with fits.open(made) as hdus:
        change(hdus)
        hdus.writeto(tmp_path / "changed_cal.fits")
    capsys.readouterr()
    assert tool("fits", tmp_path / "changed_cal.fits") == 3
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert not (tmp_path / "changed_cal.asdf").exists()


def cuts(path):
    """Places to cut a file at: within headers, data and what fills up their last blocks."""
    size = path.stat().st_size
    yield from (size - 1, size - 100, size // 1000, size // 2)
    with fits.open(path) as hdus:
        for hdu in (hdus[1], hdus["META"], hdus["ASDF"]):
            where = hdu.fileinfo()
            yield from (where["hdrLoc"] + 80, where["datLoc"] - 1, where["datLoc"], where["datLoc"] + 10)
            yield where["datLoc"] + hdu.size


def test_a_truncated_file_is_refused_wherever_it_ends(product, tmp_path, capsys):
    made = there(product("cal"), tmp_path / "whole")
    part, whole = tmp_path / "part_cal.fits", made.read_bytes()
    for cut in cuts(made):
        for options in ([], ["--lossy"]):
            part.write_bytes(whole[:cut])
            capsys.readouterr()
            assert tool("fits", part, "-q", *options) == 3, cut
            assert len(capsys.readouterr().err.splitlines()) == 1
            assert listing(tmp_path).keys() == {"whole", "part_cal.fits"}


@pytest.mark.parametrize("form", ["parquet", "ascii.ecsv", "votable", "fits"])
def test_catalogs_are_for_another_tool(form, tmp_path, capsys):
    path = tmp_path / "x_cat.dat"
    Table({"label": [1, 2], "flux": [1.0, 2.0]}).write(path, format=form)
    assert tool("fits", path) == 3
    assert "rt-table" in capsys.readouterr().err


@pytest.mark.parametrize("data", [b"", b"SIMPLE  =                    T", b"nothing of the sort", b"PAR1 catalog"])
def test_other_files_are_refused(data, tmp_path, capsys):
    (tmp_path / "x_cal.fits").write_bytes(data)
    assert tool("fits", tmp_path / "x_cal.fits") == 3
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert listing(tmp_path).keys() == {"x_cal.fits"}


def test_a_header_that_astropy_cannot_make_out_is_one_line(product, tmp_path, capsys):
    """It ended in an AttributeError of astropy."""
    made = there(product("cal"), tmp_path, "--compression", "zlib")
    content, card = made.read_bytes(), b"XTENSION= 'BINTABLE'  "
    assert content.count(card) > 1
    made.write_bytes(content.replace(card, b"XTENSION= 'BINTABLE' -", 1))
    capsys.readouterr()
    assert tool("fits", made, "--outdir", tmp_path / "out") == 3
    assert "the header of its extension 1 is damaged" in capsys.readouterr().err


def test_kinds_without_a_fits_form_are_refused(tmp_path, capsys):
    assert tool("fits", sample(tmp_path, "wcs")) == 3
    assert "FITS form" in capsys.readouterr().err
    assert listing(tmp_path).keys() == {"x.asdf"}


# -- without the tree -------------------------------------------------------------------------------------------------


def stripped(path, target, *names):
    """A copy of a FITS file without some extensions."""
    with fits.open(path) as hdus:
        fits.HDUList([hdu for hdu in hdus if hdu.name not in names]).writeto(target)
    return target


def test_a_file_without_the_tree_is_refused_unless_lossy(product, tmp_path, capsys):
    bare = stripped(there(product("cal"), tmp_path), tmp_path / "bare_cal.fits", "ASDF")
    capsys.readouterr()
    assert tool("fits", bare) == 3
    assert "--lossy" in capsys.readouterr().err
    assert tool("fits", bare, "--lossy") == 0
    assert "warning" in capsys.readouterr().err
    again, source = tmp_path / "bare_cal.asdf", product("cal")
    first, second = arrays(source), arrays(again)
    assert first.keys() - second.keys() == {"jump_indices"}
    for name, array in second.items():
        assert array.dtype == first[name].dtype, name
        np.testing.assert_array_equal(array, first[name])
    found, known = meta(again), meta(source)
    for block in ("exposure", "instrument", "observation", "cal_step", "wcsinfo", "photometry"):
        assert found[block] == known[block], block
    assert found["wcs"] is None
    assert "lossy" in found["rtools"]


@pytest.mark.parametrize("suffix", ["uncal", "linearity"])
def test_lossy_ramps_have_their_arrays(product, suffix, tmp_path):
    bare = stripped(there(product(suffix), tmp_path), tmp_path / f"bare_{suffix}.fits", "ASDF")
    assert tool("fits", bare, "--lossy", "-q") == 0
    again = tmp_path / f"bare_{suffix}.asdf"
    for name, array in arrays(product(suffix)).items():
        np.testing.assert_array_equal(arrays(again, name)[name], array)


@pytest.mark.parametrize("suffix", ["uncal", "linearity", "cal"])
def test_keywords_alone_make_a_product(product, suffix, tmp_path, judge):
    bare = stripped(there(product(suffix), tmp_path), tmp_path / f"bare_{suffix}.fits", "ASDF", "META")
    assert tool("fits", bare, "--lossy", "-q") == 0
    again = tmp_path / f"bare_{suffix}.asdf"
    found, known = meta(again), meta(product(suffix))
    for block in ("instrument", "observation"):
        assert found[block] == known[block], block
    for key in ("type", "start_time", "end_time", "read_pattern", "frame_time", "exposure_time"):
        assert found["exposure"][key] == known["exposure"][key], key
    assert found["program"]["title"] == known["program"]["title"]
    assert "nobody knows visit.start_time" in found["rtools"]["lossy"]
    assert found["visit"]["start_time"] == known["exposure"]["start_time"]
    assert arrays(again, "data")["data"].tobytes() == arrays(product(suffix), "data")["data"].tobytes()
    assert all(verdict["ok"] for verdict in judge("1.2.0", [again]).values())


@pytest.mark.parametrize("kind", ["reference/dark", "reference/gain"])
def test_keywords_alone_make_a_reference(kind, tmp_path):
    made = there(sample(tmp_path, kind), tmp_path)
    assert tool("fits", stripped(made, tmp_path / "bare.fits", "ASDF", "META"), "--lossy", "-q") == 0
    assert meta(tmp_path / "bare.asdf")["reftype"] == meta(tmp_path / "x.asdf")["reftype"]


def test_lossy_takes_the_flags_of_the_mission(product, tmp_path):
    made = there(product("cal"), tmp_path, "--dq", "jwst")
    assert tool("fits", stripped(made, tmp_path / "bare_cal.fits", "ASDF"), "--lossy", "-q") == 0
    again = arrays(tmp_path / "bare_cal.asdf")
    assert again["dq"].tobytes() == arrays(product("cal"), "dq")["dq"].tobytes()
    assert "dq_roman" not in again


def test_a_mosaic_cannot_do_without_its_wcs(tmp_path, capsys):
    source = sample(tmp_path, "l3_coadd", change=lambda known, _: known.update(model_type=layout.model("l3_coadd")))
    bare = stripped(there(source, tmp_path), tmp_path / "bare.fits", "ASDF")
    assert tool("fits", bare, "--lossy", "-q") == 3
    assert "WCS" in capsys.readouterr().err


def test_lossy_of_something_else_is_refused(tmp_path, capsys):
    fits.PrimaryHDU(np.ones((3, 3))).writeto(tmp_path / "x.fits")
    assert tool("fits", tmp_path / "x.fits", "--lossy", "-q") == 3
    assert "DATAMODL" in capsys.readouterr().err
