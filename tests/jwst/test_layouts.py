"""Layouts of JWST products, their flags, and how the kind of a file is told."""

import pytest

from rtools.errors import UsageError
from rtools.jwst import (
    GROUP_FLAGS,
    PIXEL_FLAGS,
    SUFFIXES,
    SeenHdu,
    described,
    flags_of,
    keyword_at,
    keywords,
    kind_of,
    product_layout,
    suffix_of,
)
from rtools.wfi import dq

SIZES = {"ncols": 2048, "nrows": 1024, "ngroups": 5, "nints": 3, "nplanes": 2, "nwaves": 100, "npsfs": 9}


def test_all_products_have_a_layout():
    assert len(SUFFIXES) == 27
    layouts = [product_layout(suffix) for suffix in SUFFIXES]
    assert [layout.suffix for layout in layouts if layout.form == "ecsv"] == ["cat", "phot", "whtlt"]
    assert all(layout.stages and set(layout.stages) <= {0, 1, 2, 3} for layout in layouts)
    assert all(layout.columns for layout in layouts if layout.form == "ecsv")
    assert all(layout.hdus and layout.models for layout in layouts if layout.form == "fits")


def test_a_product_that_there_is_not():
    with pytest.raises(UsageError, match="no JWST product is called jpeg; there are uncal ramp"):
        product_layout("jpeg")


@pytest.mark.parametrize(
    ("suffix", "name", "dtype", "shape"),
    [
        ("uncal", "SCI", "uint16", (3, 5, 1024, 2048)),
        ("uncal", "REFOUT", "uint16", (3, 5, 1024, 512)),
        ("ramp", "GROUPDQ", "uint8", (3, 5, 1024, 2048)),
        ("ramp", "PIXELDQ", "uint32", (1024, 2048)),
        ("rateints", "VAR_POISSON", "float32", (3, 1024, 2048)),
        ("i2d", "CON", "int32", (2, 1024, 2048)),
        ("s3d", "WMAP", "float32", (100, 1024, 2048)),
        ("psfalign", "SCI", "float32", (3, 9, 1024, 2048)),
        ("amilg", "CTRD", "float32", (3, 1024, 2048)),  # NAXIS3 is the integration in files
    ],
)
def test_types_and_shapes_of_images(suffix, name, dtype, shape):
    hdu = product_layout(suffix).hdu(name)
    assert (hdu.dtypes[0], hdu.shape(SIZES)) == (dtype, shape)


def test_what_releases_have_otherwise_is_accepted():
    assert product_layout("ramp").hdu("REFOUT").dtypes == ("uint16", "float32")
    assert product_layout("psfalign").hdu("SCI").shapes[1] == ("npsfs", "nrows", "ncols")
    assert product_layout("cal").hdu("PATHLOSS_UN").shapes[1] == ("ncols",)


def test_extensions_that_a_file_may_lack():
    layout = product_layout("cal")
    assert layout.required == ("SCI", "ERR", "DQ", "VAR_POISSON", "VAR_RNOISE", "VAR_FLAT", "ASDF")
    assert layout.repeats and layout.hdu("AREA").optional and layout.hdu("NOBODYS") is None


def test_columns_of_tables():
    spectra = {column.name: column for column in product_layout("x1dints").hdu("EXTRACT1D").columns}
    assert len(spectra) == 27
    assert spectra["FLUX"].cell == ("nwaves",) and spectra["FLUX"].unit == "Jy"
    assert (spectra["INT_NUM"].dtype, spectra["INT_NUM"].cell) == ("int32", ())
    triangles = {column.name: column for column in product_layout("ami-oi").hdu("OI_T3").columns}
    assert (triangles["STA_INDEX"].cell, triangles["FLAG"].dtype) == ((3,), "bool")
    assert product_layout("amilg").hdu("SOLNS").columns[0].cell == (44,)
    assert product_layout("x1d").variants["MIRI MRS"][0].name == "RF_FLUX"


def test_flags_have_the_names_of_their_mission():
    assert len(PIXEL_FLAGS) == 32
    assert PIXEL_FLAGS["OUTLIER"] == 1 << 4 and dq.PIXEL["OUTLIER"] == 1 << 7
    assert PIXEL_FLAGS["CHARGELOSS"] == GROUP_FLAGS["CHARGELOSS"] == 128
    assert dq.names(17, PIXEL_FLAGS) == ["DO_NOT_USE", "OUTLIER"]
    assert dq.value("MSA_FAILED_OPEN", PIXEL_FLAGS) == 1 << 29


@pytest.mark.parametrize(
    ("array", "flags"), [("slits.3.dq", PIXEL_FLAGS), ("PIXELDQ", PIXEL_FLAGS), ("groupdq", GROUP_FLAGS), ("SCI", None)]
)
def test_flags_of_an_array(array, flags):
    assert flags_of(array) == flags


@pytest.mark.parametrize(
    ("name", "suffix"),
    [
        ("jw01024001001_02101_00001_nrca1_rate.fits", "rate"),
        ("jw02113004001_02101_00001-seg001_nis_calints.fits", "calints"),
        ("jw87600-a3001_t001_niriss_f480m-nrm_ami-oi.fits", "ami-oi"),
        ("jw01024-c1000_t002_miri_f770w_i2d-04.fits", "i2d"),
        ("jw93065-a3001_t1_nircam_f150w-wlp8_phot.ecsv", "phot"),
        ("jw01024001001_02101_00001_nrca1_trapsfilled.fits", None),
    ],
)
def test_suffix_of_a_name(name, suffix):
    assert suffix_of(name) == suffix


