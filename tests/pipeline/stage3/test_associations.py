"""rt-run on associations of the third stage: names, order, what is skipped, what is refused, going on, same bits."""

import hashlib
import json
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest

from rtools.products.jwst import HduChange, open_jwst, stage_jwst
from tests.support.runs import done, records, tool

TARGET = "jw01234001001_02101_00001_nrcalong"
STAR = "jw01234002001_02101_{:05d}_nrcalong"
FIELD = "jw01234-a3001_t001_nircam_f335m-maskrnd"
SEGMENT = "jw01234001001_02101_00001-seg{:03d}_mirimage"
SERIES = "jw01234-o001_t001_miri_p750l-slitlessprism"


def association(folder, asn_type, name, asn_id, members):
    """Write an association of one product; its path."""
    path = folder / f"{asn_type}_asn.json"
    rows = [{"expname": f"{root}_calints.fits", "exptype": exptype} for root, exptype in members]
    content = {"asn_type": asn_type, "asn_rule": f"Asn_Lv3_{asn_type}", "asn_id": asn_id, "program": "01234"}
    path.write_text(json.dumps(content | {"target": "t001", "products": [{"name": name, "members": rows}]}))
    return path


@pytest.fixture
def coronagraph(jwst_golden, tmp_path):
    """An association of a target and two reference stars."""
    golden = jwst_golden("coron")
    shutil.copy(golden / "in_target_calints.fits", tmp_path / f"{TARGET}_calints.fits")
    for number in (1, 2):
        shutil.copy(golden / f"in_psf{number}_calints.fits", tmp_path / f"{STAR.format(number)}_calints.fits")
    members = [(TARGET, "science"), *((STAR.format(number), "psf") for number in (1, 2))]
    return association(tmp_path, "coron3", FIELD, "a3001", members)


@pytest.fixture
def segments(jwst_golden, tmp_path):
    """An association of the two segments of one series of spectra."""
    whole = open_jwst(jwst_golden("spec") / "in_calints.fits")
    roots = [SEGMENT.format(number) for number in (1, 2)]
    for root, first in zip(roots, (0, 3), strict=True):
        changes = [HduChange(hdu.name, array=whole.pixels(hdu.name)[first : first + 3])
                   for hdu in whole.hdus if hdu.is_image and len(hdu.shape) == 3]  # fmt: skip
        changes.append(HduChange("INT_TIMES", table=whole.table("INT_TIMES")[first : first + 3]))
        told = {"meta.exposure.integration_start": first + 1, "meta.exposure.integration_end": first + 3}
        stage_jwst(tmp_path / f"{root}_calints.fits", whole, changes, tree=told).commit()
    return association(tmp_path, "tso3", SERIES, "o001", [(root, "science") for root in roots])


@pytest.fixture
def words(jwst_golden):
    """Options with the reference of the aperture."""
    return ("--ref", f"extract1d={jwst_golden('spec') / 'ref_extract1d_slitless.json'}", "-q")


