"""rt-validate: every fault gives its finding and no other; good files of every kind give none."""

import json
import re
import subprocess
import sys

import numpy as np
import pytest

from rtools.products.check.columns import BAND, column_type, kind_of, required
from rtools.products.io import header, open_product, writer
from rtools.products.schema import layout
from rtools.products.schema.history import BUILT_IN
from rtools.wfi import metadata
from rtools.work import progress
from tests.support import samples
from tests.support.runs import piped, retouched, rewrite, tool
from tests.support.samples import CASES, write

CAL = "r0000101001001001001_0001_wfi01_f158_cal.asdf"


@pytest.fixture
def validate(capsys):
    """``validate(path, options…)``: exit status, and what --json says."""

    def run(path, *options):
        capsys.readouterr()
        status = tool("validate", path, "--json", *options)
        return status, json.loads(capsys.readouterr().out)

    return run


def places(said, *severities):
    """(severity, check, where) of the findings, remarks left out by default."""
    wanted = severities or ("error", "warning")
    return [(one["severity"], one["check"], one["where"]) for one in said["findings"] if one["severity"] in wanted]


@pytest.fixture(scope="module")
def calibrated(raw, ran, tmp_path_factory):
    """Directory with the products of `ran` as if reference files had made them, so that no finding is about those."""
    directory = tmp_path_factory.mktemp("calibrated")
    for path in (raw, *ran.glob("*.asdf")):
        (directory / path.name).write_bytes(path.read_bytes().replace(BUILT_IN.encode(), b"my_refs/"))
    return directory


@pytest.fixture
def product(calibrated, raw):
    """``product(suffix)``: path of that product of `raw`, made with reference files."""
    return lambda suffix: calibrated / raw.name.replace("_uncal", f"_{suffix}")


@pytest.fixture
def changed(product, tmp_path):
    """``changed(suffix, change)``: a product with metadata and arrays changed, under its own name."""

    def make(suffix, change, name=None):
        source = product(suffix)
        return rewrite(source, tmp_path / (name or source.name), change)

    return make


# -- good files ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["uncal", "dqinit", "linearity", "rampfit", "assignwcs", "flat", "cal", "wcs"])
def test_products_of_the_chain_are_good(suffix, product, validate):
    for options in ((), ("--quick",)):
        status, said = validate(product(suffix), *options)
        assert status == 0
        allowed = {"steps"} if suffix == "cal" else set()  # planned steps do not count
        assert [place for place in places(said) if place[1] not in allowed] == []


@pytest.mark.parametrize("suffix", ["uncal", "linearity", "cal"])
def test_cutout_has_no_errors_although_its_border_is_whole(suffix, product, tmp_path, validate):
    assert tool("cut", product(suffix), "--section", "30:90,40:140", "--outdir", tmp_path, "-q") == 0
    status, said = validate(tmp_path / product(suffix).name)
    assert places(said, "error") == []
    assert status == 0


def test_reference_may_be_called_as_the_step_that_it_serves(tmp_path, validate):
    assert (
        tool(
            "refs", "make", tmp_path, "--detector", "WFI01", "--element", "F158", "--types", "flat", "--size", 256, "-q"
        )
        == 0
    )
    made = next(path for path in tmp_path.iterdir() if "flat" in path.name)
    status, said = validate(made.rename(tmp_path / "my_flat.asdf"), "--quick")
    assert places(said, "error") == []
    assert status == 0


@pytest.mark.slow
@pytest.mark.parametrize("profile", layout.PROFILES)
def test_products_and_references_of_every_kind_have_no_errors(profile, tmp_path, validate):
    for kind in (kind for used, kind in CASES if used == profile):
        path = write(tmp_path, profile, kind)
        for options in ((), ("--quick",)):
            said = validate(path, *options)[1]
            # samples say that no step has run, have a number of resultants that is none, and guide by random numbers
            allowed = [one for one in places(said) if one[1] in ("steps", "guide") or one[2].endswith("nresultants")]
            assert places(said) == allowed, (kind, said["findings"])


