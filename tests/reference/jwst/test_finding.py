"""Which reference file serves an exposure of JWST: order of places, selectors, dates, sub-arrays, flags by name."""

import json

import asdf
import numpy as np
import pytest
from astropy.io import fits

from rtools.declare import Reference
from rtools.errors import InputError, MissingReferenceError, UsageError
from rtools.reference import find, index
from rtools.reference.jwst import make
from rtools.reference.jwst.files import JwstFileSource
from rtools.reference.jwst.index import jwst_candidate_of, scan_jwst
from rtools.reference.jwst.match import best_jwst, mismatches_jwst, wanted_jwst
from rtools.reference.jwst.nominal import nominal_reference
from rtools.reference.jwst.types import JWST_TYPES
from rtools.reference.missions import rules_of

META = {
    "instrument": {"name": "NIRCAM", "detector": "NRCA1", "filter": "F200W", "pupil": "CLEAR", "channel": "SHORT"},
    "exposure": {"type": "NRC_IMAGE", "readpatt": "SHALLOW4", "noutputs": 1},
    "observation": {"date": "2023-02-25", "time": "12:00:00.000"},
    "subarray": {"name": "SUB64P", "xstart": 11, "ystart": 21, "xsize": 16, "ysize": 8},
}
PLACE = {"SUBSTRT1": 11, "SUBSTRT2": 21, "SUBSIZE1": 16, "SUBSIZE2": 8}


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("CRDS_PATH", raising=False)


@pytest.fixture
def refdir(tmp_path):
    directory = tmp_path / "refs"
    directory.mkdir()
    return directory


def write(path, reftype="GAIN", *, data=None, hdus=(), useafter="2022-01-01T00:00:00", **cards):
    """A reference file as the mission's tools write it."""
    said = {"TELESCOP": "JWST", "REFTYPE": reftype, "INSTRUME": "NIRCAM", "DETECTOR": "NRCA1", "USEAFTER": useafter}
    primary = fits.PrimaryHDU()
    for key, value in (said | PLACE | cards).items():
        if value is not None:
            primary.header[key] = value
    data = np.ones((8, 16), np.float32) if data is None else data
    fits.HDUList([primary, fits.ImageHDU(data, name="SCI"), *hdus]).writeto(path)
    return path


def found(reftype, *, meta=META, simulated=False, absent="error", refusable=True, log=None, **config):
    use = Reference(reftype, absent=absent, refusable=refusable)
    sources = find.references(meta, [use], find.Config(**config), simulated=simulated, log=log, rules=rules_of("jwst"))
    return sources[reftype]


def changed(**changes):
    """The metadata of an exposure that differs in some values of its blocks."""
    return {block: {**values, **{k: v for k, v in changes.items() if k in values}} for block, values in META.items()}


@pytest.mark.parametrize(
    ("cards", "fits_exposure"),
    [
        ({}, True),
        ({"INSTRUME": "NIRISS"}, False),
        ({"DETECTOR": "NRCA2"}, False),
        ({"DETECTOR": "ANY"}, True),
        ({"DETECTOR": "NRCA2", "P_DETECT": "NRCA2|NRCA1|"}, True),
        ({"FILTER": "F200W"}, True),
        ({"FILTER": "F150W"}, False),
        ({"FILTER": "N/A"}, True),
        ({"FILTER": "F150W", "P_FILTER": "F150W | F200W |"}, True),
        ({"P_FILTER": "F150W|F115W|"}, False),
        ({"PUPIL": "WLP8"}, False),
        ({"P_PUPIL": "ANY|"}, True),
        ({"GRATING": "G140H"}, False),
        ({"GRATING": "N/A"}, True),
        ({"CHANNEL": "LONG"}, False),
        ({"CHANNEL": "SHORT"}, True),
        ({"BAND": "SHORT"}, False),
        ({"EXP_TYPE": "NRC_IMAGE"}, True),
        ({"EXP_TYPE": "NRC_WFSS"}, False),
        ({"P_EXP_TY": "NRC_WFSS|NRC_IMAGE|"}, True),
        ({"READPATT": "RAPID"}, False),
        ({"P_READPA": "RAPID|SHALLOW4|"}, True),
        ({"SUBARRAY": "SUB64P"}, True),
        ({"SUBARRAY": "SUB160P"}, False),
        ({"SUBARRAY": "GENERIC"}, True),
        ({"SUBARRAY": "FULL"}, True),
        ({"SUBSTRT1": 12}, False),
        ({"SUBSIZE2": 7}, False),
        ({"TELESCOP": "HST"}, False),
        ({"REFTYPE": "READNOISE"}, False),
        ({"USEAFTER": "2023-02-25T12:00:01"}, False),
        ({"USEAFTER": "2023-02-25T12:00:00"}, True),
    ],
)
def test_a_file_serves_where_all_that_it_says_fits(refdir, cards, fits_exposure):
    write(refdir / "a.fits", **cards)
    candidate, note = best_jwst(scan_jwst(refdir), "gain", wanted_jwst(META))
    assert (candidate is not None) == fits_exposure
    assert bool(note) == (not fits_exposure and cards.keys().isdisjoint({"TELESCOP", "REFTYPE"}))


