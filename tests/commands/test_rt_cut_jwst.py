"""rt-cut on JWST products: pixels, coordinates, integrations, wavelengths; keywords and tree go with them."""

import numpy as np
import pytest
from astropy import units
from astropy.io import fits
from astropy.wcs import WCS

from rtools.jwst import SUFFIXES, product_layout
from rtools.products.edit import load_wcs
from rtools.products.jwst import HduChange, open_jwst, stage_jwst
from rtools.wfi.gwcs_frames import box_of
from tests.support import jwst_files, samples
from tests.support.judges import asked_of_jwst
from tests.support.runs import done, records, tool

ROWS, COLUMNS = slice(1, 6), slice(4, 12)
SECTION = "4:12,1:6"
SHAPE = jwst_files.SIZES["nrows"], jwst_files.SIZES["ncols"]
IMAGES = [suffix for suffix in SUFFIXES if product_layout(suffix).form == "fits"
          and suffix not in ("x1d", "x1dints", "c1d", "ami-oi", "amimulti-oi", "aminorm-oi")]  # fmt: skip
OF_INTEGRATIONS = ("uncal", "ramp", "rateints", "bsubints", "calints", "crfints", "psfalign", "psfsub", "amilg")
CARDS = {
    "WCSAXES": 2, "CTYPE1": "RA---TAN-SIP", "CTYPE2": "DEC--TAN-SIP", "CRVAL1": 80.0, "CRVAL2": -69.5, "CRPIX1": 9.0,
    "CRPIX2": 5.25, "CD1_1": -8e-6, "CD1_2": 1e-6, "CD2_1": 1e-6, "CD2_2": 8e-6, "A_ORDER": 2, "B_ORDER": 2,
    "A_2_0": 2e-4, "B_0_2": -3e-4, "B_1_1": 1e-4,
}  # fmt: skip


def cut(path, directory, *words):
    """A cutout of a file, under its name; the hash in its tree is that of its headers."""
    done("cut", path, "--outdir", directory, *words)
    product = open_jwst(directory / path.name)
    assert product.tree["_fits_hash"] == product.header_hash()
    fits.open(product.path, checksum=True).verify("exception")
    return product


def with_sky(path, gwcs=None, **tree):
    """The file with coordinates in SCI, and perhaps a gwcs."""
    nodes = {f"meta.{key.replace('__', '.')}": value for key, value in tree.items()}
    nodes |= {"meta.wcs": gwcs} if gwcs is not None else {}
    made = stage_jwst(path.with_name("made.fits"), open_jwst(path), [HduChange("SCI", cards=CARDS)], tree=nodes)
    made.commit().replace(path)
    return path


def gwcs_of_image():
    wcs = samples.wcs()
    wcs.bounding_box = (-0.5, SHAPE[1] - 0.5), (-0.5, SHAPE[0] - 0.5)
    return wcs


@pytest.mark.parametrize("suffix", IMAGES)
def test_every_array_of_the_image_is_cut_and_all_else_stays(tmp_path, suffix):
    path = jwst_files.made(tmp_path, suffix)
    whole, part = open_jwst(path), cut(path, tmp_path / "out", "--section", SECTION)
    assert part.kind == suffix
    assert [(hdu.name, hdu.version) for hdu in part.hdus] == [(hdu.name, hdu.version) for hdu in whole.hdus]
    for name, info in whole.arrays.items():
        expected = whole.array(name)
        if info.shape[-2:] == SHAPE:
            expected = expected[..., ROWS, COLUMNS]
        elif name == "refout":
            expected = expected[..., ROWS, 1:3]
        assert part.array(name).dtype == expected.dtype
        assert part.array(name).tobytes() == np.ascontiguousarray(expected).tobytes()
        assert part.array(name).shape == expected.shape
    for name in whole.tables:
        assert fits.getdata(part.path, name).tobytes() == fits.getdata(path, name).tobytes()
    for one, other in zip(whole.hdus[1:-1], part.hdus[1:-1], strict=True):
        differ = {key for key in {**one.values, **other.values} if one.values.get(key) != other.values.get(key)}
        assert {key for key in differ if not key.startswith("NAXIS")} == set()


