"""rt-outlier on exposures of spectra: cosmic rays of slits, bad pixels of slices, the names of what is made."""

import json
import shlex

import numpy as np
import pytest

from rtools.products.jwst import NewHdu, open_jwst, stage_new
from tests.support.runs import records, tool
from tests.support.slit_exposures import NAME, SHAPE, slit_exposure

pytestmark = pytest.mark.slow

DITHERS = (0.0, 5.4, -6.3, 2.7)


def crf(folder, number):
    return open_jwst(folder / NAME.format(number).replace("_cal", "_crf"))


def flagged(product, version=1):
    return product.pixels("DQ", version) & 16 != 0


def beside(hit):
    near = np.pad(hit, 1)
    return np.any([np.roll(near, (dy, dx), (0, 1)) for dy in (-1, 0, 1) for dx in (-1, 0, 1)], axis=0)[1:-1, 1:-1]


def covered(number):
    """Columns that at least two other exposures have, too."""
    places = np.arange(SHAPE[1]) + DITHERS[number]
    others = [(places - shift > 0) & (places - shift < SHAPE[1] - 1) for shift in DITHERS]
    return np.sum(others, axis=0) >= 3


def test_cosmic_rays_in_dithered_slits_are_found_and_lines_are_not(tmp_path):
    made = [slit_exposure(tmp_path, number, shift, rays=60) for number, shift in enumerate(DITHERS)]
    assert tool("outlier", *(path for path, _hit in made), "--outdir", tmp_path / "o", "-q") == 0
    found, false, looked = [], 0, 0
    for number, (_path, hit) in enumerate(made):
        product = crf(tmp_path / "o", number)
        out = flagged(product)
        found.append(out[hit[0] & covered(number)])
        false += np.count_nonzero(out & ~beside(hit[0]))
        looked += np.count_nonzero(~beside(hit[0]))
        assert np.isnan(product.pixels("SCI")[out]).all()
        assert product.value("S_OUTLIR") == "COMPLETE"
    assert np.concatenate(found).mean() > 0.9
    assert false / looked < 1e-3


def test_each_slit_is_compared_for_itself(tmp_path):
    """Cosmic rays are in the second slit alone."""
    paths = [slit_exposure(tmp_path, number, shift, slits=("S1", "S2"))[0] for number, shift in enumerate(DITHERS[:3])]
    from astropy.io import fits

    with fits.open(paths[1], mode="update") as hdus:
        hdus["SCI", 2].data[80, 20] += 500
    assert tool("outlier", *paths, "--outdir", tmp_path / "o", "-q", "--keep-values") == 0
    for number in range(3):
        counts = [np.count_nonzero(flagged(crf(tmp_path / "o", number), version)) for version in (1, 2)]
        assert counts[0] == 0 and (counts[1] > 0) == (number == 1)
    assert flagged(crf(tmp_path / "o", 1), 2)[80, 20]
    assert crf(tmp_path / "o", 1).pixels("SCI", 2)[80, 20] > 500


def test_one_exposure_of_a_slit_stays_as_it_is(tmp_path, capsys):
    path, _hit = slit_exposure(tmp_path, 0, 0.0, rays=5)
    assert tool("outlier", path, "--outdir", tmp_path / "o") == 0
    assert "one exposure only" in capsys.readouterr().err
    assert crf(tmp_path / "o", 0).value("S_OUTLIR") == "SKIPPED"
    np.testing.assert_array_equal(crf(tmp_path / "o", 0).pixels("SCI"), open_jwst(path).pixels("SCI"))


def slices(folder, number, sharp):
    """An exposure of slices with gaps between them, noise, a source that moves, and bad pixels; its path."""
    rng, shape = np.random.default_rng(number), (90, 120)
    row, column = np.mgrid[: shape[0], : shape[1]]
    light = 20 + 300 * np.exp(-(((column % 20) - 9.5 - 2.6 * (number - 1)) ** 2) / 2) * (1 + row / 50)
    error = np.sqrt(light)
    data, dq = light + rng.normal(0, error), np.where(column % 20 < 2, 513, 0)
    data[sharp] += 60 * error[sharp]
    data[number * 20 + 5, 51] += 1000  # a cosmic ray
    data[dq > 0] = np.nan
    images = {"SCI": data.astype("f4"), "ERR": error.astype("f4"), "DQ": dq.astype("u4")}
    images |= {f"VAR_{kind}": (error**2 / 3).astype("f4") for kind in ("POISSON", "RNOISE", "FLAT")}
    told = {"instrument": {"name": "MIRI", "detector": "MIRIFUSHORT", "channel": "12", "band": "SHORT"},
            "exposure": {"type": "MIR_MRS"}, "wcsinfo": {"dispersion_direction": 2}}  # fmt: skip
    path = folder / f"jw01234001001_02101_{number:05d}_mirifushort_cal.fits"
    stage_new(path, "cal", told, [NewHdu(name, image) for name, image in images.items()]).commit()
    return path


