"""Pictures of references that are no images: distortion, ePSF, throughput, aperture corrections."""

import re

import numpy as np
import pytest
from PIL import Image

from rtools.jwst.distortion import pixel_area_sr
from rtools.jwst.nominal import photmjsr
from rtools.products.opening import open_any
from rtools.show.image import load_image
from rtools.show.reference_charts import chart_reference
from rtools.show.reference_charts_jwst import chart_jwst_reference
from rtools.show.reference_pictures import load_distortion, load_epsf, plot_distortion, plot_epsf
from rtools.wfi import relative_area, zero_point
from tests.support.share import some_slow
from tests.support.small_files import tool, write

TYPES = ("distortion", "epsf", "photom", "apcorr", "gain", "integralnonlinearity", "darkdecaysignal")


@pytest.fixture(scope="module")
def references(tmp_path_factory):
    """Small references of the nominal instrument, by type."""
    folder = tmp_path_factory.mktemp("refs")
    named = ("--detector", "WFI03", "--element", "F158", "--types", ",".join(TYPES), "--size", 256)
    assert tool("refs", "make", folder, *named) == 0
    return {name: next(folder.glob(f"*_{name}_*.asdf")) for name in TYPES}


def test_a_distortion_is_shown_as_areas_and_shifts(references):
    with open_any(references["distortion"]) as product:
        found = load_distortion(product)
    at = np.array([13.5, 4073.5])  # middles of the first and the last block
    expected = 100 * (relative_area("WFI03", at, at) - 1)
    np.testing.assert_allclose(found.area.data[::4087, ::4087], expected, atol=0.02)
    centre = np.argmin(np.hypot(*(found.places - 2043.5).T))
    assert np.hypot(*found.shifts.T)[centre] < 0.01
    assert 3 < np.hypot(*found.shifts.T).max() < 60
    arrows = plot_distortion(found).axes[0].collections[0]
    np.testing.assert_allclose(arrows.XY, found.places)


def test_planes_of_an_epsf_stand_by_place_and_spectral_type(references):
    with open_any(references["epsf"]) as product:
        found = load_epsf(product)
        names = [[name for name, _values in row] for row in found.rows]
        assert names[0] == ["0, 4087", "2044, 4087", "4087, 4087"]
        assert names[2] == ["0, 0", "2044, 0", "4087, 0"]
        assert names[3] == [f"type {name}" for name in product.meta["spectral_type"]]
        brightest = {max(range(3), key=lambda n: row[n][1].max()) for row in found.rows[3:]}
    assert brightest == {0}  # the bluest is the sharpest
    assert len(plot_epsf(found).axes) == 12


def test_a_photom_tells_the_zero_point_of_each_filter(references):
    with open_any(references["photom"]) as product:
        found = chart_reference(product)
    areas, zero = found.panels
    told = dict(re.match(r"(F\d+)  ([\d.]+) mag", one.label).groups() for one in areas.series if "mag" in one.label)
    gain = 2.5 * np.log10(1.5)
    for element, magnitude in told.items():
        assert abs(float(magnitude) - zero_point("WFI03", element) + gain) < 0.5
    assert len(zero.series[0].x) == len(told) == 8
    assert zero.series[0].x[list(told).index("F158")] == pytest.approx(1.58, abs=0.03)


@pytest.mark.parametrize("name", TYPES)
def test_every_reference_has_a_picture(references, tmp_path, name, capsys):
    if name != "distortion":  # drawn above
        assert tool("view", references[name], "-o", tmp_path / "x.png") == 0
        capsys.readouterr()
    assert tool("view", references[name]) == 0
    assert len(capsys.readouterr().out.splitlines()) > 10