def test_pixels_of_the_detector_are_counted_on(tmp_path):
    path = with_sky(jwst_files.made(tmp_path, "rate"), subarray__xstart=101, subarray__ystart=201,
                    wcsinfo__siaf_xref_sci=7.5)  # fmt: skip
    part = cut(path, tmp_path / "out", "--section", SECTION)
    again = cut(part.path, tmp_path / "again", "--section", "2:5,1:3")
    for product, expected in ((part, (105, 8, 202, 5)), (again, (107, 3, 203, 2))):
        primary = product.hdus[0].values
        keys = ("SUBSTRT1", "SUBSIZE1", "SUBSTRT2", "SUBSIZE2")
        assert tuple(primary[key] for key in keys) == expected
        told = product.tree["meta"]["subarray"]
        assert (told["xstart"], told["xsize"], told["ystart"], told["ysize"]) == expected
    assert part.value("XREF_SCI") == 3.5
    place = again.meta["rtools"]["cutout"]
    assert (place["columns"], place["rows"], place["filename"]) == ([6, 9], [2, 4], path.name)


@pytest.mark.parametrize("suffix", ["i2d", "amilg"])
def test_a_mosaic_and_a_centred_image_have_no_pixels_of_a_detector(tmp_path, suffix):
    path = jwst_files.made(tmp_path, suffix)
    told = {"meta.subarray.xstart": 1, "meta.subarray.xsize": 2048}
    stage_jwst(tmp_path / "made.fits", open_jwst(path), tree=told).commit().replace(path)
    part = cut(path, tmp_path / "out", "--section", SECTION)
    assert (part.value("SUBSTRT1"), part.value("SUBSIZE1")) == (1, 2048)


@pytest.mark.parametrize("suffix", ["cal", "calints", "i2d", "s3d"])
def test_positions_by_the_header_are_the_same_for_astropy(tmp_path, suffix):
    path = with_sky(jwst_files.made(tmp_path, suffix))
    part = cut(path, tmp_path / "out", "--section", SECTION)
    x, y = np.meshgrid(np.arange(COLUMNS.start, COLUMNS.stop), np.arange(ROWS.start, ROWS.stop))
    whole, cut_out = (WCS(fits.getheader(one, "SCI"), naxis=2) for one in (path, part.path))
    expected = whole.all_pix2world(x, y, 0)
    found = cut_out.all_pix2world(x - COLUMNS.start, y - ROWS.start, 0)
    np.testing.assert_allclose(found, expected, rtol=0, atol=8e-6 * 1e-6)  # 1e-6 pixel
    assert (part.tree["meta"]["wcsinfo"]["crpix1"], part.tree["meta"]["wcsinfo"]["crpix2"]) == (5.0, 4.25)


def test_each_image_with_coordinates_has_its_own_moved(tmp_path):
    path = jwst_files.made(tmp_path, "i2d")
    changes = [HduChange(name, cards={"CRPIX1": 9.0, "CRPIX2": 5.5}) for name in ("SCI", "ERR", "WHT")]
    stage_jwst(tmp_path / "made.fits", open_jwst(path), changes).commit().replace(path)
    part = cut(path, tmp_path / "out", "--section", SECTION)
    assert [part.hdu(name).values.get("CRPIX2") for name in ("SCI", "ERR", "WHT", "CON")] == [4.5, 4.5, 4.5, None]