def test_values_that_nobody_filled_in_are_found_once(changed, validate):
    """A placeholder, which the schema allows, and what no schema asks: a declination of 91, NaN."""
    odd = {"wcsinfo.ra_ref": -999999, "wcsinfo.dec_ref": 91.0, "velocity_aberration.scale_factor": float("nan"),
           "photometry.pixel_area": 0.0, "guide_star.window_xstart": -999999}  # fmt: skip

    def change(meta, _arrays):
        for key, value in odd.items():
            metadata.put(meta, key, value)

    path = changed("cal", change)
    for options in ((), ("--quick",)):
        status, said = validate(path, *options)
        found = [place for place in places(said) if place[1] == "values"]
        kinds = {"wcsinfo.ra_ref": "warning", "guide_star.window_xstart": "warning"}
        assert sorted(found) == sorted((kinds.get(key, "error"), "values", f"meta.{key}") for key in odd)
        assert status == 1
    told = {finding["where"]: finding["message"] for finding in said["findings"]}
    assert told["meta.wcsinfo.dec_ref"] == "91.0, not between -90 and 90 degrees"


def test_entries_of_references_that_nobody_filled_in_are_found(tmp_path, validate):
    from rtools.products.forms import read_tree

    assert tool("refs", "make", tmp_path, "--detector", "WFI01", "--element", "F158", "--types", "photom", "-q") == 0
    (path,) = (path for path in tmp_path.iterdir() if "photom" in path.name)
    assert validate(path)[0] == 0
    value = f"photmjsr: {read_tree(path)['phot_table']['F158']['photmjsr']}".encode()
    path.write_bytes(path.read_bytes().replace(value, b"photmjsr: -1".ljust(len(value))))
    status, said = validate(path, "--quick")
    assert status == 1
    assert ("error", "values", "phot_table.F158.photmjsr") in places(said)


def test_places_of_a_catalog_that_are_not_on_the_sky_are_found(tmp_path, validate):
    from astropy.table import Table

    table = Table({"label": [1, 2, 3], "ra": [10.0, np.nan, -999999.0], "dec": [91.0, 5.0, 6.0], "ra_err": [1e9] * 3})
    table.write(tmp_path / "x_cat.ecsv")
    said = validate(tmp_path / "x_cat.ecsv")[1]
    found = {finding["where"]: finding["message"] for finding in said["findings"] if finding["check"] == "values"}
    assert found == {
        "ra": "1 that are not on the sky (-999999 degrees)",
        "dec": "1 that are not on the sky (91 degrees)",
    }


# -- blocks ----------------------------------------------------------------------------------------------------------


