"""rt-multiband: what it writes and refuses, and that others can read it."""

import json
import os

import numpy as np
import pytest

from rtools.pipeline.catalog import single as cataloging
from rtools.products.forms import history_of
from rtools.products.io import open_product
from rtools.products.tables.files import read_catalog
from rtools.work import Work
from tests.support import bands as case
from tests.support.runs import arrays, copied, done, history, listing, meta, retouched, tool
from tests.support.star_fields import judged, names_in, said

pytestmark = pytest.mark.slow

NAME = "r00001_p_v01001001001001_270p66x50y50"


@pytest.fixture(scope="module")
def coadds(tmp_path_factory):
    """Filter to the path of a mosaic."""
    directory, sky = tmp_path_factory.mktemp("coadds"), case.stars()
    return {
        element: case.write(directory / f"{NAME}_{element.lower()}_coadd.asdf", element, case.image(element, sky))
        for element in case.NOISE
    }


def association(path, coadds, *, name=NAME, weights=None, **more):
    """Write an association of mosaics; its path."""
    members = [{"expname": str(file), "exptype": "science"} for file in coadds.values()]
    for member, element in zip(members, coadds, strict=True):
        member |= {"sed_weight": weights[element]} if weights else {}
    path.write_text(json.dumps({"products": [{"name": name, "members": members}], "target": "None"} | more))
    return path


@pytest.fixture(scope="module")
def made(coadds, tmp_path_factory):
    """Directory of what an association gives, PSFs matched to F158."""
    directory = tmp_path_factory.mktemp("made")
    listed = association(directory / "field_asn.json", coadds, psf_match_reference_filter="f158")
    done("multiband", listed, "--outdir", directory / "out")
    return directory / "out"


def test_it_writes_catalog_and_segments_named_by_the_association(made):
    assert names_in(made) == [f"{NAME}_cat.parquet", f"{NAME}_segm.asdf"]
    table = read_catalog(made / f"{NAME}_cat.parquet")
    assert (len(table.colnames), len(table)) == (174, 24)
    assert table.meta["roman.meta.psf_match_reference_filter"] == "F158"
    assert table.meta["source_catalog.psf_match_reference_filter"] == "f158"
    fractions = [key for key in table.meta if "ee_fractions" in key]
    assert fractions == [f"source_catalog.ee_fractions.{element.lower()}" for element in case.NOISE]
    assert str(table["aper04_f106m_flux"].unit) == "nJy" and table["aper04_f106m_flux"].description
    assert table["aper04_f106m_flux"].description == table["aper04_f106_flux"].description
    labels = arrays(made / f"{NAME}_segm.asdf", "data", "detection_image")
    assert labels["data"].dtype == np.uint32 and set(np.unique(labels["data"])) == {0, *table["label"]}
    assert labels["detection_image"][labels["data"] > 0].min() > 3  # signal to noise


def test_metadata_are_what_the_mosaics_share(made, coadds):
    found = meta(made / f"{NAME}_segm.asdf")
    assert found["psf_match_reference_filter"] == "F158"
    assert found["instrument"] == {"name": "WFI", "optical_element": None}
    assert found["image"]["filename"] == coadds["F158"].name
    each = {element: meta(path) for element, path in coadds.items()}
    assert [one["filename"] for one in found["image_metas"]] == [coadds[name].name for name in ("F158", "F106", "F184")]
    assert not {"wcs", "individual_image_meta"} & set(found["image_metas"][0])
    assert found["coadd_info"]["time_last"] == max(one["coadd_info"]["time_last"] for one in each.values())
    times = [one["coadd_info"]["exposure_time"] for one in each.values()]
    assert found["coadd_info"]["exposure_time"] == pytest.approx(np.mean(times))
    entry = history(made / f"{NAME}_segm.asdf")[-1]
    assert entry["tool"] == "rt-multiband" and entry["inputs"] == [
        os.path.relpath(path, made) for path in coadds.values()
    ]
    assert entry["parameters"]["multiband"]["psf_match"] == "F158"


@pytest.mark.parametrize("version", ["1.1.0", "1.2.0"])
def test_products_are_valid(made, judge, version):
    path = made / f"{NAME}_segm.asdf"
    verdict = judge(version, [path])[str(path)]
    assert verdict["ok"], verdict
    assert verdict["model"] == "MultibandSegmentationMapModel"


