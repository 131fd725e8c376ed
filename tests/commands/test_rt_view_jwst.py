"""rt-view of JWST products: planes, flags, ramps with their times, spectra, observables, light curves, sources."""

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from rtools.errors import InputError, UsageError
from rtools.jwst import GROUP_FLAGS, PIXEL_FLAGS, SUFFIXES
from rtools.products.edit import load_wcs
from rtools.products.io import writer
from rtools.products.jwst import open_jwst
from rtools.show import chart, image, plot, ramp_drawing, ramp_jwst, terminal
from rtools.show.light_curve import chart_light_curve
from rtools.show.observables import chart_observables
from rtools.show.overlay import load_outlines, load_sources
from rtools.show.spectrum import chart_spectra, load_integrations
from rtools.show.star_map import chart_sources
from rtools.show.units import unit_of
from tests.support import samples
from tests.support.jwst_files import hdus_of, made
from tests.support.runs import tool

PNG = b"\x89PNG\r\n"
ROOT = "jw01024001001_02101_00001_nrca1"

CHARTED = ("x1d", "c1d", "ami-oi", "amimulti-oi", "aminorm-oi", "phot", "whtlt", "cat")


def changed(directory, suffix, change, name=None, **options):
    """A file of a kind after a function has changed its HDUs."""
    name = name or f"{ROOT}_{suffix}.fits"
    hdus = hdus_of(suffix, name, **options)
    change(hdus)
    hdus.writeto(directory / name)
    return directory / name


def shown(path, **wanted):
    with open_jwst(path) as product:
        return image.load_image(product, **wanted)


def pixels(path, name, version=1):
    with fits.open(path) as hdus:
        return hdus[name, version].data.astype(hdus[name, version].data.dtype.newbyteorder("="))


# -- every kind -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_kind_is_drawn_in_the_terminal_and_as_a_picture(suffix, tmp_path, capsys):
    path = made(tmp_path, suffix)
    assert tool("view", path) == 0
    lines = capsys.readouterr().out.splitlines()
    assert path.name in lines[0]
    assert len(lines) > 5
    assert max(map(len, lines)) <= 80
    assert tool("view", path, "-o", tmp_path / "x.png") == 0
    assert (tmp_path / "x.png").read_bytes().startswith(PNG)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_options_of_other_kinds_and_of_roman_are_refused_in_one_line(suffix, tmp_path, capsys):
    path = made(tmp_path, suffix)
    strange = [("--resultant", "0"), ("--section", "0:2,0:2", "--frame", "l1")]
    strange += (
        [("--grid", "-o", tmp_path / "x.png"), ("--stretch", "log")] if suffix in CHARTED else [("--row", "9999")]
    )
    strange += [] if suffix in ("s3d", *CHARTED) else [("--wave", "3")]
    strange += [] if suffix in ("uncal", "ramp", "psfalign") else [("--group", "0")]
    for words in strange:
        status = tool("view", path, *words)
        captured = capsys.readouterr()
        assert (status, captured.out) == (3 if suffix == "x1dints" and words[0] == "--row" else 2, "")
        assert len(captured.err.splitlines()) == 1
    assert not (tmp_path / "x.png").exists()


# -- planes -----------------------------------------------------------------------------------------------------------


def test_group_of_an_integration_is_that_of_the_file(tmp_path):
    path = made(tmp_path, "uncal")
    data = pixels(path, "SCI")
    for wanted, place, words in (
        ({}, (1, 2), "data, integration 1 of 2, group 2 of 3"),
        ({"integration": 0}, (0, 2), "data, integration 0 of 2, group 2 of 3"),
        ({"integration": -2, "group": -3}, (0, 0), "data, integration 0 of 2, group 0 of 3"),
    ):
        found = shown(path, **wanted)
        np.testing.assert_array_equal(found.data, data[place])
        assert (found.name, found.unit, found.frame) == (words, "DN", (8, 16))