def image(ndim, name="SCI", bitpix=-32):
    return SeenHdu(name, ndim, bitpix, {})


FLAT, CUBE = [image(2)], [image(3), image(3, "VAR_POISSON")]


@pytest.mark.parametrize(
    ("cards", "hdus", "suffix", "kind"),
    [
        ({"DATAMODL": "ImageModel", "S_RAMP": "COMPLETE"}, FLAT, None, "rate"),
        ({"DATAMODL": "ImageModel", "S_RAMP": "COMPLETE"}, FLAT, "cal", "rate"),
        ({"DATAMODL": "ImageModel", "S_WCS": "COMPLETE", "S_BKDSUB": "COMPLETE"}, FLAT, None, "bsub"),
        ({"DATAMODL": "ImageModel", "S_PHOTOM": "COMPLETE"}, FLAT, "rate", "cal"),
        ({"DATAMODL": "ImageModel", "S_PHOTOM": "COMPLETE"}, FLAT, "crf", "crf"),
        ({"DATAMODL": "ImageModel", "S_OUTLIR": "COMPLETE"}, FLAT, None, "crf"),
        ({"DATAMODL": "ImageModel"}, [*FLAT, image(3, "CON", 32)], "rate", "i2d"),
        ({"DATAMODL": "MultiSlitModel"}, [*FLAT, image(3, "CON", 32)], None, "s2d"),
        ({"DATAMODL": "MultiSlitModel"}, FLAT, None, "cal"),
        ({"DATAMODL": "SlitModel"}, CUBE, None, "calints"),
        ({"DATAMODL": "CubeModel"}, CUBE, "rateints", "rateints"),
        ({"DATAMODL": "CubeModel", "S_KLIP": "COMPLETE"}, CUBE, None, "psfsub"),
        ({"DATAMODL": "CubeModel"}, [image(3), image(3, "DQ", 32)], "psfalign", "psfalign"),
        ({"DATAMODL": "CubeModel"}, [image(3), image(3, "DQ", 32)], None, "psfstack"),
        ({"DATAMODL": "IFUCubeModel"}, [image(3), image(3, "DQ", 32)], None, "s3d"),
        ({"DATAMODL": "MIRIRampModel"}, [image(4), image(4, "GROUPDQ", 8)], None, "ramp"),
        ({"DATAMODL": "ImageModel"}, [image(4), image(4, "GROUPDQ", 8)], None, "ramp"),
        ({"DATAMODL": "RampModel"}, [image(4), image(4, "GROUPDQ", 8)], "rate", "ramp"),
        ({}, [image(4, bitpix=16)], None, "uncal"),
        ({"DATAMODL": "MultiSpecModel"}, [SeenHdu("EXTRACT1D", 0, 0, {"WAVELENGTH": "D"})], None, "x1d"),
        ({"DATAMODL": "MultiSpecModel"}, [SeenHdu("EXTRACT1D", 0, 0, {"WAVELENGTH": "D"})] * 2, "x1dints", "x1dints"),
        ({"DATAMODL": "TSOMultiSpecModel"}, [SeenHdu("EXTRACT1D", 0, 0, {"INT_NUM": "J"})], None, "x1dints"),
        ({"DATAMODL": "AmiOIModel"}, [SeenHdu("OI_VIS", 0, 0, {"VISAMP": "10D"})], "ami-oi", "amimulti-oi"),
        ({"DATAMODL": "AmiOIModel"}, [SeenHdu("OI_VIS", 0, 0, {"VISAMP": "D"})], None, "ami-oi"),
        ({"DATAMODL": "ImageModel", "REFTYPE": "FLAT"}, FLAT, "rate", None),
        ({"DATAMODL": "GuiderCalModel"}, CUBE, "cal", None),
        ({"DATAMODL": "TomorrowModel"}, FLAT, None, None),
        ({"DATAMODL": "TomorrowModel"}, FLAT, "cal", "cal"),
        ({"DATAMODL": "RampFitOutputModel"}, [image(3, "SLOPE")], None, None),
    ],
)
def test_the_header_tells_the_kind_before_the_name(cards, hdus, suffix, kind):
    assert kind_of(cards, hdus, suffix) == kind


def test_a_file_in_words():
    assert described({"INSTRUME": "NIRCAM"}, "rate") == "a JWST product (rate, NIRCam)"
    assert described({"INSTRUME": "MIRI", "REFTYPE": "FLAT"}, None) == "a JWST reference file (FLAT, MIRI)"
    assert described({"DATAMODL": "GuiderCalModel", "INSTRUME": "FGS"}, None) == "a JWST file (GuiderCalModel, FGS)"


def test_paths_and_keywords():
    assert len(keywords()) == 619
    assert keyword_at("exposure.type") is keyword_at("meta.exposure.type") is keyword_at("EXP_TYPE")
    assert keyword_at("exposure.type").hdu == "PRIMARY"
    assert (keyword_at("ROLL_REF").path, keyword_at("roll_ref").hdu) == ("wcsinfo.roll_ref", "SCI")
    assert keyword_at("guidestar.fgs_roll_ref").hdu == "PRIMARY"
    assert keyword_at("cal_step.photom").keyword == "S_PHOTOM"
    assert keyword_at("NOBODYS") is None