def test_the_channel_is_that_of_the_detector(refdir):
    write(refdir / "a.fits", CHANNEL="SHORT")
    silent = {**META, "instrument": {key: word for key, word in META["instrument"].items() if key != "channel"}}
    assert found("gain", refdir=refdir, meta=silent)
    silent["instrument"]["detector"] = "NRCALONG"
    with pytest.raises(MissingReferenceError, match="one for detector NRCA1, CHANNEL SHORT"):
        found("gain", refdir=refdir, meta=silent)


def test_the_latest_before_the_exposure_is_taken(refdir):
    for name, day in (("a", "2022-01-01"), ("b", "2023-01-01"), ("c", "2024-01-01")):
        write(refdir / f"{name}.fits", useafter=f"{day}T00:00:00")
    assert found("gain", refdir=refdir).path.name == "b.fits"
    late = {**META, "observation": {"date": "2025-01-01", "time": "00:00:00"}}
    assert found("gain", refdir=refdir, meta=late).path.name == "c.fits"
    early = {**META, "observation": {"date_beg": "2020-01-01T00:00:00.0"}}
    with pytest.raises(MissingReferenceError, match="3 for later exposures only, from 2022-01-01"):
        found("gain", refdir=refdir, meta=early)
    by_mjd = {**META, "observation": {}, "exposure": {**META["exposure"], "start_time": 60000.0}}
    assert wanted_jwst(by_mjd).start.startswith("2023-02-25T00:00:00")


def test_a_file_of_the_very_sub_array_goes_before_one_that_is_cut(refdir):
    write(refdir / "whole.fits", SUBARRAY="FULL", useafter="2023-01-01T00:00:00")
    write(refdir / "part.fits", SUBARRAY="SUB64P", useafter="2022-01-01T00:00:00")
    assert found("gain", refdir=refdir).path.name == "part.fits"


def test_what_depends_on_how_pixels_are_read_is_not_taken_from_the_full_frame(refdir):
    write(refdir / "bias.fits", "SUPERBIAS", SUBARRAY="FULL")
    write(refdir / "dark.fits", "DARK", SUBARRAY="GENERIC", SUBSIZE1=17)
    with pytest.raises(MissingReferenceError, match="superbias"):
        found("superbias", refdir=refdir)
    with pytest.raises(MissingReferenceError, match="dark"):
        found("dark", refdir=refdir)
    write(refdir / "dark2.fits", "DARK", SUBARRAY="GENERIC")
    assert found("dark", refdir=refdir).path.name == "dark2.fits"


