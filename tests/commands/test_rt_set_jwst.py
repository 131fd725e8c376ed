"""rt-set on products of JWST: keyword, tree and hash together, types, history, what is refused; stdatamodels agrees."""

import os

import numpy as np
import pytest
from astropy.io import fits
from astropy.modeling.models import Identity, Shift
from gwcs import WCS

from rtools.products.jwst import model_state, open_jwst
from tests.support import jwst_files
from tests.support.judges import asked_of_jwst
from tests.support.runs import listing, piped, records, tool

TREE = {"meta": {"wcs": WCS([("detector", Shift(3) & Identity(1)), ("world", None)]), "only_here": {"deep": 2.5}}}
META = jwst_files.METADATA | {"target": jwst_files.METADATA["target"] | {"catalog_name": "NGC-1365"}}


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    """A calibrated exposure with world coordinates, as rtools writes it."""
    return jwst_files.written(tmp_path_factory.mktemp("jwst"), "cal", META, tree=TREE)


def pixels(path):
    """Bytes of the data of all HDUs but the tree, by name."""
    with fits.open(path) as hdus:
        content = path.read_bytes()
        places = {(hdu.name, hdu.ver): hdu.fileinfo() for hdu in hdus if hdu.name != "ASDF"}
    return {name: content[one["datLoc"] : one["datLoc"] + one["datSpan"]] for name, one in places.items()}


def refused(capsys, *args, status=2):
    assert tool("set", *args) == status
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1
    return captured.err


def test_keyword_and_tree_change_together_and_nothing_else_does(image, tmp_path, capsys):
    target = tmp_path / "y_cal.fits"
    assert tool("set", image, "TARGNAME=M-31", "exposure.frame_time=2", "visit.tsovisit=true", "-o", target) == 0
    assert capsys.readouterr().out == f"{target}\n"
    product, before = open_jwst(target), open_jwst(image)
    header = fits.getheader(target)
    assert (header["TARGNAME"], header["TFRAME"], header["TSOVISIT"]) == ("M-31", 2.0, True)
    assert header["FILENAME"] == "y_cal.fits"
    assert header["DATE"] > fits.getheader(image)["DATE"]
    tree = product.tree["meta"]
    assert (tree["target"]["catalog_name"], tree["exposure"]["frame_time"], tree["visit"]["tsovisit"]) == (
        "M-31", 2.0, True)  # fmt: skip
    assert (tree["filename"], tree["only_here"]["deep"]) == ("y_cal.fits", 2.5)
    assert model_state(product).state == "trusted"
    assert pixels(target) == pixels(image)
    assert product.node("meta.wcs")(3.0, 4.0) == before.node("meta.wcs")(3.0, 4.0)
    mine = ("TARGNAME", "TFRAME", "TSOVISIT", "FILENAME", "DATE", "HISTORY")
    for old, new in zip(before.hdus[:-1], product.hdus[:-1], strict=True):
        cards = [[card.image for card in hdu.header.cards if card.keyword not in mine] for hdu in (old, new)]
        assert cards[0] == cards[1]


def test_each_change_is_a_card_of_the_history(image, tmp_path):
    target = tmp_path / "y_cal.fits"
    assert tool("set", image, "TARGNAME=M-31", "meta.only_here.deep=3.5", "-o", target) == 0
    told = ["rt-set: TARGNAME was 'NGC-1365', is 'M-31'", "rt-set: meta.only_here.deep was 2.5, is 3.5"]
    assert list(fits.getheader(target)["HISTORY"])[-2:] == told
    entries = open_jwst(target).history[-2:]
    assert [one["description"] for one in entries] == told
    assert entries[0]["tool"] == "rt-set"
    assert entries[0]["parameters"] == {"meta.target.catalog_name": "M-31"}


