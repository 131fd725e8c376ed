"""rt-fits: ASDF to FITS and back without loss, as others read it, and what is refused."""

import warnings
from pathlib import Path

import asdf
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS

from rtools import to_fits
from rtools.products.io import open_product
from rtools.products.schema import layout
from tests.support import samples
from tests.support.fits_files import back, by_asdf, lossless, sample, there, verified
from tests.support.judges import newest_only
from tests.support.runs import arrays, copied, history, listing, meta, piped, tool
from tests.support.share import some_slow


@pytest.mark.parametrize("suffix", ["uncal", "dqinit", "linearity", "rampfit", "flat", "cal"])
def test_products_come_back_as_they_were(product, suffix, tmp_path):
    lossless(product(suffix), tmp_path)


@pytest.mark.parametrize("suffix", ["uncal", "cal"])
def test_compressed_products_come_back_as_they_were(product, suffix, tmp_path):
    made = lossless(product(suffix), tmp_path, "--compression", "zlib")
    plain = there(product(suffix), tmp_path / "plain")
    assert made.stat().st_size < 0.7 * plain.stat().st_size
    with fits.open(made) as hdus, fits.open(plain) as expected:
        names = [hdu.name for hdu in expected if hdu.is_image and hdu.shape]
        assert {hdu.name for hdu in hdus} >= {*names, "ASDF", "READPATT"}
        for name in names:
            assert hdus[name].data.dtype.newbyteorder("=") == expected[name].data.dtype.newbyteorder("="), name
            np.testing.assert_array_equal(hdus[name].data, expected[name].data)
        cards = hdus["SCI"].header
        assert all(cards.get(key) == value for key, value in expected["SCI"].header.items() if "SUM" not in key)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["ramp", "l3_coadd", "segm_exposure", "reference/linearity", "l1_gw"])
def test_compressed_kinds_come_back_as_they_were(kind, tmp_path):
    lossless(sample(tmp_path, kind), tmp_path, "--compression", "zlib")


def test_the_function_writes_tiles_as_the_tool_does(product, tmp_path):
    made = to_fits(product("cal"), tmp_path / "a_cal.fits", compressed=True)
    with fits.open(made, disable_image_compression=True) as hdus:
        assert {hdus[name].header["ZCMPTYPE"] for name in ("SCI", "ERR", "DQ", "ASDF")} == {"GZIP_2"}
    np.testing.assert_array_equal(fits.getdata(made, "SCI"), arrays(product("cal"), "data")["data"])


def test_compression_that_fits_does_not_have_is_refused(product, tmp_path, capsys):
    assert tool("fits", product("cal"), "--compression", "lz4", "--outdir", tmp_path) == 2
    assert "FITS has zlib and none" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_compressed_file_without_its_tree_makes_a_product(product, tmp_path):
    made = there(product("cal"), tmp_path, "--compression", "zlib")
    with fits.open(made) as hdus:
        del hdus["ASDF"]
        hdus.writeto(tmp_path / "bare_cal.fits")
    assert tool("fits", tmp_path / "bare_cal.fits", "--lossy", "-q") == 0
    found, known = arrays(tmp_path / "bare_cal.asdf"), arrays(product("cal"))
    for name in ("data", "err", "dq"):
        np.testing.assert_array_equal(found[name], known[name])


RNG = np.random.default_rng(5)

IMAGES = [kind for kind in layout.facts()["products"] if kind.startswith(("l1_uncal", "ramp", "l2", "l3", "segm_exp"))]
REFERENCES = [f"reference/{name}" for name in layout.facts()["references"] if name != "bam"]


@pytest.mark.slow
@pytest.mark.parametrize("kind", [*IMAGES, *REFERENCES, "l1_gw", "l1_face"])
def test_every_kind_comes_back_as_it_was(kind, tmp_path):
    lossless(sample(tmp_path, kind), tmp_path)