def test_pixels_of_slices_that_are_bad_in_every_exposure_are_found(tmp_path):
    """And neither the source, which moves, nor what a cosmic ray hit in one of them, nor a share of the good."""
    sharp = np.zeros((90, 120), bool)
    at = np.random.default_rng(7).integers(0, (90, 6), (12, 2))
    sharp[at[:, 0], at[:, 1] * 20 + 2 + at[:, 0] % 17] = True
    paths = [slices(tmp_path, number, sharp) for number in range(3)]
    assert tool("outlier", *paths, "--outdir", tmp_path / "o", "-q") == 0
    for path in paths:
        out = flagged(open_jwst(tmp_path / "o" / path.name.replace("_cal", "_crf")))
        assert out[sharp].mean() > 0.9
        assert (out & ~sharp).mean() < 1e-3


def test_an_association_of_slits_is_made_without_outliers(tmp_path, monkeypatch, capsys):
    folder = tmp_path / "in"
    folder.mkdir()
    paths = [slit_exposure(folder, number, shift, rays=30)[0] for number, shift in enumerate(DITHERS[:3])]
    monkeypatch.chdir(folder)
    rows = [{"expname": path.name, "exptype": "science"} for path in paths]
    content = {"asn_type": "spec3", "asn_rule": "Asn_Lv3_MIRI", "asn_id": "o001", "program": "01234", "target": "t001",
               "products": [{"name": "jw01234-o001_t001_miri_p750l", "members": rows}]}  # fmt: skip
    (folder / "x_asn.json").write_text(json.dumps(content))
    words = "--ref", "extract1d=none", "-q"
    assert tool("run", "x_asn.json", *words, "--outdir", "o", "-n", "--json") == 0
    told = [job["outputs"] for job in records(capsys.readouterr().out)]
    assert len(told[0]) == 3 and told[0][0].endswith("_00000_mirimage_o001_crf.fits")
    assert tool("run", "x_asn.json", *words, "--outdir", "o") == 0
    assert tool("run", "x_asn.json", *words, "--outdir", "plain", "--skip", "outlier") == 0
    noise = []
    for made in ("o", "plain"):
        image = open_jwst(folder / made / "jw01234-o001_t001_miri_p750l_s2d.fits")
        data, shared = image.array("data"), image.pixels("CON")[0] == 0b111
        dark = np.nanmedian(np.where(shared, data, np.nan), axis=0) < 32
        noise.append(np.count_nonzero(data[:, dark][shared[:, dark]] > 40) / np.count_nonzero(shared[:, dark]))
        assert (folder / made / paths[0].name.replace("_cal", "_x1d")).exists()
    assert noise[1] > 0.02 and noise[0] < noise[1] / 10
    assert tool("validate", *sorted((folder / "o").glob("*_crf.fits"))) == 0