def test_gwcs_and_region_are_those_of_the_cutout(tmp_path):
    wcs = gwcs_of_image()
    path = with_sky(jwst_files.made(tmp_path, "cal"), wcs, wcsinfo__s_region="POLYGON ICRS  1 1 1 2 2 2 2 1")
    part = cut(path, tmp_path / "out", "--section", SECTION)
    moved = load_wcs(part)
    np.testing.assert_allclose(moved(0, 0), wcs(COLUMNS.start, ROWS.start), rtol=0, atol=1e-12)
    assert box_of(moved) == ((-0.5, 7.5), (-0.5, 4.5))
    corners = np.array(part.value("S_REGION").split()[2:], float).reshape(4, 2)
    edges = wcs(np.array([3.5, 3.5, 11.5, 11.5]), np.array([0.5, 5.5, 5.5, 0.5]), with_bounding_box=False)
    np.testing.assert_allclose(corners, np.transpose(edges), rtol=0, atol=1e-9)
    assert part.tree["meta"]["wcsinfo"]["s_region"] == part.value("S_REGION")


def test_the_region_of_a_file_without_a_gwcs_is_by_its_header(tmp_path):
    path = with_sky(jwst_files.made(tmp_path, "cal"), wcsinfo__s_region="POLYGON ICRS  1 1 1 2 2 2 2 1")
    part = cut(path, tmp_path / "out", "--section", SECTION)
    corners = np.array(part.value("S_REGION").split()[2:], float).reshape(4, 2)
    edges = WCS(fits.Header(CARDS)).all_pix2world([3.5, 3.5, 11.5, 11.5], [0.5, 5.5, 5.5, 0.5], 0)
    np.testing.assert_allclose(corners, np.transpose(edges), rtol=0, atol=2e-9)


def test_a_square_on_the_sky(tmp_path):
    wcs = gwcs_of_image()
    path = with_sky(jwst_files.made(tmp_path, "cal"), wcs)
    ra, dec = wcs(7.0, 3.0)
    part = cut(path, tmp_path / "out", "--sky", f"{ra},{dec},3pix")
    assert part.array("data").tobytes() == open_jwst(path).array("data")[2:5, 6:9].tobytes()
    assert tool("cut", path, "--sky", f"{ra + 1},{dec},3pix", "--outdir", tmp_path / "no") == 3
    assert not (tmp_path / "no").exists()


UNKNOWN = (
    "  wcs: !<tag:stsci.edu:gwcs/wcs-1.2.0> {name: w, steps: [!<tag:stsci.edu:jwst_pipeline/snell-1.0.0> {a: 1}]}\n"
)


def test_transforms_that_nobody_here_knows_are_not_moved(tmp_path, capsys):
    path = tmp_path / "x_cal.fits"
    hdus = jwst_files.hdus_of("cal", path.name)
    content = bytes(hdus[-1].data["ASDF_METADATA"][0]).replace(
        b"meta: {telescope: JWST, only_here: 3}\n", b"meta:\n  telescope: JWST\n" + UNKNOWN.encode()
    )
    column = fits.Column("ASDF_METADATA", f"{len(content)}B", array=np.frombuffer(content, np.uint8)[None])
    hdus[-1] = fits.BinTableHDU.from_columns([column], name="ASDF")
    hdus.writeto(path)
    assert tool("cut", path, "--section", SECTION, "--outdir", tmp_path / "out") == 3
    assert "meta.wcs" in capsys.readouterr().err
    assert sorted(tmp_path.iterdir()) == [path]


def placed(tmp_path, suffix, **tree):
    """A file whose header and gwcs are one tangent plane, and a square about its pixel 1.5, 6.5."""
    gwcs = gwcs_of_image()
    plane = {"WCSAXES": 2, "CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": 270.0, "CRVAL2": 66.0, "CRPIX1": 17.0,
             "CRPIX2": 17.0, "CD1_1": -0.11 / 3600, "CD1_2": 0.0, "CD2_1": 0.0, "CD2_2": 0.11 / 3600}  # fmt: skip
    path = jwst_files.made(tmp_path, suffix)
    nodes = {"meta.wcs": gwcs, "meta.wcsinfo.s_region": "POLYGON ICRS  1 1 1 2 2 2 2 1", **tree}
    changes = [HduChange("SCI", cards=plane)]
    stage_jwst(path.with_name("made.fits"), open_jwst(path), changes, tree=nodes).commit().replace(path)
    ra, dec = gwcs(1.5, 6.5)
    return path, f"{ra:.12f},{dec:.12f},12pix"