def test_integration_of_a_cube_without_its_bad_pixels(tmp_path):
    def flagged(hdus):
        hdus["SCI"].data[:], hdus["DQ"].data[:] = np.arange(256).reshape(2, 8, 16), 0
        hdus["DQ"].data[0, 3, 5] = PIXEL_FLAGS["DO_NOT_USE"] | PIXEL_FLAGS["HOT"]
        hdus["DQ"].data[1, 4, 6] = PIXEL_FLAGS["JUMP_DET"]

    path = changed(tmp_path, "calints", flagged)
    expected = np.arange(128.0).reshape(8, 16)
    first, last = shown(path, integration=0, section="4:8,2:6"), shown(path)
    assert np.argwhere(np.isnan(first.data)).tolist() == [[1, 1]]
    np.testing.assert_array_equal(np.nan_to_num(first.data), np.where(expected == 53, 0, expected)[2:6, 4:8])
    assert (first.x, first.y, first.bad, first.name) == (4, 2, 1, "data, integration 0 of 2")
    np.testing.assert_array_equal(last.data, expected + 128)
    assert shown(path, flags="JUMP_DET").bad == 1
    assert shown(path, integration=0, flags="none").bad == 0
    with pytest.raises(UsageError, match="GW_AFFECTED_DATA"):  # a flag of Roman
        shown(path, flags="GW_AFFECTED_DATA")


def test_planes_that_are_not_there_are_told(tmp_path):
    with pytest.raises(InputError, match=r"--integration 2: the array data has 2"):
        shown(made(tmp_path, "rateints"), integration=2)
    with pytest.raises(InputError, match=r"--group -4: the array data has 3"):
        shown(made(tmp_path, "ramp"), group=-4)
    with pytest.raises(UsageError, match=r"--integration: the array data has no planes"):
        shown(made(tmp_path, "rate"), integration=0)


def test_flags_of_groups_have_names_of_jwst(tmp_path):
    def flagged(hdus):
        hdus["GROUPDQ"].data[:] = 0
        hdus["GROUPDQ"].data[1, 2, :3] = GROUP_FLAGS["CHARGELOSS"]
        hdus["GROUPDQ"].data[1, 2, 0, 0] |= GROUP_FLAGS["JUMP_DET"]

    path = changed(tmp_path, "ramp", flagged)
    found = shown(path, array="GROUPDQ")
    assert found.kind == "flags"
    assert found.classes == [("CHARGELOSS", 48), ("JUMP_DET", 1)]
    assert found.data[0, 0] == 2
    assert shown(path, array="groupdq", integration=0).classes == []


def test_arrays_are_called_as_in_the_model_or_as_the_extension(tmp_path):
    path = made(tmp_path, "amilg")
    for name in ("fit_image", "FIT", "fit"):
        np.testing.assert_array_equal(shown(path, array=name, integration=0).data, pixels(path, "FIT")[0])
    with pytest.raises(InputError, match="the array sci is missing"):
        shown(path, array="sci")


def test_first_of_several_sets_is_shown_and_the_others_are_told(tmp_path, capsys):
    path = made(tmp_path, "cal", sets=3)
    np.testing.assert_array_equal(np.nan_to_num(shown(path, flags="none").data), np.nan_to_num(pixels(path, "SCI")))
    second = shown(path, array="slits.1.data", flags="none")
    np.testing.assert_array_equal(np.nan_to_num(second.data), np.nan_to_num(pixels(path, "SCI", 2)))
    assert tool("view", path) == 0
    captured = capsys.readouterr()
    assert "slits.0.data" in captured.out
    assert "the first of 3 sets" in captured.err
    assert tool("view", path, "--array", "SCI,3") == 0
    assert capsys.readouterr().err == ""


def test_context_is_shown_as_the_number_of_images(tmp_path):
    def seen(hdus):
        hdus["CON"].data = np.zeros((2, 8, 16), np.int32)
        hdus["CON"].data[0, 3, 4], hdus["CON"].data[1, 3, 4], hdus["CON"].data[0, 0, 0] = -1, 1, 5

    path = changed(tmp_path, "i2d", seen)
    found = shown(path, array="CON")
    assert (found.data[3, 4], found.data[0, 0], found.data.sum()) == (33, 2, 35)
    assert found.unit == "images"
    assert shown(path, array="CON", integration=1).data.sum() == 1


def test_segments_are_labels(tmp_path):
    found = shown(made(tmp_path, "segm"))
    assert found.kind == "labels"


def test_units_are_those_of_the_header_or_of_the_layout(tmp_path):
    def units(hdus):
        hdus["SCI"].header["BUNIT"] = "MJy/sr"
        del hdus["VAR_POISSON"].header["BUNIT"]

    with open_jwst(changed(tmp_path, "cal", units)) as product:
        assert [unit_of(product, name) for name in ("data", "var_poisson", "dq")] == ["MJy/sr", "(MJy/sr)²", ""]
    with open_jwst(made(tmp_path, "rate")) as product:
        assert unit_of(product, "var_rnoise") == "(DN/s)²"