@pytest.mark.judges
def test_the_catalog_is_as_the_archives(made, tmp_path):
    segments, table = made / f"{NAME}_segm.asdf", made / f"{NAME}_cat.parquet"
    found = judged("1.1.0", segments, table, "MultibandSourceCatalogModel", tmp_path)
    assert found["only_theirs"] == [] and found["fields"] == []
    assert found["described"] == len(found["units"]) == 174
    assert {key.removeprefix("roman.meta.") for key in found["differ"]} <= {
        "filename", "file_date", "image.filename", "image.file_date",
    }  # fmt: skip


def test_validate_and_forced_photometry_take_the_products(made, coadds, tmp_path):
    done("validate", made / f"{NAME}_segm.asdf", made / f"{NAME}_cat.parquet")
    done("catalog", coadds["F106"], "--forced-segmentation", made / f"{NAME}_segm.asdf", "--outdir", tmp_path)
    table = read_catalog(tmp_path / f"{NAME}_f106_cat.parquet")
    assert len(table) == 24 and np.isfinite(table["forced_kron_flux"]).all()


def test_a_real_mosaic_asks_for_the_built_in_instrument(coadds, made, tmp_path, capsys):
    """Those here are simulated by their own record; the products know, and what they were measured with."""
    real = tmp_path / "real_coadd.asdf"
    real.write_bytes(coadds["F158"].read_bytes().replace(b"rt-sim", b"rt-xim"))
    status, _out, err = said(capsys, "multiband", real, coadds["F184"], "--outdir", tmp_path, "-q")
    assert status == 4
    assert "epsf" in err and "apcorr" in err and str(real) in err
    for name in (f"{NAME}_cat.parquet", f"{NAME}_segm.asdf"):
        entry = history_of(made / name)[-1]
        assert (entry["simulated"], entry["builtin"]) == (True, ["apcorr", "epsf"])


def test_files_give_a_name_of_their_own(coadds, tmp_path, capsys):
    files = [coadds["F158"], coadds["F106"]]
    status, out, _err = said(capsys, "multiband", *files, "--outdir", tmp_path, "-q")
    assert status == 0
    assert out.split() == [str(tmp_path / f"multiband_catalog_{end}") for end in ("segm.asdf", "cat.parquet")]
    done("multiband", *files, "-o", tmp_path / "mine.ecsv", "--no-fit-psf", "--deblend", "--kernel-fwhms", "1.5,3")
    assert names_in(tmp_path)[:2] == ["mine.ecsv", "mine_segm.asdf"]
    table = read_catalog(tmp_path / "mine.ecsv")
    assert "kron_f106m_flux" in table.colnames and "psf_f106_flux" not in table.colnames
    assert table.meta["roman.meta.psf_match_reference_filter"] == "F158"


def test_one_mosaic_is_enough(coadds, tmp_path):
    done("multiband", coadds["F184"], "--outdir", tmp_path)
    table = read_catalog(tmp_path / "multiband_catalog_cat.parquet")
    assert len(table.colnames) == 74 and not [name for name in table.colnames if "f184m" in name]


def test_weights_of_an_association_count(coadds, tmp_path):
    plain, heavy = (dict.fromkeys(coadds, 1.0), {"F106": 1.0, "F158": 1.0, "F184": 30.0})
    images = []
    for number, weights in enumerate((plain, heavy)):
        listed = association(tmp_path / f"{number}_asn.json", coadds, name=f"p{number}", weights=weights)
        done("multiband", listed)
        images.append(arrays(tmp_path / f"p{number}_segm.asdf", "detection_image")["detection_image"])
    done("multiband", coadds["F184"], "-o", tmp_path / "red.parquet")
    red = arrays(tmp_path / "red_segm.asdf", "detection_image")["detection_image"]
    similar = [np.corrcoef(red.ravel(), image.ravel())[0, 1] for image in images]
    assert similar[1] > similar[0]


def test_threads_change_nothing(coadds, made, tmp_path):
    files = list(coadds.values())
    done("multiband", *files, "--psf-match", "F158", "-j", 2, "--outdir", tmp_path)
    one, two = read_catalog(made / f"{NAME}_cat.parquet"), read_catalog(tmp_path / "multiband_catalog_cat.parquet")
    assert all(np.asarray(one[name]).tobytes() == np.asarray(two[name]).tobytes() for name in one.colnames)


def test_nothing_is_written_into_the_mosaics(coadds, tmp_path):
    before = {path: path.read_bytes() for path in coadds.values()}
    done("multiband", *coadds.values(), "--outdir", tmp_path)
    assert all(path.read_bytes() == content for path, content in before.items())