FILLED = {"i2d": {"con": 0, "wht": 0}, "cal": {"dq": 513}, "crf": {"dq": 513}, "calints": {"dq": 513},
          "uncal": {"data": 0}, "ramp": {"groupdq": 1, "pixeldq": 513}, "segm": {"data": 0}}  # fmt: skip
"""What stands beyond the edges where it is not NaN."""


@pytest.mark.parametrize("suffix", FILLED)
def test_squares_of_jwst_at_the_edge_are_whole_with_fill(tmp_path, suffix):
    """--fill was refused for them: stamps of a list had different sizes."""
    path, square = placed(tmp_path, suffix)
    whole, part = open_jwst(path), cut(path, tmp_path / "out", "--sky", square, "--fill")
    for name, info in whole.arrays.items():
        if info.shape[-2:] != SHAPE:
            continue
        made, expected = part.array(name), whole.array(name)
        assert made.shape == (*info.shape[:-2], 12, 12)  # columns -4 to 7, rows 1 to 12
        assert made.dtype == expected.dtype
        assert np.ascontiguousarray(made[..., :7, 4:]).tobytes() == expected[..., 1:, :8].tobytes()
        value = FILLED[suffix].get(name, np.nan if made.dtype.kind == "f" else 0)
        np.testing.assert_array_equal(made[..., :4], value)
        np.testing.assert_array_equal(made[..., 7:, :], value)
    assert part.meta["rtools"]["cutout"]["columns"] == [-4, 8]


def test_a_star_of_a_filled_cutout_is_where_it_was_by_header_and_gwcs(tmp_path):
    path, square = placed(tmp_path, "i2d")
    part = cut(path, tmp_path / "out", "--sky", square, "--fill")
    whole, moved = load_wcs(open_jwst(path)), load_wcs(part)
    star = whole(3.25, 4.75)
    header = WCS(fits.getheader(part.path, "SCI"), naxis=2)
    assert header.wcs.crpix.tolist() == [21.0, 16.0]
    for found in (moved.invert(*star), header.all_world2pix(*star, 0)):
        np.testing.assert_allclose(found, (7.25, 3.75), rtol=0, atol=1e-6)
    assert box_of(moved) == ((3.5, 11.5), (-0.5, 6.5))
    corners = np.array(part.value("S_REGION").split()[2:], float).reshape(4, 2)
    edges = whole(np.array([-0.5, -0.5, 7.5, 7.5]), np.array([0.5, 7.5, 7.5, 0.5]), with_bounding_box=False)
    np.testing.assert_allclose(corners, np.transpose(edges), rtol=0, atol=1e-9)


def test_the_wcs_of_a_mosaic_or_of_another_detector_is_refused(tmp_path, capsys):
    """Pixels of the mosaic were taken for those of the detector: the cutout was of another place."""
    path, square = placed(tmp_path, "cal")
    made = {}
    for name, suffix, detector in (("i2d", "i2d", "MULTIPLE"), ("other", "cal", "NRCA2"), ("same", "crf", "NRCA1")):
        (tmp_path / name).mkdir()
        made[name], _square = placed(tmp_path / name, suffix, **{"meta.instrument.detector": detector})
    for name, said in (("i2d", "of the i2d, not of a detector"), ("other", "of NRCA2, not of NRCA1")):
        words = ("--sky", square, "--wcs", made[name], "--outdir", tmp_path / "no")
        assert tool("cut", path, *words) == 3
        assert said in capsys.readouterr().err
    assert cut(path, tmp_path / "out", "--sky", square, "--wcs", made["same"]).array("data").shape == (7, 8)


def test_the_region_of_a_filled_cutout_is_right_for_rt_validate(tmp_path, capsys):
    """What was filled counted as image: corners were said to be many pixels off."""
    path, square = placed(tmp_path, "i2d")
    part = cut(path, tmp_path / "out", "--sky", square, "--fill")
    capsys.readouterr()
    tool("validate", part.path)
    assert "S_REGION" not in capsys.readouterr().out