def test_a_full_frame_is_cut_to_the_sub_array(refdir):
    data = np.arange(48 * 40, dtype=np.float32).reshape(48, 40)
    path = write(refdir / "a.fits", data=data, SUBSTRT1=2, SUBSTRT2=11, SUBSIZE1=40, SUBSIZE2=48)
    source = found("gain", refdir=refdir)
    mine = data[10:18, 9:25]
    assert source.shape("data") == (8, 16)
    assert np.array_equal(source.array("data"), mine)
    assert np.array_equal(source.columns("data", 3, 7), mine[:, 3:7])
    assert np.array_equal(source.rows("data", 2, 5), mine[2:5])
    assert np.array_equal(source.section("data", slice(1, 3), slice(4, 9)), mine[1:3, 4:9])
    assert np.array_equal(source.part("data", (3,)), mine[3])
    with pytest.raises(InputError, match="does not have the pixels"):
        JwstFileSource("gain", path, part=wanted_jwst(changed(xstart=30)).part)


def test_leading_axes_are_kept_where_planes_are_cut(refdir):
    coeffs = np.arange(3 * 24 * 20, dtype=np.float32).reshape(3, 24, 20)
    hdus = [fits.ImageHDU(coeffs, name="COEFFS")]
    write(refdir / "a.fits", "LINEARITY", hdus=hdus, SUBSTRT1=9, SUBSTRT2=20, SUBSIZE1=20, SUBSIZE2=24)
    source = found("linearity", refdir=refdir)
    assert np.array_equal(source.array("coeffs"), coeffs[:, 1:9, 2:18])
    assert np.array_equal(source.part("coeffs", (2,)), coeffs[2, 1:9, 2:18])
    assert np.array_equal(source.part("coeffs", (1, 3)), coeffs[1, 4, 2:18])
    assert np.array_equal(source.rows("coeffs", 1, 3), coeffs[1:, 1:9, 2:18])
    assert np.array_equal(source.columns("coeffs", 5, 6), coeffs[:, 1:9, 7:8])
    with pytest.raises(InputError, match="has no array err"):
        source.array("err")


def test_flags_are_told_by_the_names_of_their_bits(refdir):
    """Bits of the file are its own; a name that JWST does not have is left out."""
    dq = np.zeros((8, 16), np.uint32)
    dq[0, :4] = [1, 2, 4, 7]
    rows = np.array(
        [(0, 1, "HOT", ""), (1, 2, "DO_NOT_USE", ""), (2, 4, "SPARKLING", "")],
        dtype=[("BIT", "i4"), ("VALUE", "u4"), ("NAME", "S40"), ("DESCRIPTION", "S80")],
    )
    hdus = [fits.ImageHDU(dq, name="DQ"), fits.BinTableHDU(rows, name="DQ_DEF")]
    write(refdir / "a.fits", "MASK", hdus=hdus)
    source = found("mask", refdir=refdir)
    assert source.array("dq")[0, :5].tolist() == [2048, 1, 0, 2049, 0]
    contents = source.contents()
    assert contents.arrays["DQ"][0, 3] == 2049
    assert contents.tables["DQ_DEF"]["VALUE"].tolist() == [2048, 1]


def test_keywords_and_tables_are_nodes(refdir):
    rows = np.array(
        [("F200W", "CLEAR", 2.5, 0.1)], [("filter", "S12"), ("pupil", "S12"), ("photmjsr", "f4"), ("u", "f4")]
    )
    write(refdir / "a.fits", "PHOTOM", hdus=[fits.BinTableHDU(rows, name="PHOTOM")], PIXAR_SR=2.2e-14)
    source = found("photom", refdir=refdir)
    assert source.node("phot_table")["photmjsr"][0] == 2.5
    assert source.node("meta.photometry.pixelarea_steradians") == 2.2e-14
    with pytest.raises(InputError, match="has no meta"):
        source.node("meta.photometry.pixelarea_arcsecsq")