def test_a_catalog_without_sources_is_complete(tmp_path, judge):
    empty = case.image("F158", (np.zeros(0), np.zeros(0), np.zeros(0)))
    path = case.write(tmp_path / "empty_f158_coadd.asdf", "F158", empty)
    done("multiband", path)
    table = read_catalog(tmp_path / "multiband_catalog_cat.parquet")
    assert len(table) == 0 and "kron_f158_flux" in table.colnames
    segments = tmp_path / "multiband_catalog_segm.asdf"
    assert judge("1.1.0", [segments])[str(segments)]["ok"]
    assert not arrays(segments, "data")["data"].any()


def test_a_mosaic_without_read_noise(coadds):
    from rtools.pipeline.catalog.multiband import _noise

    class Lacking:
        """The product without var_rnoise."""

        def __init__(self, product):
            self.product, self.array = product, product.array

        def has(self, name):
            return name != "var_rnoise" and self.product.has(name)

    with open_product(coadds["F158"]) as product:
        planes = cataloging.planes_of(product)
        true, made = (_noise(one, Work(), planes) for one in (product, Lacking(product)))
    assert np.array_equal(true, product.array("var_rnoise"))
    assert np.median(made / true) == pytest.approx(1, abs=1e-3) and (made > 0).all()


@pytest.mark.parametrize(
    ("key", "value", "options"),
    [
        ("coadd_info.exposure_time", -999999.0, ()),
        ("coadd_info.exposure_time", 0.0, ("--inject-sources",)),
        ("instrument.optical_element", None, ()),
    ],
)
def test_placeholders_of_a_mosaic_are_refused(coadds, key, value, options, tmp_path, capsys):
    first, *others = coadds.values()
    odd = tmp_path / "odd_coadd.asdf"
    done("set", first, f"{key}={'null' if value is None else value}", "-o", odd)
    assert tool("multiband", odd, *others, *options, "--outdir", tmp_path, "-q") == 3
    assert f"{odd}: " in (said := capsys.readouterr().err) and f"meta.{key}" in said
    assert [path.name for path in tmp_path.iterdir()] == [odd.name]


# --- injection --------------------------------------------------------------------------------------------------------


def test_injected_sources_are_told_of(coadds, made, tmp_path, judge):
    options = ("--psf-match", "F158", "--inject-sources", "--inject-seed", 4, "--save-debug-info")
    done("multiband", *coadds.values(), *options, "--outdir", tmp_path)
    segments = tmp_path / "multiband_catalog_segm.asdf"
    assert judge("1.2.0", [segments])[str(segments)]["ok"]
    with open_product(segments) as product:
        injected, found = (product.node(name) for name in ("injected_sources", "recovered_sources"))
        again = product.array("si_data")
    assert set(injected["type"]) == {"PSF", "SER"} and len(injected) > 20
    assert set(case.NOISE) < set(injected.colnames)
    caught = found[found["best_injected_index"] >= 0]
    assert 5 < len(caught) <= len(injected)
    assert set(found["label"]) <= set(np.unique(again))
    true = injected[caught["best_injected_index"]]
    away = np.hypot(caught["x_centroid"] - true["x_pos"], caught["y_centroid"] - true["y_pos"])
    assert np.median(away) < 1
    stars = (true["type"] == "PSF") & (caught["psf_flags_f158"] == 0) & (away < 0.5)
    flux = np.asarray(true["F158"])[stars] * 10 ** (0.4 * 31.4)
    pull = (np.asarray(caught["psf_f158_flux"])[stars] - flux) / np.asarray(caught["psf_f158_flux_err"])[stars]
    assert stars.sum() >= 2 and np.abs(np.median(pull)) < 3
    own, plain = (read_catalog(path / name) for path, name in
                  ((tmp_path, "multiband_catalog_cat.parquet"), (made, f"{NAME}_cat.parquet")))  # fmt: skip
    assert all(np.asarray(own[name]).tobytes() == np.asarray(plain[name]).tobytes() for name in plain.colnames)
    assert history(segments)[-1]["parameters"]["multiband"]["inject_seed"] == 4


def test_a_seed_injects_the_same_sources_again(coadds, tmp_path):
    tables = []
    for seed, jobs in ((7, 1), (7, 2), (8, 1)):
        directory = tmp_path / f"{seed}_{jobs}"
        done(
            "multiband", *coadds.values(), "--inject-sources", "--inject-seed", seed, "-j", jobs, "--outdir", directory
        )
        with open_product(directory / "multiband_catalog_segm.asdf") as product:
            tables.append([product.node(name) for name in ("injected_sources", "recovered_sources")])
    for one, other in zip(*tables[:2], strict=True):
        assert all(np.asarray(one[name]).tobytes() == np.asarray(other[name]).tobytes() for name in one.colnames)
    assert not np.array_equal(tables[0][0]["F158"], tables[2][0]["F158"])