def test_a_filled_cutout_is_not_calibrated(tmp_path, capsys):
    """References of pixels that no detector has ended in a traceback of numpy."""
    path, square = placed(tmp_path, "rate")
    part = cut(path, tmp_path / "out", "--sky", square, "--fill")
    assert tool("run", part.path, "--builtin", "--outdir", tmp_path / "no") == 3
    assert "filled beyond the edges" in capsys.readouterr().err


def test_columns_that_tear_refout_are_refused_with_those_that_do_not(tmp_path, capsys):
    path = jwst_files.made(tmp_path, "uncal")
    assert tool("cut", path, "--section", "5:11,0:4", "--outdir", tmp_path / "out") == 2
    assert "multiples of 4; 4:12 would do" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("words", [[], ["--section", SECTION]], ids=["whole", "section"])
@pytest.mark.parametrize("suffix", OF_INTEGRATIONS)
def test_integrations(tmp_path, suffix, words):
    path = jwst_files.made(tmp_path, suffix, model="QuadModel" if suffix == "psfalign" else None)
    whole, part = open_jwst(path), cut(path, tmp_path / "out", "--integrations", "1:2", *words)
    main = "centered_image" if suffix == "amilg" else "data"
    for name, info in whole.arrays.items():
        expected = whole.array(name)
        of_integrations = len(info.shape) == len(whole.arrays[main].shape) or name == "zeroframe"
        if of_integrations and info.shape[0] == 2:
            expected = expected[1:2]
        if words and info.shape[-2:] == SHAPE:
            expected = expected[..., ROWS, COLUMNS]
        elif words and name == "refout":
            expected = expected[..., ROWS, 1:3]
        np.testing.assert_array_equal(part.array(name), expected)
    each = {"INT_TIMES": 1, "SOLNS": 1, "GROUP": 3}
    for name, table in whole.tables.items():
        data = fits.getdata(path, name)
        rows = data[each[name] :] if name in each else data
        assert fits.getdata(part.path, name).tobytes() == rows.tobytes(), table
    assert (part.value("INTSTART"), part.value("INTEND")) == (2, 2)


def test_integrations_of_a_segment_are_told_by_their_numbers(tmp_path):
    path = jwst_files.made(tmp_path, "rateints")
    with fits.open(path) as hdus:
        table = fits.BinTableHDU.from_columns(hdus["INT_TIMES"].columns, nrows=5, name="INT_TIMES")
        table.data["integration_number"] = [10, 11, 12, 13, 14]  # of the whole exposure
        hdus[hdus.index_of("INT_TIMES")] = table
        hdus.writeto(tmp_path / "long.fits")
    stage_jwst(path, open_jwst(tmp_path / "long.fits"), tree={"meta.exposure.integration_start": 12,
               "meta.exposure.integration_end": 13, "meta.exposure.nints": 14}).commit()  # fmt: skip
    part = cut(path, tmp_path / "out", "--integrations", "1:")
    assert fits.getdata(part.path, "INT_TIMES")["integration_number"].tolist() == [13]
    assert [part.value(key) for key in ("INTSTART", "INTEND", "NINTS")] == [13, 13, 14]
    assert part.meta["rtools"]["cutout"]["integrations"] == [1, 2]


@pytest.mark.parametrize("suffix", ["rate", "i2d", "s3d", "psfstack", "segm", "c1d", "ami-oi"])
def test_what_is_not_of_integrations_is_refused(tmp_path, capsys, suffix):
    path = jwst_files.made(tmp_path, suffix)
    assert tool("cut", path, "--integrations", "0:1", "--outdir", tmp_path / "out") == 3
    assert "no integrations to choose from" in capsys.readouterr().err