def test_references_in_asdf_and_json_are_found(refdir):
    [one] = make.files(["nrca1"], types=["distortion"])
    make.write(refdir / one.name, one.reference())
    meta = {"reftype": "filteroffset", "telescope": "JWST", "instrument": {"p_filter": "F200W|"}}
    tree = {"meta": meta, "filters": []}
    asdf.AsdfFile(tree).write_to(refdir / "offsets.asdf")
    told = {"reftype": "EXTRACT1D", "instrument": "MIRI", "telescope": "JWST", "exp_type": "MIR_LRS-FIXEDSLIT"}
    (refdir / "extract.json").write_text(json.dumps(told | {"apertures": []}))
    assert found("distortion", refdir=refdir).node("model")(0.0, 0.0)[0] == pytest.approx(153, abs=0.1)
    assert found("filteroffset", refdir=refdir).node("filters") == []
    slit = {**META, "instrument": {"name": "MIRI", "detector": "MIRIMAGE"}, "exposure": {"type": "MIR_LRS-FIXEDSLIT"}}
    assert found("extract1d", refdir=refdir, meta=slit).node("apertures") == []
    with pytest.raises(MissingReferenceError):
        found("extract1d", refdir=refdir)


def test_the_option_goes_before_the_directory_and_the_cache(refdir, tmp_path, monkeypatch):
    write(refdir / "a.fits")
    other = write(tmp_path / "b.fits", FILTER="F150W")
    log = []
    source = found("gain", refdir=refdir, overrides={"gain": other}, log=lambda *said: log.append(said))
    assert source.path == other
    assert any("for FILTER F150W; the exposure is NRCA1 F200W" in text for level, text in log if level == "warning")
    assert found("gain", refdir=refdir, overrides={"GAIN": "none"}) is None
    with pytest.raises(UsageError, match="no such reference type"):
        found("gain", overrides={"epsf": "x"})
    with pytest.raises(InputError, match="of type gain, not mask"):
        found("mask", overrides={"mask": other})
    with pytest.raises(MissingReferenceError, match="nothing can be done without it"):
        found("gain", overrides={"gain": "none"}, refusable=False)


def test_the_cache_is_asked_for_the_file_that_the_exposure_names(tmp_path, monkeypatch):
    cache = tmp_path / "crds"
    folder = cache / "references" / "jwst" / "nircam"
    folder.mkdir(parents=True)
    write(folder / "jwst_nircam_gain_0097.fits")
    monkeypatch.setenv("CRDS_PATH", str(cache))
    named = {**META, "ref_file": {"gain": {"name": "crds://jwst_nircam_gain_0097.fits"}}}
    source = found("gain", meta=named)
    assert (source.origin, source.label) == ("crds", "crds://jwst_nircam_gain_0097.fits")
    with pytest.raises(MissingReferenceError, match="names no file"):
        found("gain")
    named["ref_file"]["gain"]["name"] = "crds://jwst_nircam_gain_0098.fits"
    with pytest.raises(MissingReferenceError, match=r"0098\.fits is not in the cache"):
        found("gain", meta=named)


def test_the_nominal_set_serves_where_it_is_asked_for_and_simulated_data():
    source = found("flat", simulated=True)
    assert (source.origin, source.label) == ("builtin", "builtin:jwst1/flat_nrca1_f200w_sub64p")
    part = wanted_jwst(META).part
    expected = nominal_reference("flat", "nrca1", "F200W", part=part).arrays["SCI"]
    assert np.array_equal(source.array("data"), expected)
    assert source.shape("data") == (8, 16)
    assert np.array_equal(source.columns("data", 2, 5), expected[:, 2:5])
    assert found("gain", builtin=True).has("data")
    with pytest.raises(MissingReferenceError, match="unless it is asked for"):
        found("gain")
    photom = found("photom", simulated=True)
    assert photom.node("meta.photometry.pixelarea_steradians") == pytest.approx(2.29e-14, rel=0.01)
    assert set(photom.node("phot_table").colnames) == {"filter", "pupil", "photmjsr", "uncertainty"}
    assert len(photom.checksum) == 32


def test_the_filter_of_the_pupil_wheel_is_the_one_that_counts():
    nis = {**META, "instrument": {"name": "NIRISS", "detector": "NIS", "filter": "CLEAR", "pupil": "F200W"}}
    assert found("flat", meta=nis, simulated=True).name == "flat_nis_f200w_sub64p"
    nis["instrument"] |= {"filter": "F480M", "pupil": "NRM"}
    assert found("flat", meta=nis, simulated=True).name == "flat_nis_f480m_sub64p"