def digests(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def verified(folder, pattern="*"):
    """The command that each product of a run says makes that product again."""
    paths = sorted(folder.glob(pattern))
    assert paths and tool("history", "--verify", *paths, "-q") == 0


MADE_OF_CORONAGRAPH = {
    f"{TARGET}_a3001_crfints.fits", f"{STAR.format(1)}_a3001_crfints.fits", f"{STAR.format(2)}_a3001_crfints.fits",
    f"{FIELD}_psfstack.fits", f"{TARGET}_a3001_psfalign.fits", f"{TARGET}_a3001_psfsub.fits", f"{FIELD}_i2d.fits",
}  # fmt: skip


def test_a_coronagraph_becomes_its_products_under_the_names_of_the_archive(coronagraph, tmp_path):
    assert tool("run", coronagraph, "--outdir", tmp_path / "o", "-q") == 0
    made = {path.name for path in (tmp_path / "o").iterdir()}
    assert made >= MADE_OF_CORONAGRAPH
    stack = open_jwst(tmp_path / "o" / f"{FIELD}_psfstack.fits")
    assert stack.arrays["data"].shape[0] == 6
    found = open_jwst(tmp_path / "o" / f"{TARGET}_a3001_psfsub.fits")
    before = open_jwst(tmp_path / f"{TARGET}_calints.fits").array("data")
    assert np.nanstd(found.array("data")) < np.nanstd(before) / 10
    verified(tmp_path / "o")


def test_outliers_of_an_association_of_integrations_are_those_of_its_run(coronagraph, tmp_path):
    assert tool("outlier", coronagraph, "--outdir", tmp_path / "o", "-q") == 0
    made = sorted(name for name in MADE_OF_CORONAGRAPH if "crfints" in name)
    assert sorted(path.name for path in (tmp_path / "o").iterdir()) == made
    assert tool("run", coronagraph, "--outdir", tmp_path / "p", "-q", "--skip", "psfstack") == 0
    for name in made:
        one, two = (open_jwst(tmp_path / folder / name).array("dq") for folder in "op")
        np.testing.assert_array_equal(one, two, err_msg=name)
    verified(tmp_path / "o")


@pytest.mark.parametrize(
    ("step", "last"),
    [("psfstack", "crfints"), ("psfalign", "psfstack"), ("psfsub", "psfalign"), ("resample", "psfsub")],
)
def test_a_skipped_step_is_skipped_and_so_is_what_needs_it(step, last, coronagraph, tmp_path, capsys):
    assert tool("run", coronagraph, "--skip", step, "--outdir", tmp_path / "o", "-n", "--json") == 0
    outputs = [path for job in records(capsys.readouterr().out) for path in job["outputs"]]
    assert outputs[-1].endswith(f"_{last}.fits")


def test_a_run_in_which_all_is_skipped_is_refused(segments, words, tmp_path, capsys):
    assert tool("run", segments, *words, "--skip", "outlier,x1d", "--outdir", tmp_path / "o") == 2
    assert "--skip leaves nothing of tso3" in capsys.readouterr().err


def test_what_two_products_need_is_made_once(coronagraph, tmp_path, capsys):
    """A second product of the same stars, and a member that is named twice."""
    content = json.loads(coronagraph.read_text())
    (first,) = content["products"]
    target, one, two = first["members"]
    content["products"] = [
        first | {"members": [target, one, two, target]},
        first | {"name": FIELD.replace("t001", "t002"), "members": [one | {"exptype": "science"}, two]},
    ]
    coronagraph.write_text(json.dumps(content))
    assert tool("run", coronagraph, "--outdir", tmp_path / "o", "-n", "--json") == 0
    outputs = [path for job in records(capsys.readouterr().out) for path in job["outputs"]]
    assert len(outputs) == len(set(outputs)) == 11


def test_one_file_made_of_two_things_is_refused(coronagraph, tmp_path, capsys):
    """Two products with one target and other stars: their aligned stars would have one name."""
    content = json.loads(coronagraph.read_text())
    (first,) = content["products"]
    content["products"].append(first | {"name": FIELD.replace("t001", "t002"), "members": first["members"][:2]})
    coronagraph.write_text(json.dumps(content))
    assert tool("run", coronagraph, "--outdir", tmp_path / "o") == 3
    assert "would be made twice" in capsys.readouterr().err
    assert not (tmp_path / "o").exists()


def test_segments_of_a_series_are_joined(segments, words, jwst_golden, tmp_path):
    """One series and the same in two files give the same spectra and the same curve."""
    shutil.copy(jwst_golden("spec") / "in_calints.fits", tmp_path / "whole_calints.fits")
    assert tool("run", segments, "--outdir", tmp_path / "o", *words, "--skip", "outlier") == 0
    assert {path.name for path in (tmp_path / "o").iterdir()} == {f"{SERIES}_x1dints.fits", f"{SERIES}_whtlt.ecsv"}
    assert tool("x1d", tmp_path / "whole_calints.fits", *words) == 0
    joined, whole = open_jwst(tmp_path / "o" / f"{SERIES}_x1dints.fits"), open_jwst(tmp_path / "whole_x1dints.fits")
    one, two = joined.table("EXTRACT1D"), whole.table("EXTRACT1D")
    for name in ("INT_NUM", "FLUX", "FLUX_ERROR", "MJD-AVG", "TDB-MID"):
        np.testing.assert_array_equal(one[name], two[name], err_msg=name)
    assert len(open_jwst(tmp_path / "o" / f"{SERIES}_whtlt.ecsv").table()) == 6
    verified(tmp_path / "o")


@pytest.mark.slow
def test_the_same_bits_however_many_work_on_it_and_a_run_goes_on(coronagraph, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    for jobs in (1, 2):
        assert tool("run", coronagraph, "--outdir", tmp_path / str(jobs), "-j", jobs, "-q") == 0
    first = digests(tmp_path / "1")
    assert digests(tmp_path / "2") == first
    (tmp_path / "1" / f"{TARGET}_a3001_psfalign.fits").unlink()
    capsys.readouterr()
    assert tool("run", coronagraph, "--outdir", tmp_path / "1", "--resume", "--json", "-q") == 0
    told = {one["input"].rpartition("/")[2]: one["status"] for one in records(capsys.readouterr().out)}
    assert told[f"{TARGET}_a3001_psfalign.fits"] == "done"
    assert {told[name] for name in MADE_OF_CORONAGRAPH if "psfalign" not in name} == {"kept"}
    assert digests(tmp_path / "1") == first


@pytest.mark.slow
def test_a_makefile_of_an_association_makes_the_products_of_the_run(coronagraph, tmp_path, monkeypatch):
    """Each rule is the tool of its step, on what the rules before it make."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    monkeypatch.chdir(tmp_path)
    words = (coronagraph.name, "--set", "psfsub.truncate=3", "--set", "psfalign.all-ints=true", "-q")
    assert tool("run", *words, "--outdir", "o", "--emit", "make", "rules") == 0
    lines = [line for line in Path("rules/Makefile").read_text().splitlines() if line.startswith("\tcd ")]
    commands = [shlex.split(line.partition(" && ")[2]) for line in lines]
    assert len(commands) == len(MADE_OF_CORONAGRAPH)
    for name, *arguments in commands:
        assert tool(name.removeprefix("rt-"), *arguments, "-q") == 0
    made = digests(tmp_path / "o")
    shutil.move("o", "rules/o")
    assert tool("run", *words, "--outdir", "o") == 0
    assert digests(tmp_path / "o") == made


def test_exposures_on_the_way_to_a_series_take_their_own_options_in_rules(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    raw = "jw01234001001_02101_00001_nrca1_uncal.fits"
    done("sim", raw, "--exp-type", "NRC_TSIMAGE", "--subarray", "1,1,16,16", "--nints", 2, "--ngroups", 2, "--no-truth")
    done("asn", "--rule", "tso3", raw, "-o", "tso3_asn.json")
    words = ("--builtin", "--set", "jump.threshold=5", "--set", "phot.radius=2", "--skip", "outlier", "--outdir", "o")
    assert tool("run", "tso3_asn.json", *words, "--emit", "make", "rules") == 0
    first, second = [line for line in Path("rules/Makefile").read_text().splitlines() if line.startswith("\tcd ")]
    assert f"rt-run {raw} --builtin --set jump.threshold=5 --outdir o " in first
    assert "rt-phot o/jw01234001001_02101_00001_nrca1_calints.fits --radius=2.0 --builtin -o " in second


def test_a_dry_run_tells_every_job_and_writes_nothing(coronagraph, tmp_path, capsys):
    assert tool("run", coronagraph, "--outdir", tmp_path / "o", "-n", "--json") == 0
    jobs = records(capsys.readouterr().out)
    assert not (tmp_path / "o").exists()
    outputs = {path.rpartition("/")[2] for job in jobs for path in job["outputs"]}
    assert outputs >= MADE_OF_CORONAGRAPH
    assert list(jobs[-1]["steps"]) == ["resample"]  # images without their star have no sky


def test_members_of_which_nothing_is_made_are_not_calibrated(coronagraph, tmp_path, capsys):
    """A background is for exposures that are not calibrated yet; of those it would have to be subtracted."""
    content = json.loads(coronagraph.read_text())
    content["products"][0]["members"].append(
        {"expname": "jw01234009001_02101_00001_x_rate.fits", "exptype": "background"}
    )
    coronagraph.write_text(json.dumps(content))
    assert tool("run", coronagraph, "--outdir", tmp_path / "o", "-n", "--json") == 0
    assert not any("jw01234009001" in job["input"] for job in records(capsys.readouterr().out))


def test_what_cannot_be_made_costs_what_needs_it_and_nothing_else(coronagraph, tmp_path, capsys):
    path = tmp_path / f"{STAR.format(2)}_calints.fits"
    stage_jwst(path, open_jwst(path), [], tree={"meta.bunit_data": "DN/s"}).commit()  # it cannot be stacked
    assert tool("run", coronagraph, "--outdir", tmp_path / "o", "-q") != 0
    said = capsys.readouterr().err
    assert {path.name for path in (tmp_path / "o").iterdir()} == {name for name in MADE_OF_CORONAGRAPH if "crf" in name}
    assert "could not be made" in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        ({"asn_type": "wfs-image3"}, 3, "is not made here"),
        ({"members": [(TARGET, "science")]}, 3, "reference star"),
        ({"members": [(STAR.format(1), "psf")]}, 3, "no science members"),
        ({"asn_id": "../x"}, 3, "part of a file name"),
        ({"members": [(TARGET, "science"), (TARGET, "psf")]}, 3, "as science and as psf"),
        ({"members": [("jw01234009001_02101_00001_nrcalong", "science")]}, 3, "is not there"),
    ],
)
def test_associations_that_cannot_be_carried_out_are_one_line(change, code, said, coronagraph, tmp_path, capsys):
    members = change.get("members", [(TARGET, "science"), (STAR.format(1), "psf")])
    path = association(tmp_path, "coron3", FIELD, change.get("asn_id", "a3001"), members)
    if "asn_type" in change:
        path.write_text(path.read_text().replace('"coron3"', f'"{change["asn_type"]}"'))
    assert tool("run", path, "--outdir", tmp_path / "o") == code
    lines = capsys.readouterr().err.splitlines()
    assert said in lines[0] and not any("Traceback" in line for line in lines)
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize(
    "option",
    [("-o", "x.fits"), ("--until", "jump"), ("--mosaic",), ("--save-steps",), ("--skip", "phot"),
     ("--set", "phot.radius=2"), ("--background", "x_rate.fits"), ("--keep-values",), ("--from", "jump"),
     ("--with", "ipc")],
)  # fmt: skip
def test_options_that_mean_nothing_here_are_refused(option, coronagraph, tmp_path, capsys):
    assert tool("run", coronagraph, *option) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_reference_that_no_step_reads_is_refused(coronagraph, tmp_path, capsys):
    assert tool("run", coronagraph, "--ref", "flat=none", "--outdir", tmp_path / "o") == 2
    assert "--ref flat" in capsys.readouterr().err
    assert not (tmp_path / "o").exists()


def test_soss_is_out_of_reach_before_any_work(segments, tmp_path, capsys):
    for path in tmp_path.glob("*_calints.fits"):
        stage_jwst(path, open_jwst(path), [], tree={"meta.exposure.type": "NIS_SOSS"}).commit()
    assert tool("run", segments, "--outdir", tmp_path / "o") == 3
    assert "ATOCA" in capsys.readouterr().err
    assert not (tmp_path / "o").exists()


@pytest.mark.slow
def test_a_raw_series_of_images_becomes_its_light_curve(tmp_path, monkeypatch):
    """Members of an association may be raw: rt-asn names what there is, and rt-run begins with that."""
    monkeypatch.chdir(tmp_path)
    raw = "jw01234001001_02101_00001_nrca1_uncal.fits"
    words = ("--exp-type", "NRC_TSIMAGE", "--subarray", "SUB64P", "--nints", 24, "--ngroups", 3)
    done("sim", raw, *words, "--transit", "0.02,0.4,0.7", "--no-truth")
    done("asn", "--rule", "tso3", raw, "-o", "tso3_asn.json")
    done("run", "tso3_asn.json", "--builtin", "--outdir", "o")
    (path,) = (tmp_path / "o").glob("*_phot.ecsv")
    table = open_jwst(path).table()
    flux = table["net_aperture_sum"] / np.median(table["net_aperture_sum"])
    depth = np.median(flux[:8]) - np.median(flux[11:15])
    assert depth == pytest.approx(0.02, abs=0.006)
    assert (tmp_path / "o" / raw.replace("_uncal", "_o001_crfints")).exists()
    verified(tmp_path / "o", "*o001_*")


@pytest.mark.slow
def test_slits_of_two_exposures_become_one_spectrum_and_their_combination(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    roots = [f"jw01234001001_02101_0000{number}_mirimage" for number in (1, 2)]
    for seed, root in enumerate(roots):
        done("sim", f"{root}_cal.fits", "--exp-type", "MIR_LRS-FIXEDSLIT", "--seed", seed)
    done("asn", "--rule", "spec3", *(f"{root}_cal.fits" for root in roots), "-o", "spec3_asn.json")
    done("run", "spec3_asn.json", "--ref", "extract1d=none", "--outdir", "o")
    made = {path.name for path in (tmp_path / "o").iterdir()}
    field = "jw01234-o001_t001_miri_p750l"
    assert made == {
        *(f"{field}_{suffix}.fits" for suffix in ("s2d", "x1d", "c1d")),
        *(f"{root}_{suffix}.fits" for root in roots for suffix in ("x1d", "o001_crf")),
    }
    assert tool("validate", *(tmp_path / "o" / name for name in made), "-q") == 0
    verified(tmp_path / "o")
    one = open_jwst(tmp_path / "o" / f"{roots[0]}_x1d.fits").table("EXTRACT1D")
    both = open_jwst(tmp_path / "o" / f"{field}_c1d.fits").table("COMBINE1D")
    middle = both["N_INPUT"] == 2
    assert middle.mean() > 0.9
    assert np.nanmedian(both["ERROR"][middle]) / np.nanmedian(one["FLUX_ERROR"]) == pytest.approx(2**-0.5, rel=0.1)


@pytest.mark.slow
def test_a_binary_and_a_star_become_calibrated_observables(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    binary, star = (f"jw0123400{number}001_02101_00001_nis" for number in (1, 2))
    words = ("--exp-type", "NIS_AMI", "--pupil", "NRM", "--filter", "F430M", "--nints", 2, "--no-truth")
    done("sim", f"{binary}_calints.fits", *words, "--companion", "0.15,30,0.05")
    done("sim", f"{star}_calints.fits", *words, "--seed", 4)
    done("asn", "--rule", "ami3", f"{binary}_calints.fits", "--psf", f"{star}_calints.fits", "-o", "ami3_asn.json")
    done("run", "ami3_asn.json", "--builtin", "--outdir", "o")
    made = {path.name for path in (tmp_path / "o").iterdir()}
    (calibrated,) = [name for name in made if name.endswith("_aminorm-oi.fits")]
    assert calibrated.startswith("jw01234-o001_t001_niriss_f430m-nrm")
    suffixes = ("ami-oi", "amimulti-oi", "amilg")
    assert made - {calibrated} == {f"{root}_o001_{suffix}.fits" for root in (binary, star) for suffix in suffixes}
    phases = [np.ma.getdata(open_jwst(tmp_path / "o" / name).table("OI_T3")["T3PHI"])
              for name in (calibrated, f"{star}_o001_ami-oi.fits")]  # fmt: skip
    assert np.std(phases[0]) > 3 * np.std(phases[1])  # the star has none, the binary has
    verified(tmp_path / "o")


@pytest.mark.long
@pytest.mark.slow
def test_workers_of_a_scheduler_make_the_same_bits(coronagraph, tmp_path, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    done("run", coronagraph, "--outdir", tmp_path / "here")
    done("run", coronagraph, "--outdir", tmp_path / "there", "--dask", "local:2")
    assert digests(tmp_path / "there") == digests(tmp_path / "here")