@pytest.mark.parametrize("profile", layout.PROFILES)
def test_every_profile_comes_back_as_it_was(profile, tmp_path):
    made = lossless(sample(tmp_path, "ramp", profile=profile), tmp_path)
    with fits.open(made) as hdus:
        assert ("PIXELDQ2" in hdus) == (profile == "2.2.0")


@pytest.mark.parametrize("version", newest_only(["1.1.0", "1.2.0"]))
def test_what_came_back_is_a_valid_product(version, product, tmp_path, judge):
    again = [back(there(product(suffix), tmp_path), tmp_path / "asdf") for suffix in ("uncal", "linearity", "cal")]
    assert all(verdict["ok"] for verdict in judge(version, again).values())


def test_twice_there_and_back(product, tmp_path):
    first = there(product("cal"), tmp_path / "1")
    second = there(back(first, tmp_path / "2"), tmp_path / "3")
    with fits.open(first) as one, fits.open(second) as two:
        assert {hdu.name for hdu in one} == {hdu.name for hdu in two}
        for hdu in one[1:]:
            if hdu.is_image:
                np.testing.assert_array_equal(hdu.data, two[hdu.name].data)


# -- what others find -------------------------------------------------------------------------------------------------


def test_an_image_as_astropy_reads_it(product, tmp_path):
    made, source = there(product("cal"), tmp_path), arrays(product("cal"))
    with fits.open(made) as hdus:
        assert [hdu.name for hdu in hdus][:4] == ["PRIMARY", "SCI", "ERR", "DQ"]
        assert hdus[-1].name == "ASDF"
        assert hdus[0].header["NAXIS"] == 0
        for name, extension in [("data", "SCI"), ("err", "ERR"), ("dq", "DQ"), ("var_poisson", "VAR_POISSON"),
                                ("amp33", "AMP33"), ("border_ref_pix_top", "REFPIX_T"),
                                ("dq_border_ref_pix_left", "DQREF_L")]:  # fmt: skip
            np.testing.assert_array_equal(hdus[extension].data, source[name])
        assert hdus["DQ"].data.dtype == np.uint32
        assert hdus["ERR"].header["RT_DTYPE"] == "float16"
        assert hdus["SCI"].header["BUNIT"] == "DN/s"
        assert "JUMP_INDICES" not in hdus


def test_a_raw_ramp_as_astropy_reads_it(product, tmp_path):
    data = arrays(product("uncal"), "data")["data"]
    with fits.open(there(product("uncal"), tmp_path / "4")) as hdus:
        assert hdus["SCI"].data.shape == (1, *data.shape)
        assert hdus["SCI"].data.dtype == np.uint16
        np.testing.assert_array_equal(hdus["SCI"].data[0], data)
        assert {"AMP33", "REFREAD"} <= {hdu.name for hdu in hdus}
    with fits.open(lossless(product("uncal"), tmp_path / "3", "--3d")) as hdus:
        assert hdus["SCI"].data.shape == data.shape


def test_metadata_as_keywords(product, tmp_path):
    made, known = there(product("cal"), tmp_path), meta(product("cal"))
    primary, science = fits.getheader(made), fits.getheader(made, "SCI")
    assert primary["FILENAME"] == made.name
    assert (primary["TELESCOP"], primary["INSTRUME"]) == ("ROMAN", "WFI")
    assert primary["FILTER"] == known["instrument"]["optical_element"]
    assert primary["EFFEXPTM"] == known["exposure"]["effective_exposure_time"]
    assert primary["S_RAMP"] == "COMPLETE"
    assert primary["NGROUPS"] == len(known["exposure"]["read_pattern"])
    assert primary["DATE-BEG"] == str(known["exposure"]["start_time"])
    assert science["S_REGION"] == known["wcsinfo"]["s_region"]
    assert science["MJD-BEG"] == primary["EXPSTART"] == pytest.approx(61406.0)
    assert science["PIXAR_A2"] == pytest.approx(science["PIXAR_SR"] * (180 / np.pi * 3600) ** 2, rel=1e-6)
    assert "TGROUP" not in primary