# -- cubes ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def cube(tmp_path):
    """An s3d of 5 planes, 5.0 to 5.4 um, plane k of value k but for one bad pixel."""

    def filled(hdus):
        hdus["SCI"].data[:] = np.arange(5)[:, None, None]
        hdus["SCI"].data[4, 2, 3], hdus["DQ"].data[:] = 1e6, 0
        hdus["DQ"].data[4, 2, 3] = 1
        hdus["SCI"].header.update({"CRVAL3": 9.0, "CRPIX3": 1.0, "CDELT3": 1.0, "CUNIT3": "um"})
        table = fits.Column("wavelength", "5D", "um", dim="(1,5)", array=(5 + 0.1 * np.arange(5)).reshape(1, 5, 1))
        hdus["WCS-TABLE"] = fits.BinTableHDU.from_columns([table], name="WCS-TABLE")

    return changed(tmp_path, "s3d", filled)


def test_cube_is_its_median_along_the_wavelength_without_bad_pixels(cube, monkeypatch):
    whole = shown(cube)
    assert whole.name == "data, median of 5 planes"
    assert (whole.data[2, 3], whole.data[0, 0]) == (1.5, 2)
    assert shown(cube, flags="none").data[2, 3] == 2
    monkeypatch.setattr(image, "STACK", 1)  # a row at a time
    np.testing.assert_array_equal(shown(cube, section="1:6,1:5").data, whole.data[1:5, 1:6])


def test_plane_of_a_wavelength_is_the_nearest_by_the_table(cube):
    found = shown(cube, wave=5.17)
    assert np.unique(found.data).tolist() == [2]
    assert found.name == "data, plane 2 of 5, 5.2 um"
    assert shown(cube, integration=-1).name == "data, plane 4 of 5, 5.4 um"
    for beyond in (4.9, 5.5):
        with pytest.raises(InputError, match=r"the cube has 5 to 5\.4 um"):
            shown(cube, wave=beyond)
    with pytest.raises(UsageError, match="both choose"):
        shown(cube, wave=5.1, integration=1)


def test_wavelengths_without_a_table_are_those_of_the_axis(tmp_path):
    def linear(hdus):
        del hdus["WCS-TABLE"]
        hdus["SCI"].header.update({"CRVAL3": 6e-6, "CRPIX3": 2.0, "CDELT3": 1e-7, "CUNIT3": "m"})

    assert shown(changed(tmp_path, "s3d", linear), wave=6.1).name == "data, plane 2 of 5, 6.1 um"


# -- ramps ------------------------------------------------------------------------------------------------------------


TIMES = {"TFRAME": 2.0, "TGROUP": 10.0, "NFRAMES": 4, "GROUPGAP": 1, "SUBSTRT1": 101, "SUBSTRT2": 201}


def ramp_file(directory, suffix="ramp", groups=6):
    """Two integrations that rise by 3 and 5 DN/s; a jump of 40 DN in the second, saturation in the first."""

    def filled(hdus):
        hdus[0].header.update(TIMES)
        times = 10.0 * np.arange(groups)
        values = np.stack([100 + 3 * times, 50 + 5 * times + 40 * (np.arange(groups) >= 3)])
        cube = np.broadcast_to(values[:, :, None, None], (2, groups, 8, 16))
        hdus["SCI"].data = cube.astype("f4" if suffix == "ramp" else "u2")
        if suffix == "ramp":
            hdus["GROUPDQ"].data, hdus["PIXELDQ"].data[:] = np.zeros(cube.shape, np.uint8), 0
            hdus["GROUPDQ"].data[0, 4:, 3, 5] = GROUP_FLAGS["SATURATED"]
            hdus["GROUPDQ"].data[1, 3, 3, 5] = GROUP_FLAGS["JUMP_DET"]
            hdus["PIXELDQ"].data[3, 5] = PIXEL_FLAGS["HOT"]

    return changed(directory, suffix, filled)


def rate_file(directory, suffix, value, **cards):
    def filled(hdus):
        hdus[0].header.update(TIMES | cards)
        hdus["SCI"].data[:], hdus["DQ"].data[:] = np.nan, 0
        hdus["SCI"].data[..., 2, 4] = value
        hdus["SCI"].header["BUNIT"] = "DN/s"

    return changed(directory, suffix, filled)