def in_order(path, name, versions=1):
    """Give the wavelengths of spectra the numbers 1, 2, 3 …; those of a second row begin half a step later."""
    with fits.open(path, mode="update") as hdus:
        for version in range(1, versions + 1):
            column = hdus[name, version].data["WAVELENGTH"]
            steps = np.arange(1.0, column.shape[-1] + 1)
            column[:] = steps if column.ndim == 1 else steps + 0.5 * np.arange(len(column))[:, None]
            if "N_ALONGDISP" in hdus[name, version].columns.names:
                hdus[name, version].data["N_ALONGDISP"] = column.shape[-1]
    stage_jwst(path.with_name("made.fits"), open_jwst(path), tree={"meta.title": "x"}).commit().replace(path)
    return path


@pytest.mark.parametrize(("suffix", "name"), [("x1d", "EXTRACT1D"), ("c1d", "COMBINE1D")])
def test_rows_of_wavelengths_ends_inclusive(tmp_path, suffix, name):
    sets = 2 if product_layout(suffix).repeats else 1
    path = in_order(jwst_files.made(tmp_path, suffix, sets=sets), name, sets)
    part = cut(path, tmp_path / "out", "--wave", "2:4")
    for version in range(1, sets + 1):
        known, made = fits.getdata(path, (name, version)), fits.getdata(part.path, (name, version))
        assert made.tobytes() == known[1:4].tobytes()
    assert len(cut(path, tmp_path / "open", "--wave", "2:").table(name)) == len(fits.getdata(path, name)) - 1
    assert tool("cut", path, "--wave", "50:60", "--outdir", tmp_path / "no") == 3


def test_elements_of_wavelengths_of_vectors(tmp_path):
    path = in_order(jwst_files.made(tmp_path, "x1dints"), "EXTRACT1D")
    known = fits.getdata(path, "EXTRACT1D")
    part = cut(path, tmp_path / "out", "--wave", "1.8:3.2")
    made = part.table("EXTRACT1D")
    assert made["WAVELENGTH"].tolist()[0] == [2.0, 3.0]
    np.testing.assert_array_equal(made["WAVELENGTH"][1], [2.5, np.nan])  # 1.5 and 3.5 are out of range
    np.testing.assert_array_equal(made["FLUX"][0], known["FLUX"][0, 1:3])
    np.testing.assert_array_equal(made["DQ"][1], [known["DQ"][1, 1], 0])
    assert made["N_ALONGDISP"].tolist() == [2, 1]
    assert (made["FLUX"].unit, made["DQ"].dtype) == (units.Jy, np.dtype("u4"))
    assert made["INT_NUM"].tolist() == known["INT_NUM"].tolist()
    assert [hdu.name for hdu in part.hdus] == [hdu.name for hdu in open_jwst(path).hdus]
    both = cut(path, tmp_path / "both", "--wave", "1.8:3.2", "--integrations", "1:2").table("EXTRACT1D")
    assert both["WAVELENGTH"].tolist() == [[2.5]]


def test_rows_of_spectra_by_integration(tmp_path):
    path = jwst_files.made(tmp_path, "x1dints")
    part = cut(path, tmp_path / "out", "--integrations", "1:2")
    assert fits.getdata(part.path, "EXTRACT1D").tobytes() == fits.getdata(path, "EXTRACT1D")[1:2].tobytes()


@pytest.mark.parametrize(
    ("suffix", "words", "status", "said"),
    [
        ("ami-oi", ["--section", SECTION], 3, "no image to cut"),
        ("cat", ["--section", SECTION], 3, "rt-table chooses its rows"),
        ("rate", ["--wave", "1:2"], 3, "no spectra"),
        ("rateints", ["--integrations", "2:"], 3, "which has 2"),
        ("rate", ["--section", "100:110,:"], 3, "outside"),
        ("rate", ["--section", SECTION, "--frame", "l1"], 2, "belong to no detector frame"),
        ("rate", ["--section", SECTION, "--compression", "zlib"], 2, "stays FITS"),
        ("rate", ["--pairs", "0:3"], 2, "--pairs does not go with"),
        ("rate", ["--section", SECTION, "--wave", "1:2"], 2, "--wave is about spectra"),
        ("rate", ["--integrations", "3:1"], 2, "A:B expected"),
        ("x1d", ["--wave", "two"], 2, "W1:W2 expected"),
        ("rate", [], 2, "what to cut?"),
    ],
)
def test_what_cannot_be_cut_is_said_and_nothing_is_made(tmp_path, capsys, suffix, words, status, said):
    path = jwst_files.made(tmp_path, suffix)
    assert tool("cut", path, *words, "--outdir", tmp_path / "out") == status
    assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [path]