def test_an_even_read_pattern_has_jwst_keywords(tmp_path):
    def even(known, _data):
        known["exposure"] |= {"read_pattern": [[2, 3], [7, 8], [12, 13]], "frame_time": 3.0}

    primary = fits.getheader(there(sample(tmp_path, "l1_uncal", change=even), tmp_path))
    assert (primary["NFRAMES"], primary["GROUPGAP"], primary["TGROUP"]) == (2, 3, 15.0)


def test_tables_for_people(product, tmp_path):
    made, known = there(product("cal"), tmp_path), meta(product("cal"))
    with fits.open(made) as hdus:
        told = dict(zip(hdus["META"].data["PATH"], hdus["META"].data["VALUE"], strict=True))
        assert told["instrument.detector"] == "WFI01"
        assert float(told["exposure.frame_time"]) == known["exposure"]["frame_time"]
        reads = hdus["READPATT"].data
        assert [list(entry) for entry in reads["READS"]] == known["exposure"]["read_pattern"]
        mean = [np.mean(entry) * known["exposure"]["frame_time"] for entry in known["exposure"]["read_pattern"]]
        np.testing.assert_allclose(reads["TBAR"], mean)
        flags = dict(zip(hdus["DQ_DEF"].data["NAME"], hdus["DQ_DEF"].data["VALUE"], strict=True))
        assert (flags["JUMP_DET"], flags["REFERENCE_PIXEL"]) == (4, 1 << 31)


def test_tau_is_that_of_the_ramp_fit(product, tmp_path):
    from rtools.exposure.rampfit.timing import resultant_timing

    exposure = meta(product("cal"))["exposure"]
    table = fits.getdata(there(product("cal"), tmp_path), "READPATT")
    np.testing.assert_allclose(table["TAU"], resultant_timing(exposure["read_pattern"], exposure["frame_time"]).tau)


def test_barycentric_time_is_within_the_light_time_of_the_orbit(product, tmp_path):
    table = fits.getdata(there(product("cal"), tmp_path), "INT_TIMES")
    delay = (table["int_mid_BJD_TDB"] - 2400000.5 - table["int_mid_MJD_UTC"]) * 86400 - 69.184
    assert abs(delay) < 510
    ephemeris = meta(product("cal"))["ephemeris"]
    place = [ephemeris[f"spatial_{axis}"] for axis in "xyz"]
    target = SkyCoord(*(meta(product("cal"))["pointing"][f"target_{one}"] for one in ("ra", "dec")), unit="deg")
    assert delay[0] == pytest.approx(np.dot(place, target.cartesian.xyz.value) / 299792.458, abs=0.01)


def test_the_plain_asdf_library_reads_the_extension(product, tmp_path):
    import io

    with fits.open(there(product("cal"), tmp_path)) as hdus:
        stored = io.BytesIO(hdus["ASDF"].data["ASDF_METADATA"][0].tobytes())
        names = {hdu.name for hdu in hdus}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with asdf.open(stored, lazy_load=False, memmap=False, ignore_unrecognized_tag=True) as file:
            assert file["roman"]["meta"]["instrument"]["detector"] == "WFI01"
            np.testing.assert_array_equal(file["roman"]["jump_indices"], arrays(product("cal"))["jump_indices"])
    text = stored.getvalue()
    assert b"source: fits:SCI,1" in text
    assert {"SCI", "ASDF"} <= names


# -- sky --------------------------------------------------------------------------------------------------------------


def apart(wcs, found, size, shift=0):
    """Largest separation in pixels between a gwcs and a header at random places."""
    x, y = RNG.uniform(-0.5, size - 0.5, (2, 2000))
    one = SkyCoord(*wcs(x, y, with_bounding_box=False), unit="deg")
    two = SkyCoord(*found.all_pix2world(x + shift, y + shift, 0), unit="deg")
    return one.separation(two).arcsec.max() / 0.11


