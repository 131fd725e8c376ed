"""rt-validate on JWST files: coordinates, files that belong together, options and exit statuses."""

import json
import os
import tracemalloc

import numpy as np
import pytest
from astropy.io import fits

from tests.support import jwst_files, jwst_sound
from tests.support.runs import tool


@pytest.fixture
def validate(capsys):
    """``validate(path…, options…)``: exit status, and what --json says of each file."""

    def run(*words):
        capsys.readouterr()
        status = tool("validate", *words, "--json")
        return status, [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return run


def sound(directory, suffix, name=None, **options):
    return jwst_files.made(directory, suffix, name, sound=True, extra=False, **options)


def places(said, *severities):
    """(severity, check, where) of the findings, remarks left out by default."""
    wanted = severities or ("error", "warning")
    return [(one["severity"], one["check"], one["where"]) for one in said["findings"] if one["severity"] in wanted]


# -- coordinates -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["cal", "calints", "crf", "i2d", "psfsub"])
def test_coordinates_of_sound_images_agree(kind, tmp_path, validate):
    status, (said,) = validate(sound(tmp_path, kind))
    assert (status, places(said)) == (0, [])
    assert "W1" in said["checked"]


@pytest.mark.parametrize("kind", ["cal", "i2d"])
@pytest.mark.parametrize(
    ("keyword", "value"), [("CRVAL2", 2.1e-5), ("S_REGION", "POLYGON ICRS  80 0 80.1 0 80 0.1 80 0"), ("S_REGION", "x")]
)
def test_a_region_away_from_the_header_is_found(kind, keyword, value, tmp_path, validate):
    def change(hdus):
        hdus["SCI"].header[keyword] = value

    status, (said,) = validate(sound(tmp_path, kind, change=change))
    assert (status, places(said)) == (0, [("warning", "W1", "S_REGION")])


def test_a_tree_that_leads_elsewhere_than_the_header_is_found(tmp_path, validate):
    from astropy import coordinates, units
    from astropy.modeling import models
    from gwcs import WCS
    from gwcs import coordinate_frames as frames

    from rtools.products.jwst import open_jwst, stage_jwst

    def system(step):
        pixels = models.Shift(-7.5) & models.Shift(-3.5) | models.Scale(-1e-5) & models.Scale(step)
        transform = pixels | models.Pix2Sky_TAN() | models.RotateNative2Celestial(80, 0, 180)
        detector = frames.Frame2D(name="detector", unit=(units.pix, units.pix))
        sky = frames.CelestialFrame(name="sky", reference_frame=coordinates.ICRS(), unit=(units.deg, units.deg))
        return WCS([(detector, transform), (sky, None)])

    source = sound(tmp_path, "i2d")
    for step, expected in ((1e-5, []), (1.1e-5, [("warning", "W1", "meta.wcs")])):
        path = tmp_path / "moved" / source.name
        path.parent.mkdir(exist_ok=True)
        stage_jwst(path, open_jwst(source), (), tree={"meta": {"wcs": system(step)}}).commit()
        assert places(validate(path)[1][0]) == expected


# -- files that belong together --------------------------------------------------------------------------------------


@pytest.fixture
def found_sources(tmp_path):
    """Catalog, segmentation map and image of one field."""
    return {suffix: sound(tmp_path, suffix, name(suffix)) for suffix in ("cat", "segm", "i2d")}


def name(suffix):
    return jwst_sound.name_of("cat", "ecsv" if suffix == "cat" else "fits").replace("_cat.", f"_{suffix}.")


def test_catalog_segmentation_and_image_agree(found_sources, validate):
    status, said = validate(*found_sources.values(), "--associated")
    assert status == 0
    assert [places(one) for one in said] == [[], [], []]
    assert ["C11" in one["checked"] for one in said] == [True, True, False]


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda rows: rows["label"].__setitem__(1, 9), "label"),
        (lambda rows: rows["label"].__setitem__(1, 1 << 30), "label"),
        (lambda rows: rows["isophotal_area"].__setitem__(1, 99), "isophotal_area"),
        (lambda rows: rows["xcentroid"].__setitem__(1, 12), "xcentroid"),
        (lambda rows: rows["ycentroid"].__setitem__(0, 7), "ycentroid"),
    ],
)
def test_a_catalog_that_is_not_of_its_map_is_found(change, where, found_sources, tmp_path, validate):
    sound(tmp_path, "cat", name("cat"), change=change)
    status, (said,) = validate(found_sources["cat"])  # the map beside it is looked at unasked
    assert status == 1
    assert set(places(said)) == {("error", "C11", where)}
    other = tmp_path / "elsewhere"
    other.mkdir()
    moved = found_sources["cat"].rename(other / name("cat"))
    assert validate(moved)[0] == 0
    assert places(validate(moved, "--with", found_sources["segm"])[1][0]) == places(said)
    assert places(validate(moved, found_sources["segm"], "--associated")[1][0]) == places(said)