@pytest.mark.judges
def test_stdatamodels_finds_the_new_values_and_the_old_rest(tmp_path):
    made, changed = [], []
    for suffix in ("uncal", "cal", "i2d", "s3d", "x1d", "amimulti-oi"):
        path = jwst_files.written(tmp_path, suffix, META, tree=TREE if suffix == "cal" else None)
        target = tmp_path / "changed" / path.name
        target.parent.mkdir(exist_ok=True)
        words = ("TARGNAME=M-31", "exposure.frame_time=2.5", "OBS_ID=V0123")
        assert tool("set", path, *words, "--outdir", target.parent, "-q") == 0
        made.append(path)
        changed.append(target)
    said = asked_of_jwst("files", *made, *changed)
    for path, target in zip(made, changed, strict=True):
        before, after = said[str(path)], said[str(target)]
        assert after["ok"], (path.name, after)
        assert after["trusted"]
        assert [one for one in after["warnings"] if one not in before["warnings"]] == []
        assert (after["model"], after["arrays"], after["wcs"]) == (before["model"], before["arrays"], before["wcs"])
        new = {"meta.target.catalog_name": "M-31", "meta.exposure.frame_time": 2.5, "meta.observation.obs_id": "V0123"}
        values = after["values"]
        assert {key: values[key] for key in new} == new
        others = [{key: value for key, value in one["values"].items()
                   if key not in new and key != "meta.date" and "history" not in key and key != "_fits_hash"}
                  for one in (before, after)]  # fmt: skip
        assert others[0] == others[1]


def test_one_hdu_gets_a_keyword_of_its_own(tmp_path):
    path = jwst_files.made(tmp_path, "cal", sets=2)
    target = tmp_path / "y_cal.fits"
    assert tool("set", "--hdu", "SCI,2", path, "SLTNAME=S200A2", "MYOWN=1", "--new", "-o", target) == 0
    with fits.open(target) as hdus:
        assert ("SLTNAME" in hdus["SCI", 1].header, hdus["SCI", 2].header["SLTNAME"]) == (False, "S200A2")
        assert hdus["SCI", 2].header["MYOWN"] == 1


def test_null_takes_a_keyword_away(image, tmp_path):
    target = tmp_path / "y_cal.fits"
    assert tool("set", image, "TARGNAME=null", "-o", target) == 0
    assert "TARGNAME" not in fits.getheader(target)
    assert "catalog_name" not in open_jwst(target).tree["meta"].get("target", {})