def test_images_of_several_sources_have_no_common_pixels(tmp_path, capsys):
    path = jwst_files.made(tmp_path, "cal", sets=3)
    assert tool("cut", path, "--section", SECTION, "--outdir", tmp_path / "out") == 3
    assert list(tmp_path.iterdir()) == [path]


def test_options_about_jwst_do_not_go_with_roman(tmp_path, capsys):
    path = samples.write(tmp_path, "2.1.0", "l2_image")
    assert tool("cut", path, "--integrations", "0:1", "--outdir", tmp_path / "out") == 2
    assert "--integrations does not go with" in capsys.readouterr().err


def test_names_and_json(tmp_path, capsys):
    path = jwst_files.made(tmp_path, "rateints")
    assert tool("cut", path, "--section", SECTION, "-o", tmp_path / "x.asdf") == 2
    capsys.readouterr()
    words = ["--section", SECTION, "--integrations", "0:1", "-o", tmp_path / "x_rateints.fits", "--json"]
    assert tool("cut", path, *words, "--dry-run") == 0
    assert not (tmp_path / "x_rateints.fits").exists()
    capsys.readouterr()
    assert tool("cut", path, *words) == 0
    record = records(capsys.readouterr().out)[0]
    assert (record["columns"], record["rows"], record["integrations"]) == ([4, 12], [1, 6], [0, 1])
    made = open_jwst(tmp_path / "x_rateints.fits")
    assert made.value("FILENAME") == "x_rateints.fits"
    assert "rt-cut" in made.history[-1]["description"]


@pytest.mark.judges
@pytest.mark.parametrize(
    ("part", "names"),
    [("image", ["in_rate", "out_cal", "out_calints"]), ("spec", ["in_calints", "out_s2d"])],
    ids=["image", "spec"],
)
def test_stdatamodels_trusts_cutouts_of_files_of_the_peer(tmp_path, jwst_golden, part, names):
    """It finds the pixels, and the positions that they had."""
    paths = [jwst_golden(part) / f"{name}.fits" for name in names]
    pairs = {path: cut(path, tmp_path / "out", "--section", "4:16,3:15") for path in paths}
    verdicts = asked_of_jwst("files", *pairs, *(product.path for product in pairs.values()))
    for path, product in pairs.items():
        known, found = verdicts[str(path)], verdicts[str(product.path)]
        assert (found["ok"], found["trusted"], found["warnings"], found["model"]) == (True, True, [], known["model"])
        assert found["values"]["meta.filename"] == path.name
        assert found["arrays"]["data"][1] == [*known["arrays"]["data"][1][:-2], 12, 12]
        if known["wcs"] is not None:
            expected = open_jwst(path).node("meta.wcs")(7, 7)  # its 3, 4 is the pixel 7, 7 of the whole
            np.testing.assert_allclose(found["wcs"], np.array(expected, float), rtol=0, atol=1e-11)


def test_the_gwcs_of_a_cube_keeps_its_planes(tmp_path, jwst_golden):
    path = jwst_golden("cube") / "in_s3d.fits"
    whole, moved = (
        product.node("meta.wcs") for product in (open_jwst(path), cut(path, tmp_path, "--section", "3:9,4:12"))
    )
    np.testing.assert_allclose(moved(1, 2, 6), whole(4, 6, 6), rtol=0, atol=1e-12)