def test_sky_positions_of_an_image_agree(product, tmp_path):
    made = there(product("cal"), tmp_path)
    wcs = open_product(product("cal")).node("meta.wcs")
    found = WCS(fits.getheader(made, "SCI"))
    size = fits.getheader(made, "SCI")["NAXIS1"]
    error = apart(wcs, found, size)
    assert error < 0.01
    assert error <= 1.05 * fits.getheader(made, "SCI")["RT_WCSMX"]
    assert "CTYPE1" not in fits.getheader(made, "ERR")
    everywhere = there(product("cal"), tmp_path / "all", "--wcs-all")
    assert all(fits.getheader(everywhere, name)["CTYPE1"] for name in ("ERR", "DQ", "VAR_POISSON"))


@pytest.mark.parametrize("suffix", ["uncal", "linearity"])
def test_ramps_take_the_wcs_beside_them_or_named(product, suffix, tmp_path):
    wcs = open_product(product("wcs")).node("wcs_l2")
    image = product("cal").parent
    alone = copied(product(suffix), tmp_path / "alone")
    bare = fits.getheader(there(alone, tmp_path / "bare"), "SCI")
    assert "CTYPE1" not in bare
    named = fits.getheader(there(alone, tmp_path / "named", "--wcs", product("wcs")), "SCI")
    copied(product("wcs"), tmp_path / "alone")
    beside = fits.getheader(there(alone, tmp_path / "beside"), "SCI")
    by_image = fits.getheader(there(alone, tmp_path / "image", "--wcs", image / product("cal").name), "SCI")
    for found in (named, beside, by_image):
        assert (found["WCSAXES"], found["CTYPE3"], found["CTYPE4"]) == (4, "GROUP", "INTEGRATION")
        assert apart(wcs, WCS(found, naxis=2), 248, shift=4) < 0.01


def test_a_raw_file_takes_the_wcs_of_the_image_where_there_is_no_other(product, tmp_path):
    source = copied(product("uncal"), tmp_path / "in")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with asdf.open(product("wcs"), ignore_unrecognized_tag=True, lazy_load=False, memmap=False) as file:
            del file["roman"]["wcs_l1"]
            asdf.AsdfFile({"roman": file["roman"]}).write_to(tmp_path / "in" / product("wcs").name)
    found = fits.getheader(there(source, tmp_path), "SCI")
    image = WCS(fits.getheader(there(product("cal"), tmp_path), "SCI"))
    assert (found["CRPIX1"], found["CRPIX2"]) == tuple(image.wcs.crpix + 4)
    assert apart(open_product(product("wcs")).node("wcs_l2"), WCS(found, naxis=2), 248, shift=4) < 0.01


def bent(amplitude):
    """`samples.wcs` with waves that no polynomial of order six follows."""
    from astropy.modeling.models import Identity, Mapping, Sine1D

    made = samples.wcs()
    wave = Mapping((0, 1, 0, 1)) | (Identity(2) & Sine1D(amplitude, 1 / 7) & Sine1D(amplitude, 1 / 7))
    added = wave | Mapping((0, 1, 2, 3)) | _sums()
    made.insert_transform("detector", added, after=True)
    return made


def _sums():
    from astropy.modeling.models import Polynomial2D

    def one():
        return Polynomial2D(1, c0_0=0, c1_0=1, c0_1=1)

    from astropy.modeling.models import Mapping

    return Mapping((0, 2, 1, 3)) | (one() & one())


@pytest.fixture
def wavy(tmp_path):
    return sample(tmp_path, "l2_image", "wavy_cal.asdf", lambda known, _data: known.update(wcs=bent(0.4)))


