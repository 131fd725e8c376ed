"""rt-resample: grids, planes, weights, kernels, metadata."""

import numpy as np
import pytest

from rtools.products.io import open_product
from tests.support.dithers import FACTOR, SIZE, SKY, exposure, exposures, place, planes, same, truth
from tests.support.runs import done, history, meta, records, rewrite, tool

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """Four exposures, without cosmic rays."""
    return exposures(tmp_path_factory.mktemp("images"), hit=False)


@pytest.fixture(scope="module")
def covering(images, tmp_path_factory):
    path = tmp_path_factory.mktemp("covering") / "m_coadd.asdf"
    done("resample", *images, "-o", path)
    return path


def wcs_of(path):
    with open_product(path) as product:
        return product.node("meta.wcs")


def made(tmp_path, *words):
    """A mosaic made with these words: its planes and metadata."""
    path = tmp_path / "x_coadd.asdf"
    done("resample", *words, "-o", path, "--overwrite")
    return planes(path), meta(path)


def test_it_covers_all_and_keeps_surface_brightness(images, covering):
    found, wcs = planes(covering), wcs_of(covering)
    ny, nx = found["data"].shape
    for path in images:
        x, y = (each.ravel() for each in np.meshgrid([-0.5, SIZE / 2, SIZE - 0.5], [-0.5, SIZE / 2, SIZE - 0.5]))
        inside = wcs.invert(*wcs_of(path)(x, y, with_bounding_box=False), with_bounding_box=False)
        assert inside[0].min() > -0.5 and inside[0].max() < nx - 0.5
        assert inside[1].min() > -0.5 and inside[1].max() < ny - 0.5
    assert np.nanmedian(found["data"]) == pytest.approx(FACTOR * (SKY + 0.01), abs=0.01)
    err2 = found["var_rnoise"] + found["var_poisson"]
    np.testing.assert_allclose(found["err"] ** 2, err2, rtol=1e-5)
    assert np.all(found["var_sky"][found["weight"] > 0] > found["var_rnoise"][found["weight"] > 0])


def test_flux_of_an_exposure_on_its_own_grid(tmp_path):
    """One exposure without noise, in float32: what was put in comes out, summed over areas."""
    path = exposure(tmp_path / "x_cal.asdf", 0, hit=False, noise=False, profile="1.5.0")
    found, _meta = made(tmp_path, path, "--like", path)
    expected = FACTOR * truth(place(0)[0])
    good = planes(path, "dq")["dq"] != 1
    np.testing.assert_allclose(found["data"][good][1:-1], expected[good][1:-1], rtol=2e-4)
    assert np.isnan(found["data"]).sum() <= 1.2 * (~good).sum()


def test_like_repeats_a_grid(images, covering, tmp_path):
    done("resample", *images, "--like", covering, "-o", tmp_path / "x_coadd.asdf")
    one, other = planes(covering, "data", "weight"), planes(tmp_path / "x_coadd.asdf", "data", "weight")
    np.testing.assert_allclose(other["weight"], one["weight"], rtol=1e-4, atol=one["weight"].max() * 1e-6)
    np.testing.assert_allclose(other["data"], one["data"], rtol=1e-4)


def test_skycell_is_its_own_grid(images, tmp_path):
    done("resample", *images[:1], "--skycell", "270p65x69y50", "--planes", "data,weight", "--outdir", tmp_path)
    path = tmp_path / "r00001_p_v01001001001001_270p65x69y50_f158_coadd.asdf"
    found = meta(path)
    assert found["wcsinfo"]["skycell_name"] == "270p65x69y50" and found["product_type"] == "p_visit_coadd"
    assert found["resample"]["pixel_scale_ratio"] == pytest.approx(0.5, abs=0.01)
    assert found["wcsinfo"]["pixel_scale_ref"] * 3600 == pytest.approx(0.055)
    with open_product(path) as product:
        assert product.arrays["data"].shape == (5000, 5000)


def test_a_free_grid_is_where_it_was_asked_for(images, tmp_path):
    ra, dec = (float(each) for each in wcs_of(images[0])(SIZE / 2, SIZE / 2))
    center = f"{ra:.6f},{dec:.6f}"
    found, about = made(tmp_path, *images, "--center", center, "--scale", "0.2", "--size", "120,90", "--pa", "30")
    assert found["data"].shape == (90, 120) and about["wcsinfo"]["image_shape"] == [120, 90]
    assert about["wcsinfo"]["orientation_ref"] == pytest.approx(30, abs=1e-6)
    assert about["wcsinfo"]["ra_ref"] == pytest.approx(ra) and about["wcsinfo"]["x_ref"] == 59.5
    _found, about = made(tmp_path, *images, "--center", center, "--size", "50,40", "--crpix", "3,4")
    assert (about["wcsinfo"]["x_ref"], about["wcsinfo"]["y_ref"]) == (3, 4)
    found, about = made(tmp_path, *images, "--scale-ratio", "0.5")
    assert about["resample"]["pixel_scale_ratio"] == 0.5 and found["data"].shape[0] > 2 * SIZE