def test_an_image_of_another_shape_than_the_map_is_found(found_sources, tmp_path, validate):
    def change(hdus):
        hdus["SCI"].data = np.pad(hdus["SCI"].data, ((0, 0), (0, 1)))

    sound(tmp_path, "segm", name("segm"), change=change)
    said = validate(found_sources["cat"], found_sources["segm"], "--associated")[1]
    assert [places(one) for one in said] == [[("error", "C11", "SCI")]] * 2


def test_a_partner_that_is_none(found_sources, capsys):
    assert tool("validate", found_sources["cat"], "--with", found_sources["i2d"]) == 3
    assert "an i2d, not a segm" in capsys.readouterr().err
    assert tool("validate", found_sources["i2d"], "--with", found_sources["cat"]) == 2
    assert tool("validate", found_sources["cat"], "--associated", "--quick") == 2
    assert tool("validate", found_sources["cat"], "--associated", "--with", found_sources["segm"]) == 2


def segments(directory, ends, total=None, nints=6):
    """Segments of an exposure that end with these integrations."""
    paths = []
    for number, (start, end) in enumerate(zip([0, *ends], ends, strict=False), 1):
        base = f"jw01024001001_02101_00001-seg{number:03d}_nrca1_calints.fits"

        def change(hdus, number=number, start=start, end=end):
            hdus[0].header.update({"INTSTART": start + 1, "INTEND": end, "EXSEGNUM": number, "NINTS": nints})
            hdus[0].header["EXSEGTOT"] = total or len(ends)
            hdus["INT_TIMES"].data["integration_number"] += start

        paths.append(sound(directory, "calints", base, change=change))
    return paths


def test_segments_that_follow_each_other_are_right(tmp_path, validate):
    paths = segments(tmp_path, (2, 4, 6))
    for words in ((paths[0],), paths):
        status, said = validate(*words, "--associated")
        assert (status, [places(one) for one in said]) == (0, [[]] * len(words))


def test_segments_with_a_gap_are_found(tmp_path, validate):
    first, second, third = segments(tmp_path, (2, 4, 6))
    second.unlink()
    status, said = validate(first, third, "--associated")
    assert status == 1
    told = {("error", "segments", "EXSEGNUM"), ("error", "segments", "INTSTART")}
    assert [set(places(one)) for one in said] == [told, set()]


def test_segments_that_end_too_early_are_found(tmp_path, validate):
    first, _second = segments(tmp_path, (2, 4))
    assert places(validate(first, "--associated")[1][0]) == [("error", "segments", "INTEND")]
    assert validate(first)[0] == 0


@pytest.fixture
def coronagraph(tmp_path):
    """Two reference exposures of two integrations, one science exposure, and what is made of them."""

    def reference(hdus):
        hdus[0].header["IS_PSF"] = True

    def exposure(number, suffix, change=None):
        def numbered(hdus):
            hdus[0].header["EXPOSURE"] = f"{number:05d}"
            if change:
                change(hdus)

        base = f"jw01024001001_02101_{number:05d}_nrca1_{suffix}.fits"
        return sound(tmp_path, suffix.rpartition("_")[2], base, change=numbered)

    def images(count):
        def change(hdus):
            for one in ("SCI", "DQ", "ERR"):
                hdus[one].data = np.repeat(hdus[one].data[:1], count, axis=0)

        return change

    exposure(1, "o001_crfints")
    exposure(2, "calints", reference)
    exposure(2, "o001_crfints", reference)
    exposure(3, "calints", reference)
    return exposure, lambda count: sound(tmp_path, "psfstack", change=images(count))


def test_a_stack_has_every_integration_of_its_references(coronagraph, validate):
    _exposure, stack = coronagraph
    status, (said,) = validate(stack(4), "--associated")
    assert (status, places(said)) == (0, [])
    status, (said,) = validate(stack(5), "--associated")
    assert (status, places(said)) == (1, [("error", "C13", "SCI")])


def test_aligned_references_are_those_of_the_stack(coronagraph, validate):
    exposure, stack = coronagraph
    stack(4)
    path = exposure(1, "o001_psfalign")  # of three references
    assert places(validate(path, "--associated")[1][0]) == [("error", "C13", "SCI")]
    stack(3)
    assert places(validate(path, "--associated")[1][0]) == []


