"""What headers of exposures and options tell is refused before exposures are calibrated for an association."""

import json

import pytest

from rtools.products.jwst import open_jwst, stage_jwst
from tests.support.runs import done, tool
from tests.support.sliced_fields import FIELDS, exposure

ROOT = "jw01234{:03d}001_02101_00001_nis"
FIELD = "jw01234-a3001_t001_niriss_f430m-nrm"


@pytest.fixture(scope="module")
def rates(tmp_path_factory):
    """A simulated exposure behind the mask, not calibrated yet."""
    path = tmp_path_factory.mktemp("rates") / f"{ROOT.format(1)}_rateints.fits"
    words = ("--pupil", "NRM", "--filter", "F430M", "--nints", 2, "--ngroups", 3, "--mag", 9, "--no-truth")
    done("sim", path, *words)
    return path


@pytest.fixture
def association(rates, tmp_path):
    """Makes an association of a target and two stars of which there are rates; the last one says something else."""

    def made(asn_type, told):
        for number in (1, 2, 3):
            path = tmp_path / f"{ROOT.format(number)}_rateints.fits"
            stage_jwst(path, open_jwst(rates), [], tree=told if number == 3 else {}).commit()
        kinds = {1: "science", 2: "psf", 3: "psf"} if asn_type[0] in "ac" else {1: "science"}
        kinds |= {3: "science"} if told and asn_type == "tso3" else {}
        members = [
            {"expname": f"{ROOT.format(number)}_calints.fits", "exptype": kind} for number, kind in kinds.items()
        ]
        content = {"asn_type": asn_type, "asn_id": "a3001", "products": [{"name": FIELD, "members": members}]}
        (tmp_path / "x_asn.json").write_text(json.dumps(content))
        return tmp_path / "x_asn.json"

    return made


@pytest.mark.parametrize(("asn_type", "told", "code", "said"), [
    ("ami3", {"meta.instrument.pupil": "CLEARP"}, 3, "PUPIL is CLEARP, not NRM"),
    ("ami3", {"meta.instrument.filter": "F480M"}, 1, "instrument.filter is F480M"),
    ("coron3", {"meta.instrument.filter": "F480M"}, 3, "instrument.filter is F480M"),
    ("spec3", {}, 3, "is a calints, wanted cal"),
    ("tso3", {"meta.observation.visit_number": "002"}, 3, "observation.visit_number is 002"),
], ids=["no_mask", "filter_of_a_star", "coronagraphs", "series_as_slits", "two_exposures"])  # fmt: skip
def test_members_that_do_not_belong_together_are_refused_before_they_are_calibrated(
    asn_type, told, code, said, association, tmp_path, capsys
):
    assert tool("run", association(asn_type, told), "--builtin", "--outdir", tmp_path / "o") == code
    lines = capsys.readouterr().err.splitlines()
    assert [line for line in lines if said in line], lines
    assert not any("Traceback" in line or "warning" in line for line in lines)
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize(("asn_type", "setting"), [
    ("ami3", "ami.affine=1,2"), ("ami3", "ami.holes=B4"), ("coron3", "outlier.window=2"),
    ("coron3", "psfsub.region=5,3"), ("tso3", "whtlt.bins=x"), ("tso3", "x1d.min-coverage=2"),
])  # fmt: skip
def test_options_that_cannot_be_are_refused_before_exposures_are_calibrated(
    asn_type, setting, association, tmp_path, capsys
):
    words = ("--set", setting, "--builtin", "--outdir", tmp_path / "o")
    assert tool("run", association(asn_type, {}), *words) == 2, capsys.readouterr().err
    said = capsys.readouterr().err
    assert setting.partition(".")[2].partition("=")[0] in said
    assert len(said.splitlines()) == 1
    assert not (tmp_path / "o").exists()


def test_members_that_belong_together_are_planned(association, tmp_path, capsys):
    """Units differ between what is calibrated and what is not, and are looked at later."""
    path = association("ami3", {})
    done("run", tmp_path / f"{ROOT.format(2)}_rateints.fits", "--builtin")
    capsys.readouterr()
    assert tool("run", path, "--builtin", "--outdir", tmp_path / "o", "--dry-run", "--json") == 0
    outputs = [json.loads(line)["outputs"][-1].rpartition("/")[2] for line in capsys.readouterr().out.splitlines()]
    assert f"{FIELD}_aminorm-oi.fits" in outputs


@pytest.fixture
def slices(tmp_path):
    """Makes an association of one exposure of slices whose headers say a type of source, or none."""

    def made(asn_type, source_type):
        path = exposure(tmp_path, FIELDS["MIRI"], lambda alpha, _beta, _wave: 5.0 + alpha)
        told = {} if source_type is None else {"meta.target.source_type": source_type}
        stage_jwst(path, open_jwst(path), [], tree=told).commit()
        product = {"name": "jw01234-o001_t001_miri", "members": [{"expname": path.name, "exptype": "science"}]}
        asn = tmp_path / "x_asn.json"
        asn.write_text(json.dumps({"asn_type": asn_type, "asn_id": "o001", "products": [product]}))
        return asn

    return made


@pytest.mark.parametrize("asn_type", ["spec2", "spec3"])
def test_a_point_source_without_a_radius_is_refused_before_its_cube_is_made(asn_type, slices, tmp_path, capsys):
    """It failed when the cube was there."""
    path = slices(asn_type, "POINT")
    assert tool("run", path, "--outdir", tmp_path / "o") == 4
    (line,) = capsys.readouterr().err.splitlines()
    assert all(word in line for word in ("--ref extract1d=FILE", "--set x1d.radius=R", "--skip x1d"))
    assert not (tmp_path / "o").exists()
    for words in (("--set", "x1d.radius=0.3"), ("--skip", "x1d"), ("--set", "x1d.source-type=EXTENDED")):
        assert tool("run", path, *words, "--outdir", tmp_path / "o", "-n", "-q") == 0


@pytest.mark.parametrize("source_type", ["EXTENDED", None])
def test_an_extended_source_needs_no_radius(source_type, slices, tmp_path, capsys):
    path = slices("spec3", source_type)
    assert tool("run", path, "--outdir", tmp_path / "o", "-n", "-q") == 0
    assert tool("run", path, "--set", "x1d.source-type=POINT", "--outdir", tmp_path / "o", "-n", "-q") == 4
    assert "--set x1d.radius=R" in capsys.readouterr().err