def groups(path, x=5, y=3, **wanted):
    with open_jwst(path) as product:
        return ramp_jwst.load_groups(product, x, y, **wanted)


def test_groups_stand_at_the_mean_time_of_their_frames(tmp_path):
    first, second = groups(ramp_file(tmp_path))
    np.testing.assert_allclose(first.times, 5 + 10 * np.arange(6))  # frames end at 2, 4, 6, 8 s; the fifth is a gap
    np.testing.assert_array_equal(first.values, 100 + 30 * np.arange(6))
    np.testing.assert_array_equal(second.values, [50, 100, 150, 240, 290, 340])
    assert (first.label, second.label, first.word, first.unit) == ("integration 0", "integration 1", "group", "DN")


def test_raw_groups_have_the_flags_of_the_ramp_beside_them(tmp_path):
    path = ramp_file(tmp_path, "uncal")
    assert [one.flags.any() for one in groups(path)] == [False, False]
    beside = ramp_file(tmp_path)
    first, second = groups(path)
    assert (first.words(4), second.jumps, first.pixel_flags) == ("SATURATED", [3], PIXEL_FLAGS["HOT"])
    assert first.title.endswith(f"pixel 5,3  flags of {ROOT}_ramp.fits")
    with fits.open(beside, mode="update") as hdus:
        hdus[0].header["SUBSTRT1"] = 102  # other pixels
    assert not groups(path)[0].flags.any()


def test_times_follow_from_the_frames_where_there_is_no_group_time(tmp_path):
    path = ramp_file(tmp_path)
    with fits.open(path, mode="update") as hdus:
        del hdus[0].header["TGROUP"]
        hdus[0].header["DRPFRMS1"] = 1
    np.testing.assert_allclose(groups(path)[0].times, 7 + 10 * np.arange(6))
    with fits.open(path, mode="update") as hdus:
        del hdus[0].header["TFRAME"]
    with pytest.raises(InputError, match="TGROUP or TFRAME"):
        groups(path)


def test_saturated_groups_and_jumps_are_those_of_groupdq(tmp_path):
    first, second = groups(ramp_file(tmp_path))
    assert first.bad.tolist() == [False] * 4 + [True] * 2
    assert first.words(4) == "SATURATED"
    assert (first.jumps, second.jumps) == ([], [3])
    assert second.bad.sum() == 0
    assert first.pixel_flags == PIXEL_FLAGS["HOT"]
    assert first.rate == pytest.approx(3)
    assert "straight line through 4 unflagged groups" in first.source


def test_line_has_the_rate_of_each_integration_and_breaks_at_the_jump(tmp_path):
    path = ramp_file(tmp_path)
    rate_file(tmp_path, "rate", 4.0, SUBSTRT1=102, SUBSTRT2=202)
    assert [(one.rate, one.source) for one in groups(path)] == [(4, f"{ROOT}_rate.fits")] * 2
    rate_file(tmp_path, "rateints", np.array([3.0, 5.0]), SUBSTRT1=102, SUBSTRT2=202)
    first, second = groups(path)
    assert (first.rate, second.rate, first.source) == (3, 5, f"{ROOT}_rateints.fits")
    assert len(second.lines) == 2
    for ends, values in second.lines:
        np.testing.assert_allclose(np.interp(ends, second.times, second.values), values)
    assert groups(path, rate=tmp_path / f"{ROOT}_rate.fits")[0].rate == 4
    (elsewhere,) = groups(path, 6, 3, integration=-1)
    assert "rateints.fits has no rate here; " in elsewhere.source


def test_an_integration_is_chosen_and_the_others_are_not_drawn(tmp_path, capsys):
    path = ramp_file(tmp_path, "uncal")
    (one,) = groups(path, integration=-1)
    assert one.title.endswith("pixel 5,3  integration 1 of 2")
    assert tool("view", path, "--at", "5,3", "--integration", "1") == 0
    out = capsys.readouterr().out
    assert "        5      55.00          340" in out
    assert "130" not in out
    for pixel, number in (((16, 0), None), ((0, 0), 2)):
        with pytest.raises(InputError, match=r"outside|--integration 2: there are 2"):
            groups(path, *pixel, integration=number)