def test_what_the_nominal_set_lacks_is_missing_or_absent():
    assert found("psfmask", builtin=True, absent="skip") is None
    with pytest.raises(MissingReferenceError, match="psfmask"):
        found("psfmask", builtin=True)
    spectrum = {**META, "instrument": {"name": "NIRSPEC", "detector": "NRS1"}}
    with pytest.raises(MissingReferenceError, match="gain"):
        found("gain", meta=spectrum, builtin=True)


def test_a_dark_without_a_frame_time_is_missing():
    """Of MIRI those of its own sub-arrays are known."""
    miri = {**META, "instrument": {"name": "MIRI", "detector": "MIRIMAGE", "filter": "F770W"}}
    with pytest.raises(MissingReferenceError, match="dark"):
        found("dark", meta=miri, builtin=True)
    for part in (("FULL", 1, 1, 1032, 1024), ("SUB64", 1, 779, 72, 64)):
        covered = dict(zip(("name", "xstart", "ystart", "xsize", "ysize"), part, strict=True))
        assert found("dark", meta={**miri, "subarray": covered}, builtin=True).has("data")


def test_made_files_serve_the_exposure_they_are_made_for(refdir):
    """Of the full frame they are cut; the dark alone is for its sub-array."""
    part = wanted_jwst(META).part
    for one in make.files(["nrca1"], ["F200W"], types=["gain", "flat", "photom", "apcorr"]):
        make.write(refdir / one.name, one.reference())
    for one in make.files(["nrca1"], types=["dark"], parts={"nrca1": part}):
        make.write(refdir / one.name, one.reference())
    for reftype in ("gain", "flat", "dark"):
        nominal = nominal_reference(reftype, "nrca1", "F200W", part=part)
        assert np.array_equal(found(reftype, refdir=refdir).array("data"), nominal.arrays["SCI"])
    assert found("photom", refdir=refdir).node("phot_table")
    blue = changed(filter="F150W")
    for reftype in ("flat", "apcorr"):
        with pytest.raises(MissingReferenceError, match="one for FILTER F200W"):
            found(reftype, refdir=refdir, meta=blue)


def test_the_index_reads_a_file_again_only_where_it_changed(refdir, monkeypatch):
    path = write(refdir / "a.fits")
    (refdir / "notes.fits").write_bytes(b"SIMPLE  = not a file of FITS")
    first = scan_jwst(refdir)
    assert [one.type for one in first] == ["gain", None]
    assert first[1].problem
    assert index.cache_file(refdir, "jwst") != index.cache_file(refdir)
    monkeypatch.setattr("rtools.reference.jwst.index._said", None)
    assert scan_jwst(refdir) == first
    monkeypatch.undo()
    path.unlink()
    write(path, "READNOISE", useafter="2021-01-01T00:00:00")
    assert [one.type for one in scan_jwst(refdir)] == ["readnoise", None]


def test_references_of_the_other_mission_are_passed_over(refdir):
    write(refdir / "a.fits")
    [one] = make.files(["nrca1"], types=["distortion"])
    make.write(refdir / one.name, one.reference())
    assert [one.type for one in index.scan(refdir)] == [None]
    roman = {"roman": {"meta": {"reftype": "GAIN", "telescope": "ROMAN", "instrument": {"detector": "WFI01"}}}}
    asdf.AsdfFile(roman).write_to(refdir / "roman.asdf")
    assert [one.type for one in scan_jwst(refdir)] == ["gain", "distortion", None]


def test_every_type_is_recognised_by_its_name(tmp_path):
    for reftype, kind in JWST_TYPES.items():
        path = write(tmp_path / f"{reftype}.fits", reftype.upper())
        candidate = jwst_candidate_of(path)
        assert candidate.type == reftype
        assert mismatches_jwst(candidate, wanted_jwst(META)) == []
        assert candidate.place == (11, 21, 16, 8) or not kind.is_plane