@pytest.mark.parametrize("kernel", ["square", "turbo", "point", "gaussian", "lanczos3"])
def test_every_kernel_keeps_the_brightness(images, kernel, tmp_path):
    found, _meta = made(tmp_path, *images, "--kernel", kernel, "--pixfrac", "0.8")
    assert np.nanmedian(found["data"]) == pytest.approx(FACTOR * (SKY + 0.01), abs=0.012)


@pytest.mark.parametrize("weight", ["ivm", "exptime", "ivm-sky"])
def test_weights_are_what_their_type_says(images, weight, tmp_path):
    found, about = made(tmp_path, *images, "--weight-type", weight)
    assert about["resample"]["weight_type"] == weight
    alone = found["weight"][np.bitwise_count(found["context"][0]) == 1]
    read = FACTOR**2 * 1e-4
    expected = {"ivm": 1 / read, "exptime": 140, "ivm-sky": 1 / (read + FACTOR**2 * SKY / 140**2)}[weight]
    assert np.median(alone) == pytest.approx(expected, rel=0.03)


def test_planes_are_left_out_or_added(images, tmp_path, judge):
    found, _meta = made(tmp_path, *images, "--planes", "data,weight", "--var-flat")
    assert "var_sky" not in found and np.isnan(found["err"]).all()
    assert np.nanmedian(found["var_flat"]) == pytest.approx(FACTOR**2 * 1e-6 / 4, rel=0.5)
    whole, _meta = made(tmp_path, *images)
    for name in ("data", "weight", "context"):
        np.testing.assert_array_equal(found[name], whole[name])
    found, _meta = made(tmp_path, *images, "--planes", "data,err", "--fillval", "INDEF")
    np.testing.assert_array_equal(found["err"], whole["err"])
    assert np.all(found["data"][found["weight"] == 0] == 0)
    assert judge("1.2.0", [tmp_path / "x_coadd.asdf"])[str(tmp_path / "x_coadd.asdf")]["ok"]


def test_read_noise_is_rebuilt_where_it_is_absent(images, tmp_path):
    """The newest profile does not need var_rnoise; err² minus var_poisson stands for it."""
    lacking = exposures(tmp_path, 4, hit=False, drop=("var_rnoise", "var_flat"))
    (tmp_path / "out").mkdir()
    one, _meta = made(tmp_path / "out", *lacking)
    other, _meta = made(tmp_path / "out", *images)
    np.testing.assert_array_equal(one["context"], other["context"])
    np.testing.assert_allclose(one["weight"], other["weight"], rtol=0.2)
    assert np.nanmedian(one["weight"] / np.where(other["weight"] > 0, other["weight"], np.nan)) == pytest.approx(
        1, abs=0.02
    )


def test_the_product_says_of_what_and_how_it_was_made(images, covering):
    about, (entry,) = meta(covering), history(covering)
    assert about["resample"]["members"] == [path.name for path in images] and about["resample"]["pointings"] == 4
    assert entry["simulated"] is True
    assert entry["tool"] == "rt-resample" and entry["parameters"]["resample"]["kernel"] == "square"
    assert about["cal_step"] == {"flux": "COMPLETE", "outlier_detection": "INCOMPLETE", "skymatch": "INCOMPLETE",
                                 "resample": "COMPLETE"}  # fmt: skip
    assert about["coadd_info"]["max_exposure_time"] == 4 * 140
    assert about["coadd_info"]["time_first"] < about["coadd_info"]["time_last"]


def test_many_members_have_a_second_plane_of_context(tmp_path):
    """The same exposure under 40 names."""
    first = exposure(tmp_path / "a_cal.asdf", 0, hit=False)
    files = [first]
    for number in range(1, 40):
        files.append(tmp_path / f"a{number}_cal.asdf")
        files[-1].symlink_to(first)
    found, about = made(tmp_path, *files, "--planes", "data,weight")
    assert found["context"].shape[0] == 2 and len(about["resample"]["members"]) == 40
    seen = found["context"][:, found["weight"] > 0]
    assert np.all(seen[0] == 0xFFFFFFFF) and np.all(seen[1] == 0xFF)


def test_dry_run_as_json_says_the_grid(images, tmp_path, capsys):
    assert tool("resample", *images, "-o", tmp_path / "x.asdf", "--size", "70,50", "-n", "--json") == 0
    (entry,) = records(capsys.readouterr().out)
    assert entry["grids"] == ["grid, 70 x 50 pixels"] and entry["members"] == [str(path) for path in images]
    assert not (tmp_path / "x.asdf").exists()


def test_a_member_elsewhere_keeps_its_bit(images, tmp_path):
    far = exposure(tmp_path / "far_cal.asdf", 1, detector="WFI10", hit=False)
    found, _meta = made(tmp_path, images[0], far, images[1], "--like", images[0])
    assert np.bitwise_or.reduce(found["context"].ravel()) == 0b101


def test_the_same_file_twice_counts_once(images, tmp_path):
    made(tmp_path, images[0], images[0], "--like", images[0])
    one = planes(tmp_path / "x_coadd.asdf", "weight")["weight"]
    (tmp_path / "x_coadd.asdf").rename(tmp_path / "twice_coadd.asdf")
    made(tmp_path, images[0], "--like", images[0])
    assert same(tmp_path / "x_coadd.asdf", tmp_path / "twice_coadd.asdf") == [] and one.max() > 0