PLACES = [[x for _y in (4.0, 2044, 4080) for x in (4.0, 2044, 4080)], [y for y in (4.0, 2044, 4080) for _x in range(3)]]
SAID = {
    "pixel_x": PLACES[0],
    "pixel_y": PLACES[1],
    "oversample": 3,
    "spectral_type": ["A", "G", "M"],
    "defocus": [0, 1],
}
PSF = np.full((2, 3, 9, 21, 21), 0.01, "f4")


@pytest.mark.parametrize(("change", "status"), some_slow([
    ({}, 0), ({"psf": -PSF}, 3), ({"spectral_type": ["A"]}, 0), ({"spectral_type": "G"}, 0),
    ({"defocus": ["a", "b"]}, 0), ({"oversample": "x"}, 0), ({"oversample": -1}, 0),
    ({"pixel_x": ["a"] * 9}, 3), ({"pixel_x": 3.0}, 3),
    ({"pixel_x": [[1, 2]] * 9}, 3), ({"pixel_y": [np.nan] * 9}, 3), ({"psf": PSF * np.nan}, 3),
    ({"psf": PSF[0]}, 3),
], 6, rows=True))  # fmt: skip
def test_a_psf_of_any_description_is_drawn_or_refused_in_one_line(tmp_path, change, status, capsys):
    said = SAID | {name: value for name, value in change.items() if name != "psf"}
    path = write(tmp_path / "x_epsf.asdf", "reference/epsf", {"psf": change.get("psf", PSF)}, reftype="EPSF", **said)
    assert tool("view", path, "-o", tmp_path / "x.png") == status
    told = capsys.readouterr().err
    assert "internal error" not in told
    assert "not a valid file" not in told
    assert (tmp_path / "x.png").exists() == (status == 0)


OPTIONS = [
    ["--array", "nothing"], ["--resultant", "99"], ["--section", "0:8,0:8"], ["--hist"], ["--dq", "none"],
    ["--compass"], ["--at", "1,1"], ["--integration", "0"], ["--limits", "99%"],
]  # fmt: skip


@pytest.mark.parametrize("name", ["epsf", "photom", "distortion"])
def test_no_option_ends_in_an_internal_error_for_a_reference(references, tmp_path, name, capsys):
    for words in OPTIONS:
        status = tool("view", references[name], *words)
        told = capsys.readouterr().err
        assert status in (0, 2, 3), words
        assert "internal error" not in told, words
        assert "not a valid file" not in told, words
    for words in (["--resultant", "-1", "--section", "0:9,0:9"], ["--array", "psf", "--hist"]):
        path = tmp_path / f"{words[0]}.png"
        status = tool("view", references[name], *words, "-o", path)
        assert path.exists() == (status == 0)
        assert "internal error" not in capsys.readouterr().err, words


def test_what_is_asked_of_one_plane_of_a_psf_is_not_passed_over(references, tmp_path):
    assert tool("view", references["epsf"], "--bare", "--limits", "0,1", "-o", tmp_path / "x.png") == 0
    with Image.open(tmp_path / "x.png") as made:
        assert made.width == made.height  # the plane alone, not a page of them


def test_what_means_nothing_for_such_a_reference_is_refused(references, tmp_path):
    assert tool("view", references["photom"], "--section", "0:1,0:1") == 2
    assert tool("view", references["epsf"], "--resultant", 0, "-o", tmp_path / "plane.png") == 0


def test_the_correction_by_reference_pixels_is_drawn_by_frequency(tmp_path):
    gamma = np.exp(2j * np.arange(2000)) * np.arange(1, 5)[:, None]
    parts = {"gamma": gamma, "zeta": gamma, "alpha": gamma}
    path = write(tmp_path / "x_refpix.asdf", "reference/refpix", parts, reftype="REFPIX")
    with open_any(path) as product:
        found = chart_reference(product)
    assert [panel.label for panel in found.panels] == ["|gamma|", "|zeta|", "|alpha|"]
    for line, size in zip(found.panels[0].series, (1, 3, 4), strict=True):
        np.testing.assert_allclose(line.y, size)
        assert (line.x.size, line.x[0]) == (512, 1.0)
    assert tool("view", path) == 0