# --- refusals ---------------------------------------------------------------------------------------------------------


def refused(capsys, directory, *args, status):
    """The one line that a refusal is."""
    found, out, err = said(capsys, "multiband", *args, "--outdir", directory, "-q")
    assert (found, out) == (status, ""), err
    assert len(err.splitlines()) == 1 and not directory.exists()
    return err


def test_two_mosaics_of_one_filter(coadds, tmp_path, capsys):
    twin = tmp_path / "twin_coadd.asdf"
    twin.write_bytes(coadds["F158"].read_bytes())
    err = refused(capsys, tmp_path / "out", coadds["F158"], twin, status=3)
    assert "of F158, as is" in err and "one mosaic a filter" in err


def test_mosaics_of_other_grids(coadds, tmp_path, capsys):
    shape = (100, 120)
    small = case.write(tmp_path / "s_coadd.asdf", "F106", case.image("F106", case.stars(2, shape=shape), shape=shape))
    assert "(100×120 and 280×330)" in refused(capsys, tmp_path / "out", coadds["F158"], small, status=3)
    arrays = case.image("F106", case.stars())
    moved = case.write(tmp_path / "m_coadd.asdf", "F106", arrays, sky=(270.00001, 66.0))
    assert "not on the grid of" in refused(capsys, tmp_path / "out", coadds["F158"], moved, status=3)


@pytest.mark.parametrize(
    ("options", "status", "expected"),
    [
        (("--psf-match", "F213"), 2, "no mosaic in the reference filter F213"),
        (("--kernel-fwhms", "a"), 2, "numbers from 0.1 to 100"),
        (("--npixels", "0"), 2, "at least 1"),
        (("--inject-sources", "--ref", "epsf=none"), 2, "needs the PSF"),
        (("--profile", "1.5.0"), 2, "1.5.0 has no cat_multiband"),
        (("--inject-seed", "1"), 2, "--inject-seed is for --inject-sources"),
        (("--save-debug-info",), 2, "--save-debug-info is for --inject-sources"),
    ],
)
def test_options_that_cannot_be(coadds, tmp_path, capsys, options, status, expected):
    assert expected in refused(capsys, tmp_path / "out", *coadds.values(), *options, status=status)


def test_injection_without_a_segmentation_map(coadds, capsys):
    status, out, err = said(capsys, "multiband", *coadds.values(), "--inject-sources", "-o", "-", "-q")
    assert (status, out) == (2, "") and "segmentation map, which -o - leaves out" in err


def test_no_mosaic_is_replaced_by_its_catalog(coadds, tmp_path, capsys):
    mine = copied(coadds["F158"], tmp_path, "x.ecsv")
    before = listing(tmp_path)
    status, out, err = said(capsys, "multiband", mine, "-o", mine, "--format", "ecsv", "--overwrite", "-q")
    assert (status, out) == (2, "") and "is an input" in err
    assert listing(tmp_path) == before


def test_a_mosaic_that_does_not_say_when_it_was_written(coadds, tmp_path, capsys):
    path = retouched(coadds["F158"], tmp_path / "x_coadd.asdf", b"  file_date:", b"  file_dote:")
    assert "meta.file_date" in refused(capsys, tmp_path / "out", path, status=3)


def test_inputs_that_cannot_be(coadds, made, tmp_path, capsys):
    assert "wanted l3_coadd" in refused(capsys, tmp_path / "out", made / f"{NAME}_segm.asdf", status=3)
    listed = association(tmp_path / "field_asn.json", coadds)
    err = refused(capsys, tmp_path / "out", listed, coadds["F158"], status=2)
    assert "do not go together" in err
    weights = dict.fromkeys(coadds, -1)
    bad = association(tmp_path / "bad_asn.json", coadds, weights=weights)
    assert "not a positive number" in refused(capsys, tmp_path / "out", bad, status=3)


def test_what_exists_is_refused_before_any_work(coadds, tmp_path, capsys):
    (tmp_path / "multiband_catalog_segm.asdf").write_text("mine")
    status, out, err = said(capsys, "multiband", coadds["F158"], "--outdir", tmp_path, "-q")
    assert (status, out) == (1, "") and "exists already" in err
    assert names_in(tmp_path) == ["multiband_catalog_segm.asdf"]