def test_new_keys_when_asked_for(image, tmp_path):
    target = tmp_path / "y_cal.fits"
    assert tool("set", image, "MYKEY=0.5", "mine.seeing=1e-1", "--new", "-o", target) == 0
    assert fits.getheader(target)["MYKEY"] == 0.5
    assert open_jwst(target).tree["meta"]["mine"] == {"seeing": 0.1}
    assert tool("set", image, "OBSLABEL=first", "-o", target, "--overwrite") == 0  # the data model's own
    assert fits.getheader(target)["OBSLABEL"] == "first"


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("NAXIS1=3", "says how the data are stored"),
        ("naxis1=3", "says how the data are stored"),
        ("EXTNAME=X", "says how the data are stored"),
        ("EXPTYPE=A", "did you mean EXP_TYPE? --new adds it"),
        ("exposure.tpye=A", "did you mean exposure.type? --new adds it"),
        ("exposure.nints=2.5", "exposure.nints is of the type integer, not 2.5"),
        ("NINTS=abc", "exposure.nints is of the type integer, not 'abc'"),
        ("TSOVISIT=1", "visit.tsovisit is of the type boolean, not 1"),
        ("TARGNAME=5", "is of the type string, not 5; quote what shall be a string"),
        ("TARGNAME=Ångström", "printable ASCII"),
        ("TFRAME=.nan", "no form for nan"),
        ("DETECTOR=NRCX", "instrument.detector cannot be 'NRCX'"),
        ("S_FLAT=DONE", "it is one of COMPLETE SKIPPED"),
        ("DATAMODL=RampModel", "model_type cannot be 'RampModel'"),
        ("TELESCOP=null", "telescope cannot be taken away"),
        ("data=3", "data is not a single value"),
        ("data.shape=[1]", "nothing below it can be set"),
        ("wcs.name=here", "nothing below it can be set"),
        ("exposure=3", "meta.exposure is not a single value"),
        ("--new exposure.type.more=1", "nothing below it can be set"),
        ("--new --hdu=SCI A.LONG-KEY=1", "A.LONG-KEY is not a keyword of FITS"),
        ("--hdu=NOBODY,3 MYKEY=1", "the extension NOBODY,3 is missing"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_written(image, tmp_path, capsys, word, says):
    *options, assignment = word.split()
    status = 3 if "missing" in says else 2
    assert says in refused(capsys, image, assignment, *options, "-o", tmp_path / "y_cal.fits", status=status)
    assert listing(tmp_path) == {}


def test_ecsv_products_are_refused(tmp_path, capsys):
    path = jwst_files.made(tmp_path, "phot")
    assert "cannot be set" in refused(capsys, path, "instrument=MIRI", "-o", tmp_path / "y.ecsv", status=3)


def test_a_header_that_was_edited_gets_its_tree_back(tmp_path, capsys):
    path = jwst_files.written(tmp_path, "rate", META)
    with fits.open(path, mode="update") as hdus:
        hdus[0].header["FILTER"] = "F444W"
    assert model_state(open_jwst(path)).state == "edited"
    assert tool("set", "--in-place", path, "TARGNAME=M-31") == 0
    assert "the result's tree says what the headers say" in capsys.readouterr().err
    product = open_jwst(path)
    assert model_state(product).state == "trusted"
    assert product.tree["meta"]["instrument"]["filter"] == "F444W"


def test_a_file_without_a_tree_and_one_with_an_older_tree(tmp_path):
    older = jwst_files.made(tmp_path, "rate", image_tree=True)
    assert tool("set", "--in-place", older, "TARGNAME=M-31") == 0
    assert open_jwst(older).tree["meta"]["target"] == {"catalog_name": "M-31"}
    assert model_state(open_jwst(older))[:2] == ("trusted", "image")
    bare = tmp_path / "bare_rate.fits"
    with fits.open(older) as hdus:
        fits.HDUList(hdus[:-1]).writeto(bare)
    assert tool("set", "--in-place", bare, "TARGNAME=M-33") == 0
    assert fits.getheader(bare)["TARGNAME"] == "M-33"
    assert model_state(open_jwst(bare)).state == "none"


def test_reference_files_keep_their_form(tmp_path):
    path = tmp_path / "jwst_nircam_gain_0001.fits"
    head = {"TELESCOP": "JWST", "REFTYPE": "GAIN", "USEAFTER": "2022-04-01T00:00:00", "AUTHOR": "somebody"}
    image = fits.ImageHDU(np.ones((4, 5), "f4"), name="SCI")
    fits.HDUList([fits.PrimaryHDU(header=fits.Header(head)), image]).writeto(path)
    assert tool("set", "--in-place", path, "USEAFTER=2023-01-01T00:00:00", "meta.author=me") == 0
    header = fits.getheader(path)
    assert (header["USEAFTER"], header["AUTHOR"], header["REFTYPE"]) == ("2023-01-01T00:00:00", "me", "GAIN")


def test_streams_lists_and_dry_runs(image, tmp_path, capsys, monkeypatch):
    with piped(monkeypatch, image.read_bytes()) as out:
        assert tool("set", "-", "TARGNAME=M-31", "-o", "-") == 0
        copy = tmp_path / "copy_cal.fits"
        copy.write_bytes(out.getvalue())
    assert fits.getheader(copy)["TARGNAME"] == "M-31"
    os.chmod(copy, 0o640)
    capsys.readouterr()
    assert tool("set", image, copy, "TARGNAME=M-33", "--outdir", tmp_path / "out", "--json", "-n") == 0
    planned = records(capsys.readouterr().out)
    assert [one["changes"]["meta.target.catalog_name"]["old"] for one in planned] == ["NGC-1365", "M-31"]
    assert tool("set", "--in-place", copy, "TARGNAME=M-33") == 0
    assert os.stat(copy).st_mode & 0o777 == 0o640