def test_a_wcs_that_no_header_meets_is_exit_5_and_no_file(wavy, tmp_path, capsys):
    assert tool("fits", wavy) == 5
    assert "--sip-error" in capsys.readouterr().err
    assert {path.name for path in tmp_path.iterdir()} == {"wavy_cal.asdf"}


def test_sip_error_none_writes_and_warns(wavy, capsys):
    assert tool("fits", wavy, "--sip-error", "none") == 0
    assert "warning: " in capsys.readouterr().err
    assert fits.getheader(wavy.with_suffix(".fits"), "SCI")["RT_WCSMX"] > 0.1


@pytest.mark.parametrize("text", ["0", "-1", "many", "nan", "inf"])
def test_a_wrong_sip_error_is_a_usage_error(wavy, text):
    assert tool("fits", wavy, "--sip-error", text) == 2


# -- mosaics ----------------------------------------------------------------------------------------------------------


def mosaic(directory, *, wcs=True):
    """A mosaic on a tangent plane whose tangent point is far away, with members."""
    from astropy.table import Table

    scale = 0.055 / 3600
    info = {"projection": "TAN", "x_ref": 30000.0, "y_ref": -9000.0, "ra_ref": 270.0, "dec_ref": 66.0,
            "pixel_scale_ref": scale, "rotation_matrix": [[-0.8, 0.6], [0.6, 0.8]]}  # fmt: skip

    def change(known, data):
        known["wcsinfo"] |= info
        known["wcs"] = tangent_gwcs(info) if wcs else None
        known["individual_image_meta"] = {"exposure": Table({"type": ["WFI_IMAGE"] * 2, "exposure_time": [1.0, 2.0]})}
        data["context"] = np.array([[[1, 1 << 31, 0xFFFFFFFF] * 8] * 24], "u4")
        data["individual_image_cal_logs"] = [["one"], ["two"]]

    if wcs:
        return sample(directory, "l3_coadd", "m_coadd.asdf", change), info

    def change_map(known, data):
        known["wcsinfo"] |= info
        data["detection_image"] = np.ones((24, 24), "f4")

    return sample(directory, "segm_mosaic", "m_segm.asdf", change_map), info


def tangent_gwcs(info):
    import gwcs
    from astropy import coordinates, units
    from astropy.modeling import models
    from gwcs import coordinate_frames

    matrix = info["pixel_scale_ref"] * np.array(info["rotation_matrix"])
    to_sky = (
        (models.Shift(-info["x_ref"]) & models.Shift(-info["y_ref"]))
        | models.AffineTransformation2D(matrix=matrix)
        | models.Pix2Sky_TAN()
        | models.RotateNative2Celestial(info["ra_ref"], info["dec_ref"], 180.0)
    )
    detector = coordinate_frames.Frame2D(name="detector", unit=(units.pix, units.pix))
    sky = coordinate_frames.CelestialFrame(reference_frame=coordinates.ICRS(), name="world")
    return gwcs.WCS([(detector, to_sky), (sky, None)])


def test_a_mosaic_has_an_exact_tan_header_and_its_bits(tmp_path):
    path, info = mosaic(tmp_path)
    made = lossless(path, tmp_path)
    with fits.open(made) as hdus:
        found = hdus["SCI"].header
        assert found["CTYPE1"] == "RA---TAN"
        assert (found["CRVAL1"], found["CRVAL2"]) == (270.0, 66.0)
        assert found["CRPIX1"] == pytest.approx(30001.0, abs=1e-6)
        assert apart(tangent_gwcs(info), WCS(found), 24) < 1e-6
        assert found["BUNIT"] == "MJy/sr"
        assert hdus["CON"].header["BITPIX"] == 32
        assert "BZERO" not in hdus["CON"].header
        np.testing.assert_array_equal(hdus["CON"].data.astype("i4").view("u4"), arrays(path)["context"])
        np.testing.assert_array_equal(hdus["WHT"].data, arrays(path)["weight"])
        assert hdus["HDRTAB"].data["exposure_exposure_time"].tolist() == [1.0, 2.0]