def test_a_difference_has_the_shape_of_the_science_exposure(coronagraph, validate):
    exposure, _stack = coronagraph
    path = exposure(1, "o001_psfsub")
    assert places(validate(path, "--associated")[1][0]) == []

    def longer(hdus):
        for hdu in hdus[1:]:
            if hdu.is_image:
                hdu.data = np.pad(hdu.data, ((0, 0),) * (hdu.data.ndim - 1) + ((0, 1),))
        hdus[0].header["SUBSIZE1"] = 17

    path = exposure(1, "o001_psfsub", longer)
    assert ("error", "C13", "SCI") in places(validate(path, "--associated")[1][0])


# -- options and statuses --------------------------------------------------------------------------------------------


def test_quick_reads_no_array(tmp_path, validate):
    def change(hdus):
        hdus["ERR"].data *= -1

    path = sound(tmp_path, "rate", change=change)
    assert validate(path, "--quick")[0] == 0
    status, (said,) = validate(path)
    assert (status, places(said)) == (1, [("error", "C3", "ERR")])
    assert (said["kind"], said["valid"], said["checked"][:3]) == ("rate", False, ["F3", "built-in", "F1"])


def test_strict_counts_warnings(tmp_path, validate):
    path = sound(tmp_path, "rate")
    fits.setval(path, "TARG_RA", value=80.0)
    assert (validate(path)[0], validate(path, "--strict")[0]) == (0, 1)


def test_remarks_are_shown_with_verbose(tmp_path, capsys):
    path = sound(tmp_path, "rate")
    assert tool("validate", path) == 0
    assert capsys.readouterr().out == ""
    assert tool("validate", "-v", path) == 0
    lines = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert [line[:4] for line in lines] == [[str(path), "info", "C3", "ERR"], [str(path), "info", "A1", "_fits_hash"]]


def test_files_that_cannot_be_read(tmp_path, capsys):
    path = sound(tmp_path, "rate")
    content = path.read_bytes()
    path.write_bytes(content[:-4000])
    assert tool("validate", path) == 3
    assert "truncated" in capsys.readouterr().err
    path.write_bytes(content.replace(b"'JWST    '", b"'HST     '"))
    assert tool("validate", path) == 3
    assert "not a JWST product: TELESCOP is HST" in capsys.readouterr().err


def test_builtin_references_are_told_as_those_of_roman(tmp_path, validate):
    def change(hdus):
        hdus[0].header["R_FLAT"], hdus[0].header["R_AREA"] = "builtin:flat", "jwst_area.fits"

    status, (said,) = validate(sound(tmp_path, "cal", change=change))
    assert (status, places(said)) == (0, [("warning", "built-in", "meta.ref_file")])
    assert said["findings"][0]["message"].endswith("not for science: flat")


def test_memory_does_not_grow_with_the_file(tmp_path, validate):
    """A ramp of 400 MB, all zeros and stored as nothing, is read piece by piece."""

    def change(hdus):
        hdus[0].header.update({"NINTS": 1, "INTEND": 1, "SUBSIZE1": 1024, "SUBSIZE2": 1024, "NGROUPS": 80})
        hdus["INT_TIMES"].data = hdus["INT_TIMES"].data[:1]
        hdus["PIXELDQ"].data = np.zeros((1024, 1024), "u4")

    path = sound(tmp_path, "ramp", change=change, optional=False)
    grow(path, {"SCI": (1, 80, 1024, 1024), "GROUPDQ": (1, 80, 1024, 1024)})
    tracemalloc.start()
    status, (said,) = validate(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert status == 1
    assert {check for _severity, check, _where in places(said, "error")} == {"A1"}  # the tree says other shapes
    assert peak < 50e6


def grow(path, shapes):
    """Give images of a file other shapes, and zeros that take no room on the disk."""
    with fits.open(path) as hdus:
        parts = [(str(hdu.header), hdu.name, hdu.fileinfo(), hdu.header.copy()) for hdu in hdus]
    content, written = path.read_bytes(), []
    with open(path, "wb") as file:
        for _text, one, place, header in parts:
            shape = shapes.get(one)
            if shape is None:
                file.write(content[place["hdrLoc"] : place["datLoc"] + place["datSpan"]])
                continue
            for axis, length in enumerate(reversed(shape), 1):
                header[f"NAXIS{axis}"] = length
            file.write(header.tostring().encode())
            size = abs(header["BITPIX"]) // 8 * int(np.prod(shape))
            file.seek(size + -size % 2880, os.SEEK_CUR)
            written.append(one)
    assert sorted(written) == sorted(shapes)