def test_all_integrations_are_drawn_each_with_its_line(tmp_path, capsys):
    path = ramp_file(tmp_path)
    figure = ramp_drawing.plot_ramps(groups(path))
    found = [line for line in figure.axes[0].lines if line.get_marker() == "o" and len(line.get_xdata()) in (4, 6)]
    assert [line.get_ydata().tolist() for line in found] == [[100, 130, 160, 190], [50, 100, 150, 240, 290, 340]]
    assert figure.axes[1].get_xlabel() == "time since the start of the integration [s]"
    assert tool("view", path, "--ramp", "5,3") == 0
    out = capsys.readouterr().out
    assert out.count("integration 0") == out.count("integration 1") == 2
    assert "SATURATED" in out
    assert "JUMP_DET" in out


def test_only_ramps_have_groups(tmp_path, capsys):
    assert tool("view", made(tmp_path, "rate"), "--at", "1,1") == 3
    assert "has no groups" in capsys.readouterr().err


# -- spectra ----------------------------------------------------------------------------------------------------------


def spectrum_file(directory, suffix="x1d", sets=1, **options):
    """Spectra of 5 wavelengths, of which the third is not to be used."""

    def filled(hdus):
        for version in range(1, sets + 1):
            data = hdus["EXTRACT1D", version].data
            data["WAVELENGTH"], data["FLUX"] = 1 + 0.1 * np.arange(5), version * np.arange(1, 6)
            data["FLUX_ERROR"], data["DQ"] = 0.5, [0, 0, 1, 4, 0]
            data["SURF_BRIGHT"] = 0
            hdus["EXTRACT1D", version].header["SPORDER"] = version
            del hdus["EXTRACT1D", version].header["SOURCEID"]

    return changed(directory, suffix, filled, sets=sets, **options)


def charted(path, **wanted):
    with open_jwst(path) as product:
        return chart_spectra(product, **wanted)


def test_a_line_ends_where_wavelengths_have_a_gap(tmp_path):
    """Two channels of a merged cube were joined by a straight line."""

    def apart(hdus):
        hdus["EXTRACT1D"].data["WAVELENGTH"] = [1, 1.1, 5, 5.1, 5.2]
        hdus["EXTRACT1D"].data["FLUX"], hdus["EXTRACT1D"].data["DQ"] = 1, 0

    (panel,) = charted(changed(tmp_path, "x1d", apart))[0].panels
    (line,) = panel.series
    np.testing.assert_array_equal(line.y, [1, 1, np.nan, 1, 1, 1])
    assert len(line.x) == len(line.error) == 6


def test_spectrum_has_its_flux_its_error_and_its_flagged_points(tmp_path):
    found, notes = charted(spectrum_file(tmp_path))
    (panel,) = found.panels
    line, flagged = panel.series
    np.testing.assert_allclose(line.x, [1, 1.1, 1.2, 1.3, 1.4])
    np.testing.assert_array_equal(line.y, [1, 2, np.nan, 4, 5])
    assert line.error.tolist() == [0.5] * 5
    assert (flagged.x.tolist(), flagged.y.tolist(), flagged.flagged) == ([1.2], [3], True)
    assert (found.label, panel.label, panel.note) == ("wavelength [um]", "flux [Jy]", "median error 0.5")
    assert found.title.endswith("EXTRACT1D, order 1")
    assert notes == []


def test_flags_of_a_spectrum_are_chosen_by_name(tmp_path):
    path = spectrum_file(tmp_path)
    assert charted(path, flags="JUMP_DET")[0].panels[0].series[1].x == pytest.approx([1.3])
    assert len(charted(path, flags="none")[0].panels[0].series) == 1


def test_band_of_the_error_is_drawn_and_does_not_widen_the_axes(tmp_path):
    found, _notes = charted(spectrum_file(tmp_path))
    series = found.panels[0].series[0]._replace(error=np.array([1, 1, 1, 1, 1e9]))
    figure = chart.plot_chart(found._replace(panels=(found.panels[0]._replace(series=(series,)),)))
    (axes,) = figure.axes
    low, high = axes.get_ylim()
    assert 0 < low < 1
    assert 5 < high < 6
    (band,) = axes.collections
    assert max(part.vertices[:, 1].max() for part in band.get_paths()) > 1e8


def test_surface_brightness_is_drawn_where_asked_for_or_where_there_is_no_flux(tmp_path):
    path = spectrum_file(tmp_path)
    assert charted(path, array="surf_bright")[0].panels[0].label == "surface brightness [MJy/sr]"
    with fits.open(path, mode="update") as hdus:
        hdus["EXTRACT1D"].data["FLUX"], hdus["EXTRACT1D"].data["SURF_BRIGHT"] = np.nan, 7
    (panel,) = charted(path)[0].panels
    assert panel.label.startswith("surface brightness")
    assert np.nanmax(panel.series[0].y) == 7
    with pytest.raises(InputError, match="FLUX"):
        charted(path, array="nothing")