def test_a_flipped_byte_is_found_in_its_array(product, tmp_path, validate):
    with open_product(product("cal")) as opened:
        block = opened.arrays["data"].block
    content = bytearray(product("cal").read_bytes())
    content[block.offset + block.used // 2] ^= 1
    path = tmp_path / CAL
    path.write_bytes(content)
    status, said = validate(path)
    assert status == 1
    assert places(said) == [("error", "checksum", "data")]
    assert validate(path, "--quick")[0] == 0  # it reads no array


def test_a_checksum_of_zeros_is_none(product, tmp_path, validate):
    with open_product(product("cal")) as opened:
        block = opened.arrays["data"].block
    content = bytearray(product("cal").read_bytes())
    content[block.offset - 16 : block.offset] = bytes(16)
    path = tmp_path / CAL
    path.write_bytes(content)
    assert validate(path)[0] == 0
    content[block.offset + 6] ^= 255  # without a checksum the block is decoded
    content[block.offset + 4] ^= 255
    path.write_bytes(content)
    assert places(validate(path)[1]) == [("error", "checksum", "data")]


@pytest.mark.parametrize("options", [(), ("--quick",)])
def test_a_file_that_is_cut_off(options, product, tmp_path, validate):
    content = product("cal").read_bytes()
    last = header.read_header(product("cal"))[2][-1]
    path = tmp_path / CAL
    for end in (last.offset + last.used - 1, last.offset - 60, last.offset - 30):
        path.write_bytes(content[:end])
        status, said = validate(path, *options)
        assert (status, places(said)) == (1, [("error", "blocks", "the file")])
    path.write_bytes(content[:-8])
    status, said = validate(path, *options)
    assert (status, places(said)) == (0, [("warning", "blocks", "the block index")])
    path.write_bytes(content[: last.offset + last.used])  # an index is not needed
    assert validate(path, *options)[0] == 0


def test_an_index_that_is_wrong(product, tmp_path, validate):
    content = product("cal").read_bytes()
    place = content.rindex(b"\n- ") + 3
    path = tmp_path / CAL
    path.write_bytes(content[:place] + b"9" + content[place + 1 :])
    status, said = validate(path)
    assert (status, places(said)) == (0, [("warning", "blocks", "the block index")])


# -- schema and layout -----------------------------------------------------------------------------------------------


@pytest.fixture
def own(changed):
    """A good image whose name is not of the archive, so that metadata may be changed freely."""
    return changed("cal", lambda meta, arrays: None, "sim_cal.asdf")


FAULTS = {
    "dtype": (b"datatype: float16", b"datatype:   int16", "layout"),
    "missing array": (b"\n  chisq:", b"\n  chisx:", "layout"),
    "missing key": (b"frame_time:", b"frame_tame:", "layout"),
    "word": (b"type: WFI_IMAGE", b"type: WFI_IMAGO", "schema"),
    "type": (b"hga_move: false", b"hga_move: 12345", "schema"),
}


@pytest.mark.parametrize("options", [(), ("--quick",)])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_the_tree_is_found_once(fault, options, own, tmp_path, validate):
    old, new, check = FAULTS[fault]
    path = retouched(own, tmp_path / "sim2_cal.asdf", old, new)
    status, said = validate(path, *options)
    found = [place for place in places(said) if place != ("warning", "name", "meta.filename")]
    assert status == 1
    assert [(severity, about) for severity, about, _where in found] == [("error", check)]


def test_every_fault_of_the_schema_is_listed(own, tmp_path, validate):
    path = retouched(own, tmp_path / "sim2_cal.asdf", b"type: WFI_IMAGE", b"type: WFI_IMAGO")
    path = retouched(path, tmp_path / "sim3_cal.asdf", b"hga_move: false", b"hga_move: 12345")
    found = {where for _severity, _check, where in places(validate(path)[1], "error")}
    assert found == {"meta.exposure.type", "meta.exposure.hga_move"}


def test_shapes_that_do_not_agree(own, tmp_path, validate):
    content = own.read_bytes()
    start = content.index(b"\n  err:")
    place = content.index(b"[248, 248]", start)
    path = tmp_path / "sim_cal.asdf"
    path.write_bytes(content[:place] + b"[124, 496]" + content[place + 10 :])
    status, said = validate(path, "--quick")
    assert status == 1
    assert set(places(said)) == {("error", "layout", "err")}


def test_an_image_that_does_not_fit_its_border(changed, validate):
    def cut(meta, arrays):
        for name, array in arrays.items():
            if array.shape == (248, 248):
                arrays[name] = array[:, :200].copy()

    status, said = validate(changed("cal", cut))
    assert (status, places(said, "error")) == (1, [("error", "layout", "data")])


def test_a_read_pattern_of_another_length(changed, validate):
    status, said = validate(changed("uncal", lambda meta, arrays: meta["exposure"]["read_pattern"].pop()))
    assert (status, places(said)) == (1, [("error", "layout", "meta.exposure.read_pattern")])


def test_an_array_that_does_not_fit_its_block(own, tmp_path, validate):
    path = retouched(own, tmp_path / "sim2_cal.asdf", b"shape: [248, 248]", b"shape: [948, 948]")
    status, said = validate(path)
    assert (status, places(said, "error")) == (1, [("error", "layout", "the arrays")])


def test_small_frames_are_remarked(product, validate):
    assert ("info", "layout", "the arrays") in places(validate(product("cal"))[1], "info")


# -- cal_step --------------------------------------------------------------------------------------------------------


def _set(block, key, value):
    return lambda meta, arrays: meta[block].update({key: value})


STEP_FAULTS = {
    "no reference": ("cal", _set("ref_file", "dark", "N/A"), "meta.ref_file.dark"),
    "no WCS": ("cal", lambda meta, arrays: meta.update(wcs=None), "meta.cal_step.assign_wcs"),
    "no conversion": ("cal", _set("photometry", "conversion_megajanskys", None), "meta.cal_step.photom"),
    "unit": ("cal", _set("cal_step", "flux", "COMPLETE"), "meta.cal_step.flux"),
    "transient": ("cal", _set("cal_step", "wfi18_transient", "COMPLETE"), "meta.cal_step.wfi18_transient"),
    "ramp": ("linearity", _set("cal_step", "flat_field", "COMPLETE"), "meta.cal_step.flat_field"),
    "suffix": ("flat", _set("cal_step", "flat_field", "INCOMPLETE"), "meta.cal_step.flat_field"),
    "no errors": ("flat", lambda meta, arrays: arrays["err"].fill(0), "meta.cal_step.ramp_fit"),
}


@pytest.mark.parametrize("fault", STEP_FAULTS)
def test_an_untrue_step_is_an_error(fault, changed, validate):
    suffix, change, where = STEP_FAULTS[fault]
    status, said = validate(changed(suffix, change))
    assert (status, places(said)) == (1, [("error", "steps", where)])


STEP_DOUBTS = {
    "left out": ("flat", _set("cal_step", "dark", "INCOMPLETE"), "meta.cal_step.dark"),
    "unfinished": ("cal", _set("cal_step", "photom", "INCOMPLETE"), "meta.cal_step.photom"),
    "no fit": ("cal", _set("cal_step", "ramp_fit", "INCOMPLETE"), "meta.cal_step.ramp_fit"),
}


@pytest.mark.parametrize("fault", STEP_DOUBTS)
def test_a_doubtful_step_is_a_warning(fault, changed, validate):
    suffix, change, where = STEP_DOUBTS[fault]
    path = changed(suffix, change)
    status, said = validate(path)
    assert (status, places(said)) == (0, [("warning", "steps", where)])
    assert validate(path, "--strict")[0] == 1


def test_a_step_after_the_one_that_the_name_says(changed, validate):
    path = changed("flat", lambda meta, arrays: None, CAL.replace("_cal", "_rampfit"))
    status, said = validate(path)
    assert (status, places(said)) == (0, [("warning", "steps", "meta.cal_step.dark")])


def test_raw_data_are_not_calibrated(changed, validate):
    status, said = validate(changed("uncal", lambda meta, arrays: meta.update(cal_step={"dq_init": "COMPLETE"})))
    assert (status, places(said)) == (1, [("error", "steps", "meta.cal_step.dq_init")])


def test_a_mosaic_has_been_resampled(tmp_path, validate):
    meta = samples.meta("l3_coadd") | {"wcs": samples.wcs()}
    meta["cal_step"] = dict.fromkeys(meta["cal_step"], "COMPLETE")
    path = tmp_path / "x_coadd.asdf"
    writer.write_product(path, "l3_coadd", meta, samples.arrays("l3_coadd"))
    assert places(validate(path)[1]) == []
    meta["cal_step"]["resample"] = "INCOMPLETE"
    writer.write_product(path, "l3_coadd", meta, samples.arrays("l3_coadd"))
    status, said = validate(path)
    assert (status, places(said)) == (1, [("error", "steps", "meta.cal_step.resample")])


def test_a_skipped_step_needs_no_reference(changed, validate):
    def skip(meta, arrays):
        meta["cal_step"]["dark"] = "SKIPPED"
        meta["ref_file"]["dark"] = "N/A"

    status, said = validate(changed("cal", skip))
    assert (status, places(said)) == (0, [])


# -- names -----------------------------------------------------------------------------------------------------------


def test_the_suffix_of_another_kind(product, tmp_path, validate):
    path = tmp_path / CAL.replace("_cal", "_linearity")
    path.write_bytes(product("cal").read_bytes())
    status, said = validate(path)
    assert (status, places(said)) == (1, [("error", "name", "file name")])


def test_a_renamed_file(product, tmp_path, validate):
    path = tmp_path / CAL.replace("wfi01", "wfi02")
    path.write_bytes(product("cal").read_bytes())
    status, said = validate(path)
    assert status == 0
    assert {where for _severity, _check, where in places(said)} == {"meta.filename", "meta.instrument.detector"}
    path = tmp_path / CAL.replace("wfi01", "wfi1")
    path.write_bytes(product("cal").read_bytes())
    assert ("warning", "name", "file name") in places(validate(path)[1])


# -- WCS -------------------------------------------------------------------------------------------------------------


def test_a_wcs_whose_inverse_is_wrong_is_a_warning(changed, validate):
    from astropy.modeling.models import Shift

    def spoil(meta, arrays):
        meta["wcs"] = samples.wcs()
        first = meta["wcs"].forward_transform
        bad = first.copy()
        bad.inverse = first.inverse | Shift(0.02) & Shift(0)
        meta["wcs"].set_transform("detector", "world", bad)
        meta["wcs"].bounding_box = ((-0.5, 247.5), (-0.5, 247.5))

    path = changed("cal", spoil)
    status, said = validate(path)
    assert (status, places(said)) == (0, [("warning", "wcs", "meta.wcs")])
    assert "0.02 pixel" in said["findings"][0]["message"]
    assert validate(path, "--strict")[0] == 1


def test_round_trip_of_a_shift_that_is_not_undone():
    from astropy.modeling.models import Shift

    from rtools.astrometry import wcs_check

    wcs = samples.wcs()
    x, y = wcs_check.grid_of(wcs, (100, 200))
    assert (x.size, x.min(), x.max(), y.min(), y.max()) == (81, 0, 199, 0, 99)
    assert wcs_check.round_trip(wcs, x, y).max() < 1e-8
    bad = wcs.forward_transform.copy()
    bad.inverse = wcs.forward_transform.inverse | Shift(3) & Shift(4)
    wcs.set_transform("detector", "world", bad)
    np.testing.assert_allclose(wcs_check.round_trip(wcs, x, y), 5, atol=1e-8)


def test_the_systems_of_a_wcs_product_differ_by_the_border(product, tmp_path, validate):
    from rtools.wfi.gwcs_frames import level1_wcs

    with open_product(product("wcs")) as opened:
        meta, wcs = opened.meta, opened.node("wcs_l2")
    path = tmp_path / product("wcs").name
    writer.write_product(path, "wcs", meta, {}, extra={"wcs_l2": wcs, "wcs_l1": wcs})
    assert places(validate(path)[1]) == [("warning", "wcs", "wcs_l1")]
    writer.write_product(path, "wcs", meta, {}, extra={"wcs_l2": wcs, "wcs_l1": level1_wcs(wcs)})
    assert places(validate(path)[1]) == []


# -- catalogs --------------------------------------------------------------------------------------------------------


def _segmentation(path, labels):
    meta = samples.meta("segm_exposure")
    data = np.zeros((64, 64), np.uint32)
    data.flat[: 2 * len(labels)] = np.repeat(labels, 2)
    writer.write_product(path, "segm_exposure", meta, {"data": data})
    return path


def _catalog(path, labels, *, without=(), kind="prompt", model=None, **wrong):
    import pyarrow as pa
    from pyarrow import parquet

    wanted = [pattern.strip("^$").replace("[0-9]{2}", "04").replace(BAND, "f158") for pattern in required(kind)]
    columns = {name: np.zeros(len(labels), column_type(name)) for name in wanted if name not in without}
    if "label" in columns:
        columns["label"] = np.asarray(labels, np.int32)
    meta = {"roman.meta.filename": path.name} | ({} if model is None else {"roman.meta.model_type": model})
    table = pa.table(columns | wrong).replace_schema_metadata(meta)
    parquet.write_table(table, path)
    return path


@pytest.fixture
def pair(tmp_path):
    """``pair(in_map, in_catalog)``: a segmentation map and its catalog."""

    def make(in_map, in_catalog):
        return _segmentation(tmp_path / "x_segm.asdf", in_map), _catalog(tmp_path / "x_cat.parquet", in_catalog)

    return make


def test_a_catalog_and_its_map_agree(pair, validate):
    for path in pair([1, 2, 5], [5, 1, 2]):
        status, said = validate(path)
        assert (status, places(said)) == (0, [])
        assert "catalog" in said["checked"]


@pytest.mark.parametrize("labels", [[1, 2], [1, 2, 3, 4]])
def test_labels_that_differ(labels, pair, validate):
    segmentation, catalog = pair([1, 2, 3], labels)
    for path, where in ((segmentation, "data"), (catalog, "label")):
        status, said = validate(path)
        assert (status, places(said)) == (1, [("error", "catalog", where)])


def test_the_other_one_may_be_named(pair, tmp_path, validate):
    segmentation, _catalog_path = pair([1, 2], [1, 2])
    other = _catalog(tmp_path / "other_cat.parquet", [1, 3])
    assert validate(segmentation)[0] == 0
    assert validate(segmentation, "--with", other)[0] == 1
    assert validate(other)[1]["checked"] == ["name", "built-in", "schema", "values"]  # no sibling, not checked


def test_a_catalog_of_its_own(tmp_path, validate):
    path = _catalog(tmp_path / "y_cat.parquet", [1, 2, 2, 0])
    assert places(validate(path)[1]) == [("error", "catalog", "label")] * 2
    path = _catalog(tmp_path / "z_cat.parquet", [1], without=("kron_flux", "aper04_flux"))
    assert {where for _s, _c, where in places(validate(path)[1])} == {"kron_flux", "aperNN_flux"}
    (tmp_path / "e_cat.ecsv").write_text(
        "# %ECSV 1.0\n# ---\n# datatype:\n# - {name: label, datatype: int32}\nlabel\n1\n"
    )
    assert places(validate(tmp_path / "e_cat.ecsv")[1], "error")


KINDS = {
    "forced": ("ForcedImageSourceCatalogModel", "forced_kron_flux", "forced_is_extended"),
    "multiband": ("MultibandSourceCatalogModel", "kron_f158_flux", "is_extended_f158"),
}


@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_forced_and_multiband_catalogs_have_columns_of_their_own(kind, told, tmp_path, validate):
    model, flux, flag = KINDS[kind]
    options = {"kind": kind, "model": model if told else None}
    path = _catalog(tmp_path / "y_cat.parquet", [1, 2], **options)
    assert places(validate(path)[1]) == []
    path = _catalog(tmp_path / "z_cat.parquet", [1, 2], without=(flux,), **options)
    name = flux.replace("f158", "BAND")
    assert places(validate(path)[1]) == [("error", "schema", name)]
    path = _catalog(tmp_path / "w_cat.parquet", [1, 2], **options, **{flag: np.zeros(2, np.float32)})
    assert places(validate(path)[1]) == [("error", "schema", flag)]


def test_required_columns_are_those_of_rad():
    from importlib.resources import files

    tables = files("rad.resources") / "schemas" / "tables"
    for kind in ("prompt", "forced", "multiband"):
        schema = (tables / f"{kind}_catalog_table-2.0.0.yaml").read_text()
        wanted = [line.split()[1] for line in schema.splitlines() if "pattern:" in line]
        bands = [re.sub(r"\(f062[^)]*\)", BAND.replace("\\", "\\\\"), one) for one in wanted]
        assert required(kind) == bands


@pytest.mark.slow
def test_a_catalog_in_an_asdf_file(pair, tmp_path, validate):
    from astropy.table import Table

    segmentation, _parquet = pair([1, 2, 5], [5, 1, 2])
    wanted = [pattern.strip("^$").replace("[0-9]{2}", "04") for pattern in required("prompt")]
    table = Table({name: np.zeros(3, column_type(name)) for name in wanted})
    table["label"] = np.array([5, 2, 1], np.int32)

    def made(name):
        path = tmp_path / name
        writer.write_product(path, "cat_exposure", samples.meta("cat_exposure"), {}, extra={"source_catalog": table})
        return path

    status, said = validate(made("a_cat.asdf"), "--with", segmentation)
    assert (status, places(said, "error")) == (0, [])
    assert "catalog" in said["checked"]
    assert validate(segmentation, "--with", tmp_path / "a_cat.asdf")[0] == 0
    table["label"] = np.array([5, 2, 2], np.int32)
    status, said = validate(made("b_cat.asdf"), "--with", segmentation)
    assert (status, places(said, "error")) == (1, [("error", "catalog", "label")] * 2)  # 2 twice, 1 in the map only
    table["label"] = np.array([5, 2, 1], np.int32)
    whole = made("c_cat.asdf").read_bytes()
    (tmp_path / "d_cat.asdf").write_bytes(re.sub(rb"\bkron_flux\b", b"kron_flax", whole))
    assert places(validate(tmp_path / "d_cat.asdf")[1], "error") == [("error", "schema", "kron_flux")]
    assert validate(segmentation, "--with", segmentation)[0] == 3


@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        ("kron_flux", "float32"),
        ("aper04_f158m_flux_err", "float32"),
        ("forced_aper16_flux", "float32"),
        ("ra_psf_f158", "float64"),
        ("is_extended", "bool"),
        ("psf_flags_f158", "int32"),
        ("flagged_spatial_id", "int64"),
        ("of_ones_own", None),
    ],
)
def test_type_of_a_column(name, dtype):
    assert column_type(name) == dtype