@pytest.fixture(scope="module")
def of_jwst(tmp_path_factory):
    """Nominal references of JWST by type."""
    folder = tmp_path_factory.mktemp("jwst")
    types = "distortion,photom,apcorr,filteroffset,abvegaoffset,area,mask,ipc"
    named = ("--detector", "NRCA1", "--filter", "F200W", "--types", types, "--subarray", "1,1,32,32")
    assert tool("refs", "make", folder, *named) == 0
    named = ("--detector", "NIS", "--filter", "F430M", "--types", "throughput")
    assert tool("refs", "make", folder, *named) == 0
    return {name: next(folder.glob(f"*_{name}_*")) for name in (*types.split(","), "throughput")}


@pytest.mark.slow
def test_every_reference_of_jwst_has_a_picture(of_jwst, tmp_path, capsys):
    for name, path in of_jwst.items():
        assert tool("view", path) == 0, name
        assert len(capsys.readouterr().out.splitlines()) > 3, name
        if name in ("distortion", "filteroffset", "apcorr"):
            assert tool("view", path, "-o", tmp_path / f"{name}.png") == 0, name
        assert tool("view", path, "--group", 0) in (0, 2), name
        assert "internal error" not in capsys.readouterr().err, name


def test_charts_of_jwst_tell_what_the_tables_say(of_jwst):
    charts = {}
    for name in ("photom", "apcorr", "throughput"):
        with open_any(of_jwst[name], references=True) as product:
            charts[name] = chart_jwst_reference(product, name)
    value, magnitude = (panel.series[0] for panel in charts["photom"].panels)
    assert 0.7 == value.x.min() < value.x.max() == 2.12
    at = list(value.x).index(2.0)
    assert value.y[at] == pytest.approx(photmjsr("NRCA1", "F200W"), rel=1e-5)
    area = pixel_area_sr("NRCA1")
    assert magnitude.y[at] == pytest.approx(-2.5 * np.log10(value.y[at] * area * 1e6 / 3631), abs=1e-3)
    share, correction = (panel.series[0] for panel in charts["apcorr"].panels)
    assert (np.diff(share.y) > 0).all()
    assert (correction.y > 1).all()
    line = charts["throughput"].panels[0].series[0]
    assert 4.1 < line.x[line.y > 0].mean() < 4.5


def test_a_distortion_of_jwst_has_the_scale_of_its_detector(of_jwst):
    with open_any(of_jwst["distortion"], others=True) as product:
        found = load_distortion(product)
    assert found.area.data.shape == (2048, 2048)
    assert float(re.search(r"([\d.]+) arcsec", found.area.title)[1]) == pytest.approx(0.031, abs=0.001)
    assert abs(found.area.data[1010:1038, 1010:1038].mean()) < 0.05


def test_flags_of_a_reference_of_jwst_have_the_names_that_it_gives_them(of_jwst, tmp_path):
    from astropy.io import fits

    path = tmp_path / "jwst_nircam_mask_x.fits"
    with fits.open(of_jwst["mask"]) as file:
        file["DQ"].data[:] = 2
        file["DQ_DEF"].data["VALUE"][0], file["DQ_DEF"].data["NAME"][0] = 2, "OWN"
        file.writeto(path)
    with open_any(path, references=True) as product:
        assert product.flag_bits("dq")["OWN"] == 2
        assert load_image(product).classes == [("OWN", 32 * 32)]


def test_a_reference_of_jwst_that_is_no_picture_is_refused_in_one_line(tmp_path, capsys):
    assert tool("refs", "make", tmp_path, "--detector", "MIRIMAGE", "--types", "rscd") == 0
    capsys.readouterr()
    assert tool("view", next(tmp_path.glob("*rscd*"))) == 3
    assert capsys.readouterr().err.count("\n") == 1