def test_orders_are_drawn_together_or_one_by_one(tmp_path):
    path = spectrum_file(tmp_path, sets=3)
    found, _notes = charted(path)
    lines = [one for one in found.panels[0].series if not one.flagged]
    assert [(one.label, one.y[0]) for one in lines] == [("order 1", 1), ("order 2", 2), ("order 3", 3)]
    for wanted in ("2", "EXTRACT1D,2"):
        assert charted(path, hdu=wanted)[0].panels[0].series[0].y[1] == 4
    with pytest.raises(InputError, match="no such spectrum"):
        charted(path, hdu="4")


def test_first_of_many_spectra_is_drawn_and_the_others_are_told(tmp_path):
    found, notes = charted(spectrum_file(tmp_path, sets=7))
    assert found.panels[0].series[0].y[0] == 1
    assert notes == ["the first of 7 spectra: --hdu 1 to 7 chooses one"]


def series_file(directory):
    """Spectra of two integrations, of 5 and of 4 wavelengths."""

    def filled(hdus):
        data = hdus["EXTRACT1D"].data
        data["WAVELENGTH"], data["DQ"] = 1 + 0.1 * np.arange(5), 0
        data["FLUX"] = [[1, 2, 3, 4, 5], [10, 20, 30, 40, 99]]
        data["N_ALONGDISP"], data["DQ"][0, 1] = [5, 4], 1

    return changed(directory, "x1dints", filled)


def test_series_of_spectra_is_an_image_of_integration_and_wavelength(tmp_path, capsys):
    path = series_file(tmp_path)
    with open_jwst(path) as product:
        found, _notes = load_integrations(product)
    np.testing.assert_array_equal(found.data, [[1, np.nan, 3, 4, 5], [10, 20, 30, 40, np.nan]])
    np.testing.assert_allclose(found.places, 1 + 0.1 * np.arange(5))
    assert (found.axes, found.unit) == (("wavelength [um]", "integration"), "Jy")
    figure = plot.plot_image(found)
    ticks = {text.get_text(): place for text, place in zip(figure.axes[0].get_xticklabels(),
                                                           figure.axes[0].get_xticks(), strict=True)}  # fmt: skip
    assert ticks["1.2"] == pytest.approx(2)
    assert tool("view", path) == 0
    assert "wavelength [um] 1 to 1.4, integration 0 to 1" in capsys.readouterr().out


def test_row_of_a_series_of_spectra_is_one_spectrum(tmp_path):
    found, _notes = charted(series_file(tmp_path), row=-1)
    (line,) = found.panels[0].series
    assert line.y.tolist() == [10, 20, 30, 40]
    assert "integration 1 of 2" in found.title
    with pytest.raises(InputError, match="has 2 rows"):
        charted(tmp_path / f"{ROOT}_x1dints.fits", row=2)


def test_old_series_with_an_extension_for_each_integration_is_an_image_too(tmp_path):
    path = spectrum_file(tmp_path, sets=3, model="TSOMultiSpecModel")
    with open_jwst(path) as product:
        assert product.kind == "x1dints"
        found, notes = load_integrations(product, flags="none")
    np.testing.assert_array_equal(found.data, np.outer([1, 2, 3], np.arange(1, 6)))
    assert notes == []


# -- interferometry ---------------------------------------------------------------------------------------------------


def test_observables_stand_at_their_baselines_and_flagged_ones_apart(tmp_path):
    def filled(hdus):
        pairs, triangles = hdus["OI_VIS2"].data, hdus["OI_T3"].data
        pairs["UCOORD"], pairs["VCOORD"], pairs["VIS2DATA"], pairs["VIS2ERR"] = 3, 4, np.arange(21), 0.1
        pairs["FLAG"] = np.arange(21) == 20
        triangles["U1COORD"], triangles["V1COORD"], triangles["U2COORD"], triangles["V2COORD"] = 3, 0, 3, 8
        triangles["T3PHI"], triangles["T3PHIERR"], triangles["FLAG"] = np.arange(35), 2, False

    with open_jwst(changed(tmp_path, "ami-oi", filled)) as product:
        found = chart_observables(product)
    squares, phases = found.panels
    assert (set(squares.series[0].x), set(phases.series[0].x)) == ({5.0}, {10.0})  # the third side is the longest
    assert squares.series[0].y.tolist() == list(range(20))
    assert squares.series[0].error.tolist() == [0.1] * 20
    assert (squares.series[1].y.tolist(), squares.series[1].flagged) == ([20], True)
    assert phases.series[0].y.tolist() == list(range(35))
    assert (squares.label, phases.label) == ("V²", "closure phase [deg]")