def test_one_of_several_files_is_missed_and_the_command_makes_them_all(tmp_path, monkeypatch, capsys):
    """A run that went on kept what it had, without it; and the command named one product."""
    monkeypatch.chdir(tmp_path)
    paths = [slit_exposure(tmp_path, number, shift)[0].name for number, shift in enumerate(DITHERS[:3])]
    rows = [{"expname": path, "exptype": "science"} for path in paths]
    content = {"asn_type": "spec3", "asn_rule": "Asn_Lv3_MIRI", "asn_id": "o001", "program": "01234", "target": "t001",
               "products": [{"name": "jw01234-o001_t001_miri_p750l", "members": rows}]}  # fmt: skip
    (tmp_path / "x_asn.json").write_text(json.dumps(content))
    words = "run", "x_asn.json", "--outdir", "o", "-q", "--skip", "x1d,c1d"
    made = [tmp_path / "o" / path.replace("_cal", "_o001_crf") for path in paths]
    assert tool(*words) == 0
    made[1].unlink()
    assert tool(*words, "--resume") == 0
    assert made[1].exists()
    capsys.readouterr()
    assert tool("outlier", *paths, "--outdir", ".", "-q") == 0
    capsys.readouterr()
    crf = paths[1].replace("_cal", "_crf")
    assert tool("history", crf) == 0
    command = capsys.readouterr().out.split()
    assert command[:4] == ["rt-outlier", *paths] and "--outdir=." in command and "-o" not in command
    assert tool("history", crf, "--verify") == 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--window", 5), "--window is not about slits"),
        (("--kernel-size", 5), "--kernel-size is not about slits"),
        (("--backg", 5.0), "--backg is about images"),
        (("--snr", "5"), "two numbers"),
        (("-o", "x_crf.fits"), "-o names one output"),
    ],
)
def test_options_that_say_nothing_of_slits_are_refused(words, says, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    paths = [slit_exposure(tmp_path, number, shift)[0] for number, shift in enumerate(DITHERS[:2])]
    assert tool("outlier", *paths, *words) == 2
    assert says in capsys.readouterr().err
    assert not list(tmp_path.glob("*_crf.fits"))


def _association(folder, paths, asn_type="spec3"):
    rows = [{"expname": path.name, "exptype": "science"} for path in paths]
    content = {"asn_type": asn_type, "asn_rule": "Asn_Lv3_MIRI", "asn_id": "o001", "program": "01234",
               "target": "t001", "products": [{"name": "jw01234-o001_t001_miri", "members": rows}]}  # fmt: skip
    path = folder / "x_asn.json"
    path.write_text(json.dumps(content))
    return path


@pytest.mark.parametrize("kind", ["slits", "slices"])
def test_an_association_of_spectra_was_no_image_of_the_sky(kind, tmp_path):
    """And the command in what an association makes named no file of that name."""
    if kind == "slits":
        paths = [slit_exposure(tmp_path, number, shift, rays=5)[0] for number, shift in enumerate(DITHERS[:3])]
    else:
        paths = [slices(tmp_path, number, np.zeros((90, 120), bool)) for number in range(3)]
    asn = _association(tmp_path, paths)
    assert tool("outlier", asn, "--outdir", tmp_path / "o", "-q") == 0
    made = [tmp_path / "o" / path.name.replace("_cal", "_o001_crf") for path in paths]
    assert sorted((tmp_path / "o").iterdir()) == made
    assert tool("outlier", *paths, "--outdir", tmp_path / "p", "-q") == 0
    for path in made:
        plain = tmp_path / "p" / path.name.replace("_o001", "")
        np.testing.assert_array_equal(flagged(open_jwst(path)), flagged(open_jwst(plain)))
    assert tool("history", "--verify", *made, "-q") == 0


def test_rules_of_an_association_of_spectra_name_what_the_run_makes(tmp_path, monkeypatch):
    """The rule named one of several products, which the tool refuses."""
    monkeypatch.chdir(tmp_path)
    paths = [slit_exposure(tmp_path, number, shift)[0] for number, shift in enumerate(DITHERS[:2])]
    words = "--skip", "x1d,c1d", "--outdir", "o", "--emit", "make", "rules", "-q"
    assert tool("run", _association(tmp_path, paths), *words) == 0
    (line,) = [one for one in (tmp_path / "rules" / "Makefile").read_text().splitlines() if "rt-outlier" in one]
    arguments = shlex.split(line.partition("rt-outlier ")[2])
    assert tool("outlier", *arguments, "-q") == 0
    assert {path.name for path in (tmp_path / "o").iterdir()} == {
        path.name.replace("_cal", "_o001_crf") for path in paths
    }


@pytest.mark.parametrize("name", [
    "x1d", "c1d", "phot", "whtlt", "psfstack", "psfalign", "psfsub", "ami", "aminorm", ("cube", "build"),
])  # fmt: skip
def test_tools_of_the_third_stage_take_no_association_and_say_who_does(name, tmp_path, capsys):
    path = _association(tmp_path, [tmp_path / NAME.format(1)])
    words = (name,) if isinstance(name, str) else name
    assert tool(*words, path, "--outdir", tmp_path / "o") == 3
    (line,) = capsys.readouterr().err.splitlines()
    assert "which rt-run takes" in line


def test_a_candidate_that_leads_elsewhere_is_refused(tmp_path, capsys):
    path, _hit = slit_exposure(tmp_path, 0, 0.0)
    assert tool("outlier", path, "--asn-id", "../x") == 2
    assert "part of a file name" in capsys.readouterr().err