def test_a_segmentation_map_of_a_mosaic_has_the_wcs_of_its_metadata(tmp_path):
    path, info = mosaic(tmp_path, wcs=False)
    with fits.open(lossless(path, tmp_path)) as hdus:
        assert apart(tangent_gwcs(info), WCS(hdus["SCI"].header), 24) < 1e-6
        np.testing.assert_array_equal(hdus["DETIMG"].data, arrays(path)["detection_image"])
        assert hdus["SCI"].data.dtype == np.uint32


# -- unusual trees ----------------------------------------------------------------------------------------------------


def test_old_trees_with_quantities_and_foreign_keys_come_back(tmp_path):
    from astropy import units

    extra = {"seed": 7, "truth": np.arange(600.0).reshape(20, 30), "few": np.arange(3)}
    data = samples.arrays("l2_image")["data"] * units.Unit("DN/s")
    old = by_asdf(sample(tmp_path, "l2_image"), tmp_path / "old_cal.asdf", {"data": data}, simulator=extra)
    made = lossless(old, tmp_path)
    assert fits.getheader(made, "SCI")["BUNIT"].replace(" ", "") == "DN/s"
    with asdf.open(tmp_path / "asdf" / "old_cal.asdf", ignore_unrecognized_tag=True) as file:
        np.testing.assert_array_equal(file["simulator"]["truth"], extra["truth"])


DTYPES = ["u1", ">i2", "<u8", "<f2", "i1", "<i2", "<u2", ">u2", "<i4", ">u4", "<i8", ">f4", "<f8"]


@pytest.mark.parametrize("dtype", some_slow(DTYPES, 4))
def test_every_type_of_pixel_comes_back_bit_for_bit(dtype, tmp_path):
    bits = RNG.integers(0, 256, (3, 40, 50 * np.dtype(dtype).itemsize), "u1").view(dtype)
    if bits.dtype.kind == "f":  # all bit patterns of quiet numbers, infinities and NaN
        bits[np.isnan(bits)] = np.nan
        bits[0, 0, :4] = np.inf, -np.inf, np.nan, -0.0

    source = by_asdf(sample(tmp_path, "l2_image"), tmp_path / "more_cal.asdf", {"more": bits})
    with fits.open(lossless(source, tmp_path)) as hdus:
        np.testing.assert_array_equal(hdus["MORE"].data, bits)


def test_what_fits_cannot_hold_stays_inside(tmp_path):
    def change(_known, data):
        data |= {"flagged": np.ones((30, 30), bool), "waves": np.ones((30, 30), "c8"), "none": np.empty((0, 3), "f4")}

    with fits.open(lossless(sample(tmp_path, "l2_image", change=change), tmp_path)) as hdus:
        assert not {"FLAGGED", "WAVES", "NONE"} & {hdu.name for hdu in hdus}


def test_text_that_is_not_ascii(tmp_path):
    def change(known, _data):
        known["program"]["title"] = "Galaxien über\nalles"

    source = sample(tmp_path, "l2_image", "ünicode näme_cal.asdf", change)
    made = lossless(source, tmp_path)
    assert fits.getheader(made)["TITLE"] == "Galaxien ?ber?alles"
    assert meta(tmp_path / "asdf" / source.name)["program"]["title"] == "Galaxien über\nalles"


def test_history_grows_by_one_entry_a_way(product, tmp_path):
    again = back(there(product("cal"), tmp_path), tmp_path)
    told = [entry.get("tool") for entry in history(again)]
    assert told == [entry.get("tool") for entry in history(product("cal"))] + ["rt-fits", "rt-fits"]
    assert meta(again)["filename"] == again.name


# -- command ----------------------------------------------------------------------------------------------------------