def test_observables_of_an_integration_are_chosen(tmp_path):
    path = made(tmp_path, "amimulti-oi")
    with open_jwst(path) as product:
        table = product.table("OI_VIS2")
        good = ~np.asarray(table["FLAG"]).astype(bool)
        both, one = chart_observables(product), chart_observables(product, integration=-1)
        with pytest.raises(InputError, match="there are 2"):
            chart_observables(product, integration=2)
    assert [part.label for part in both.panels[0].series] == ["integration 0", "integration 1", "flagged"]
    np.testing.assert_array_equal(one.panels[0].series[0].y, np.asarray(table["VIS2DATA"])[good, 1])
    assert one.title.endswith("integration 1 of 2")


# -- light curves, catalogs -------------------------------------------------------------------------------------------


def light_curve(path, **columns):
    table = Table(columns)
    for name in columns:
        table[name].unit = None if name.startswith(("MJD", "BJD")) else "Jy"
    table.write(path, format="ascii.ecsv")
    return path


def test_light_curve_is_flux_against_time_with_errors(tmp_path):
    time, flux = 60000.5 + np.arange(4) / 100, np.array([3.0, np.nan, 1.0, 2.0])
    path = light_curve(tmp_path / "x_phot.ecsv", MJD=time, aperture_sum=flux + 1, net_aperture_sum=flux,
                       net_aperture_sum_err=np.full(4, 0.25))  # fmt: skip
    with open_jwst(path) as product:
        found, other = chart_light_curve(product), chart_light_curve(product, array="aperture_sum")
    (panel,) = found.panels
    np.testing.assert_allclose(panel.series[0].x, [0.5, 0.51, 0.52, 0.53])
    np.testing.assert_array_equal(panel.series[0].y, flux)
    assert panel.series[0].error.tolist() == [0.25] * 4
    assert (found.label, panel.label) == ("MJD (UTC) - 60000 [d]", "net flux [Jy]")
    assert np.nanmax(other.panels[0].series[0].y) == 4
    with open_jwst(path) as product, pytest.raises(InputError, match="net_aperture_sum"):
        chart_light_curve(product, array="nothing")


def test_white_light_curve_has_a_series_for_each_order(tmp_path):
    time = 60000 + np.arange(3.0)
    path = light_curve(tmp_path / "x_whtlt.ecsv", MJD_UTC=time, BJD_TDB=time + 0.004, whitelight_flux_order_1=time,
                       whitelight_flux_order_2=time / 2)  # fmt: skip
    with open_jwst(path) as product:
        found = chart_light_curve(product)
    assert [one.label for one in found.panels[0].series] == ["order 1", "order 2"]
    assert found.label.startswith("BJD (TDB)")
    np.testing.assert_array_equal(found.panels[0].series[1].y, time / 2)


def sources(path, **more):
    x, y = np.array([2.0, 5.5, 9.0, 12.0]), np.array([1.0, 3.0, 6.0, 7.0])
    table = Table({"label": np.arange(1, 5), "xcentroid": x, "ycentroid": y} | more)
    table.write(path, format="ascii.ecsv")
    return x, y


def test_map_of_sources_has_each_once_the_brightest_on_top(tmp_path):
    magnitudes = np.array([22.0, 19.0, np.nan, 25.0])
    x, y = sources(tmp_path / "x_cat.ecsv", isophotal_abmag=magnitudes)
    with open_jwst(tmp_path / "x_cat.ecsv") as product:
        found = chart_sources(product)
    series = found.panels[0].series
    assert [one.label for one in series] == ["unknown", "25 to 25", "22 to 22", "19 to 19"]
    assert sorted(np.concatenate([one.x for one in series])) == sorted(x)
    assert (series[-1].x, series[-1].y) == (x[1], y[1])
    figure = chart.plot_chart(found)
    assert figure.axes[0].get_aspect() == 1