def test_kind_of_a_catalog_by_its_columns():
    assert kind_of("", ["label", "kron_flux"]) == "prompt"
    assert kind_of("ImageSourceCatalogModel", ["forced_by_hand"]) == "prompt"
    assert kind_of("", ["label", "kron_f158_flux"]) == "multiband"


def test_a_catalog_that_is_cut_off_cannot_be_read(tmp_path):
    path = _catalog(tmp_path / "y_cat.parquet", [1])
    path.write_bytes(path.read_bytes()[:-100])
    assert tool("validate", path) == 3


# -- the tool --------------------------------------------------------------------------------------------------------


def test_status_of_many_files(product, tmp_path, capsys):
    bad = retouched(product("cal"), tmp_path / CAL, b"type: WFI_IMAGE", b"type: WFI_IMAGO")
    nothing = tmp_path / "none.asdf"
    assert tool("validate", product("flat"), product("uncal")) == 0
    assert capsys.readouterr().out == ""
    assert tool("validate", "--quick", product("flat"), bad) == 1
    captured = capsys.readouterr()
    fields = captured.out.splitlines()[0].split("\t")
    assert fields[:4] == [str(bad), "error", "schema", "meta.exposure.type"]
    assert captured.err == f"rt-validate: {bad}: 1 error\n"
    assert tool("validate", "--quick", nothing, product("flat")) == 3
    assert tool("validate", "--quick", nothing, bad) == 1
    capsys.readouterr()
    assert tool("validate", "--quick", "--fail-fast", bad, nothing) == 1
    assert "none.asdf" not in capsys.readouterr().err