def test_names_and_paths(product, tmp_path, capsys):
    source = Path(copied(product("cal"), tmp_path / "here"))
    assert tool("fits", source) == 0
    assert capsys.readouterr().out == f"{source.with_suffix('.fits')}\n"
    assert tool("fits", source, "-o", tmp_path / "other.fits") == 0
    assert (tmp_path / "other.fits").exists()
    assert tool("fits", source, "-n", "--outdir", tmp_path / "new") == 0
    assert not (tmp_path / "new").exists()


def test_existing_files_are_kept_before_any_work(product, tmp_path, capsys):
    source, other = (Path(copied(product("cal"), tmp_path, name)) for name in ("a_cal.asdf", "b_cal.asdf"))
    taken = other.with_suffix(".fits")
    taken.write_bytes(b"mine")
    assert tool("fits", other) == 1
    assert "--overwrite" in capsys.readouterr().err
    assert taken.read_bytes() == b"mine"
    assert tool("fits", source, other, "--fail-fast") == 1
    assert not source.with_suffix(".fits").exists()
    assert tool("fits", other, "--overwrite") == 0
    verified(taken)


def test_pipes_at_both_ends_lose_nothing(product, tmp_path, monkeypatch):
    with piped(monkeypatch, product("cal").read_bytes()) as out:
        assert tool("fits", "-", "-o", "-") == 0
    made = tmp_path / "x_cal.fits"
    made.write_bytes(out.getvalue())
    verified(made)
    with piped(monkeypatch, made.read_bytes()) as out:
        assert tool("fits", "-", "-o", "-") == 0
    (tmp_path / "y_cal.asdf").write_bytes(out.getvalue())
    np.testing.assert_array_equal(arrays(tmp_path / "y_cal.asdf", "err")["err"], arrays(product("cal"), "err")["err"])


def test_standard_input_is_called_after_its_own_name(product, tmp_path, monkeypatch, capsys):
    with monkeypatch.context() as patched:
        patched.chdir(tmp_path)
        with piped(monkeypatch, product("cal").read_bytes()) as out:
            assert tool("fits", "-") == 0
    assert out.getvalue().decode() == product("cal").name.replace(".asdf", ".fits\n")
    assert (tmp_path / product("cal").name).with_suffix(".fits").exists()


def test_several_inputs_go_on_after_a_failure(product, tmp_path, capsys):
    good = copied(product("cal"), tmp_path)
    (tmp_path / "bad_cal.asdf").write_bytes(b"#ASDF 1.0.0\n")
    assert tool("fits", tmp_path / "bad_cal.asdf", tmp_path / "none_cal.asdf", good) == 3
    assert Path(good).with_suffix(".fits").exists()
    assert len([line for line in capsys.readouterr().err.splitlines() if "_cal.asdf" in line]) == 2


def test_the_same_bits_for_any_number_of_threads(product, tmp_path):
    one, two = (there(product("cal"), tmp_path / jobs, "-j", jobs) for jobs in ("1", "3"))
    with fits.open(one) as first, fits.open(two) as second:
        for hdu in first[1:-1]:
            assert hdu.header["DATASUM"] == second[hdu.name].header["DATASUM"]


def test_a_full_disk_leaves_nothing(product, tmp_path, monkeypatch, capsys):
    from rtools.products.fits import write as fits_write

    def full(*_more, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(fits_write, "_write_tree", full)
    source = copied(product("cal"), tmp_path)
    assert tool("fits", source) == 1
    assert "no space left" in capsys.readouterr().err
    assert listing(tmp_path).keys() == {Path(source).name}


def test_the_input_is_never_changed(product, tmp_path):
    source = Path(copied(product("cal"), tmp_path / "in"))
    before = source.read_bytes()
    made = there(source, tmp_path / "out")
    kept = made.read_bytes()
    back(made, tmp_path / "out2")
    assert (source.read_bytes(), made.read_bytes()) == (before, kept)