def test_map_in_the_terminal_has_one_scale(tmp_path):
    box = chart.Series("", np.array([0.0, 100, 100, 0]), np.array([0.0, 0, 50, 50]))
    found = chart.Chart("", "x", (chart.Panel("y", (box,)),), is_map=True)
    lines = chart.draw_chart(found, terminal.Style(80, 60))[2:-1]
    columns = max(len(line) for line in lines) - 12
    assert columns == pytest.approx(4 * len(lines), abs=4)  # a character is twice as high as wide


def test_sources_lie_over_an_image_by_the_sky_or_by_its_pixels(tmp_path, capsys):
    cards = {"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": 80.0, "CRVAL2": -69.5, "CRPIX1": 1.0, "CRPIX2": 1.0,
             "CD1_1": -1e-5, "CD1_2": 0.0, "CD2_1": 0.0, "CD2_2": 1e-5}  # fmt: skip

    def filled(hdus):
        hdus["SCI"].data[:] = 0
        hdus["SCI"].header.update(cards)

    path = changed(tmp_path, "i2d", filled)
    sources(tmp_path / "x_cat.ecsv")
    assert tool("view", path, "--sources", tmp_path / "x_cat.ecsv", "--limits", "0,1", "-v") == 0
    assert "4 of 4 sources in the picture" in capsys.readouterr().err
    sources(tmp_path / "y_cat.ecsv", **{"sky_centroid.ra": np.full(4, 80.0), "sky_centroid.dec": np.full(4, -69.49998)})
    with open_jwst(path) as product:
        by_sky = load_sources(tmp_path / "y_cat.ecsv", product, wcs=load_wcs(product))
        by_pixel = load_sources(tmp_path / "y_cat.ecsv", product)
    np.testing.assert_allclose(by_sky, [[0] * 4, [2] * 4], atol=1e-4)
    np.testing.assert_array_equal(by_pixel, [[2, 5.5, 9, 12], [1, 3, 6, 7]])
    lines = terminal.draw_image(shown(path), terminal.Style(80, 20), limits="0,1", sources=by_pixel)
    marks = [text.index("o") // 4 for text in lines[1:-2] if "o" in text]  # from above
    assert sorted(marks) == [2, 6, 9, 12]


def test_compass_and_scale_follow_the_header_where_there_is_no_gwcs(tmp_path, capsys):
    def turned(hdus):
        hdus["SCI"].header.update({"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": 80.0, "CRVAL2": -69.5,
                                   "CRPIX1": 8.0, "CRPIX2": 4.0, "CD1_1": 0.0, "CD1_2": 1e-5, "CD2_1": 1e-5,
                                   "CD2_2": 0.0})  # fmt: skip

    path = changed(tmp_path, "rate", turned)
    assert tool("view", path, "--compass") == 0
    assert "north → east ↑ 0.036 arcsec a pixel" in " ".join(capsys.readouterr().out.split())
    assert tool("view", made(tmp_path, "cal"), "--compass") == 3
    assert "has no WCS" in capsys.readouterr().err


def test_outlines_of_a_segmentation_map_lie_over_its_image(tmp_path):
    def filled(hdus):
        hdus["SCI"].data[:] = 0
        hdus["SCI"].data[2:5, 4:8] = 7

    segments = changed(tmp_path, "segm", filled)
    path = made(tmp_path, "i2d")
    with open_jwst(path) as product:
        outlines = load_outlines(segments, product, image.load_image(product, section="3:16,1:8"))
    expected = np.zeros((7, 13), bool)
    expected[1:4, 1:5] = True
    expected[2, 2:4] = False
    np.testing.assert_array_equal(outlines, expected)


# -- options of one mission -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [("--integration", "0"), ("--group", "0"), ("--wave", "2"), ("--hdu", "1")])
def test_options_of_jwst_are_refused_for_roman_files_where_they_are_typed(words, tmp_path, capsys, monkeypatch):
    path = tmp_path / "x_cal.asdf"
    writer.write_product(path, "l2_image", samples.meta("l2_image"), samples.arrays("l2_image"))
    assert tool("view", path, *words) == 2
    assert capsys.readouterr().err == f"rt-view: {path}: {words[0]} does not go with a _cal file\n"
    monkeypatch.setenv(f"RT_{words[0][2:].upper()}", words[1])  # it may be meant for other calls
    assert tool("view", path) == 0


def test_what_the_environment_says_of_pictures_is_no_matter_for_charts(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("RT_STRETCH", "log")
    assert tool("view", made(tmp_path, "x1d")) == 0