def test_words_that_mean_nothing_are_refused(images, tmp_path, capsys):
    for words, code, text in (
        (("--size", "5"), 2, "two numbers"),
        (("--scale", "0.1", "--scale-ratio", "2"), 2, "exclude"),
        (("--crpix", "1,2"), 2, "--size"),
        (("--pixfrac", "2"), 2, "pixfrac"),
        (("--planes", "data,chisq"), 2, "chisq"),
        (("--fillval", "x"), 2, "fillval"),
        (("--good-bits", "NO_SUCH"), 2, "NO_SUCH"),
        (("--skycell", "270p65x99y50"), 3, "270p65x99y50"),
        (("--like", tmp_path / "none.asdf"), 3, "none.asdf"),
    ):
        assert tool("resample", *images, *words, "-o", tmp_path / "x.asdf") == code, words
        assert text in capsys.readouterr().err
    lost = exposure(tmp_path / "lost_cal.asdf", 0, change={"photometry.conversion_megajanskys": None})
    assert tool("resample", lost, "-o", tmp_path / "x.asdf") == 3
    assert "conversion_megajanskys" in capsys.readouterr().err
    assert not (tmp_path / "x.asdf").exists()


def test_weights_are_exposure_times_unless_another_mosaic_says_otherwise(images, tmp_path):
    """The read-noise variance of a ramp grows with the signal: weights by it take light from stars."""
    found, about = made(tmp_path, *images)
    assert about["resample"]["weight_type"] == "exptime"
    alone = np.bitwise_count(found["context"][0]) == 1
    assert np.median(found["weight"][alone]) == pytest.approx(140, rel=0.03)
    peer = tmp_path / "like_coadd.asdf"
    done("resample", *images, "--weight-type", "ivm", "-o", peer)
    for words, expected in (((), "ivm"), (("--weight-type", "exptime"), "exptime")):
        assert made(tmp_path, *images, "--like", peer, *words)[1]["resample"]["weight_type"] == expected
    assert made(tmp_path, *images, "--like", images[0])[1]["resample"]["weight_type"] == "exptime"
    made(tmp_path, *images, "--like", peer)
    assert not same(peer, tmp_path / "x_coadd.asdf")


def test_a_grid_that_no_image_touches_is_refused(images, tmp_path, capfd):
    out = ("-o", tmp_path / "x_coadd.asdf")
    assert tool("resample", *images, "--skycell", "135p90x50y50", *out) == 3
    assert "no image touches" in capfd.readouterr().err
    assert tool("resample", *images, "--center", "10,10", "--size", "50,50", *out) == 3
    assert not list(tmp_path.iterdir())


def test_images_beside_the_grid_are_told(images, tmp_path, capfd):
    with open_product(images[0]) as product:
        ra, dec = product.node("meta.wcs")(2.0, 2.0)
    words = ("--center", f"{ra},{dec}", "--size", "9,9", "-o", tmp_path / "x_coadd.asdf")
    assert tool("resample", *images, *words) == 0
    assert "do not touch" in capfd.readouterr().err


def test_one_file_under_two_names_counts_once(images, tmp_path):
    twice = images[0].parent / "." / ".." / images[0].parent.name / images[0].name
    _found, about = made(tmp_path, images[0], twice, images[1])
    assert len(about["resample"]["members"]) == 2


@pytest.mark.parametrize("gigabytes", ["0", "-1", "nan", "inf"])
def test_memory_that_is_no_amount(images, gigabytes, tmp_path):
    assert tool("resample", *images, "--max-memory", gigabytes, "-o", tmp_path / "x_coadd.asdf") == 2


def test_a_wcs_without_a_bounding_box(images, tmp_path):
    """It is that of the image."""

    bare = []
    for path in images[:2]:
        wcs = wcs_of(path)
        wcs.bounding_box = None
        bare.append(rewrite(path, tmp_path / path.name, lambda meta, arrays, wcs=wcs: meta.update(wcs=wcs)))
    for name, files in (("a_coadd.asdf", bare), ("b_coadd.asdf", images[:2])):
        done("resample", *files, "-o", tmp_path / name)
    assert not same(tmp_path / "a_coadd.asdf", tmp_path / "b_coadd.asdf")


@pytest.mark.parametrize("which", ["mosaic", "image"])
def test_a_grid_like_another_of_another_size(which, images, covering, tmp_path):
    """The same pixels, more or fewer of them."""
    other = covering if which == "mosaic" else images[0]
    whole, _about = made(tmp_path, *images, "--like", other)
    found, about = made(tmp_path, *images, "--like", other, "--size", "150,120")
    assert about["wcsinfo"]["image_shape"] == [150, 120]
    # a grid with distortion is inverted numerically, from its middle
    np.testing.assert_allclose(found["data"][:110, :140], whole["data"][:110, :140], rtol=1e-4)
    assert tool("resample", *images, "--like", other, "--pa", 3, "-o", tmp_path / "y_coadd.asdf") == 2
