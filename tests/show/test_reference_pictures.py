"""Pictures of references that are no images: distortion, ePSF, throughput, aperture corrections."""

import re

import numpy as np
import pytest
from PIL import Image

from rtools.products.opening import open_any
from rtools.show.reference_charts import chart_reference
from rtools.show.reference_pictures import load_distortion, load_epsf, plot_distortion, plot_epsf
from rtools.wfi import relative_area, zero_point
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


@pytest.mark.parametrize(("change", "status"), [
    ({}, 0), ({"spectral_type": ["A"]}, 0), ({"spectral_type": "G"}, 0), ({"defocus": ["a", "b"]}, 0),
    ({"oversample": "x"}, 0), ({"oversample": -1}, 0), ({"pixel_x": ["a"] * 9}, 3), ({"pixel_x": 3.0}, 3),
    ({"pixel_x": [[1, 2]] * 9}, 3), ({"pixel_y": [np.nan] * 9}, 3), ({"psf": PSF * np.nan}, 3), ({"psf": -PSF}, 3),
    ({"psf": PSF[0]}, 3),
])  # fmt: skip
def test_a_psf_of_any_description_is_drawn_or_refused_in_one_line(tmp_path, change, status, capsys):
    said = SAID | {name: value for name, value in change.items() if name != "psf"}
    path = write(tmp_path / "x_epsf.asdf", "reference/epsf", {"psf": change.get("psf", PSF)}, reftype="EPSF", **said)
    assert tool("view", path, "-o", tmp_path / "x.png") == status
    told = capsys.readouterr().err
    assert "internal error" not in told
    assert "not a valid file" not in told
    assert (tmp_path / "x.png").exists() == (status == 0)


OPTIONS = [
    ["--array", "psf", "--hist"], ["--array", "nothing"], ["--resultant", "-1"], ["--resultant", "99"],
    ["--section", "0:8,0:8"], ["--limits", "99%"], ["--bare"], ["--stretch", "log"], ["--dq", "none"], ["--compass"],
    ["--at", "1,1"], ["--integration", "0"],
]  # fmt: skip


@pytest.mark.parametrize("name", TYPES)
def test_no_option_ends_in_an_internal_error_for_a_reference(references, tmp_path, name, capsys):
    for number, words in enumerate(OPTIONS):
        path = tmp_path / f"{number}.png"
        status = tool("view", references[name], *words, "-o", path)
        told = capsys.readouterr().err
        assert status in (0, 2, 3), words
        assert path.exists() == (status == 0)
        assert "internal error" not in told, words
        assert "not a valid file" not in told, words


def test_what_is_asked_of_one_plane_of_a_psf_is_not_passed_over(references, tmp_path):
    assert tool("view", references["epsf"], "--bare", "--limits", "0,1", "-o", tmp_path / "x.png") == 0
    with Image.open(tmp_path / "x.png") as made:
        assert made.width == made.height  # the plane alone, not a page of them


def test_what_means_nothing_for_such_a_reference_is_refused(references, tmp_path):
    assert tool("view", references["photom"], "--section", "0:1,0:1") == 2
    assert tool("view", references["epsf"], "--resultant", 0, "-o", tmp_path / "plane.png") == 0