def test_standard_input_is_validated(product, monkeypatch):
    with piped(monkeypatch, product("cal").read_bytes()) as out:
        assert tool("validate", "-") == 0
        assert out.getvalue() == b""
    with piped(monkeypatch, product("cal").read_bytes()[:-4000]) as out:
        assert tool("validate", "-") == 1
        assert out.getvalue().startswith(b"-\terror\tblocks\t")


def test_what_cannot_be_asked(product, capsys):
    assert tool("validate", product("cal"), "--with", product("flat")) == 2
    assert tool("validate", product("cal"), product("flat"), "--with", product("flat")) == 2
    assert tool("validate", "--quick", product("cal"), "--with", product("flat")) == 2
    assert len(capsys.readouterr().err.splitlines()) == 3


def test_quick_needs_neither_asdf_nor_astropy(product):
    code = (
        "import sys\nfrom rtools.commands.validate import main\n"
        "try:\n    main(sys.argv[1:])\nexcept SystemExit as end:\n    print(end.code, *sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "--quick", product("cal")], capture_output=True, text=True, check=True
    )
    status, *loaded = done.stdout.split()
    assert status == "0"
    assert not {"asdf", "astropy", "gwcs", "scipy", "pyarrow"} & set(loaded)


def test_remarks_are_shown_on_request(product, capsys):
    assert tool("validate", "-v", product("flat")) == 0
    assert "\tinfo\tlayout\t" in capsys.readouterr().out


def test_many_files_are_told_of_in_a_pipe_as_time_goes_by(product, monkeypatch, capsys):
    monkeypatch.setattr(progress, "LINES_EVERY", 0.001)
    assert tool("validate", *[product("cal")] * 3) == 0
    lines = capsys.readouterr().err.splitlines()
    assert lines
    assert all(line.startswith("rt-validate: 3 files: ") for line in lines)
