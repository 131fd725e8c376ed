"""rt-info on products of JWST: what it says is what astropy reads in the headers, for all kinds."""

import json
import subprocess
import sys

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from rtools.jwst import SUFFIXES, product_layout
from rtools.wfi.sphere import s_region
from tests.support import jwst_files
from tests.support.runs import piped, records, tool

CARDS = {
    "PROGRAM": "01024", "OBSERVTN": "001", "VISIT": "001", "EXPOSURE": "00001", "TARGNAME": "NGC-1365",
    "PI_NAME": "Doe", "DATE-OBS": "2023-02-25", "TIME-OBS": "12:00:00.000",
    "EXPSTART": 60000.5, "EXPEND": 60000.5 + 156.5 / 86400,
    "EFFEXPTM": 139.25, "FILTER": "F200W", "PUPIL": "CLEAR", "SUBARRAY": "SUB64P", "READPATT": "SHALLOW4", "NINTS": 2,
    "NGROUPS": 3, "NFRAMES": 4, "GROUPGAP": 1, "TFRAME": 2.0, "TGROUP": 10.0, "CRDS_CTX": "jwst_1234.pmap",
    "EXSEGNUM": 2, "EXSEGTOT": 3, "INTSTART": 11, "INTEND": 12, "CAL_VER": "1.19.0", "NDRIZ": 4, "PIXFRAC": 1.0,
    "R_DARK": "crds://jwst_nircam_dark_0001.fits", "R_FLAT": "crds://jwst_nircam_flat_0002.fits", "R_AREA": "N/A",
    "S_DARK": "COMPLETE", "S_DQINIT": "COMPLETE", "S_JUMP": "SKIPPED",
}  # fmt: skip
"""Cards that each product gets in its primary header, beside those that make it what it is."""

CORNERS = [(79.9, -69.5), (80.1, -69.5), (80.1, -69.4), (79.9, -69.4)]
"""Around the sky that the science image of a product has."""


def product(directory, suffix, **options):
    """A file of a kind with `CARDS`, a footprint and a right hash."""
    path = jwst_files.made(directory, suffix, **options)
    if path.suffix != ".fits":
        return path
    with fits.open(path, mode="update") as hdus:
        hdus[0].header.update(CARDS)
        if "SCI" in hdus:
            hdus["SCI"].header.update({"S_REGION": s_region(CORNERS), "PA_V3": 33.5, "CTYPE1": "RA---TAN",
                                       "CD1_1": -1e-5, "CD1_2": 0.0, "CD2_1": 0.0, "CD2_2": 1e-5})  # fmt: skip
    return path


def shown(capsys, *args, status=0):
    assert tool("info", *args) == status
    return capsys.readouterr().out.splitlines()


def row(lines, label):
    """Text of a row, its lines joined."""
    start = next(place for place, line in enumerate(lines) if line.startswith(f"  {label:13s}"))
    text = [lines[start][15:]]
    for line in lines[start + 1 :]:
        if not line.startswith(" " * 15):
            break
        text.append(line[15:])
    return " ".join(text)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_kind_is_told_by_what_its_headers_say(suffix, tmp_path, capsys):
    path = product(tmp_path, suffix)
    layout = product_layout(suffix)
    told = records("\n".join(shown(capsys, "--json", path)))[0]
    assert (told["status"], told["mission"], told["kind"], told["title"]) == ("done", "jwst", suffix, layout.title)
    assert told["bytes"] == path.stat().st_size
    lines = shown(capsys, path)
    assert max(map(len, lines[1:])) <= 80
    assert row(lines, "product").startswith(f"{suffix}: {layout.title}; JWST stage {told['stage']}")
    if layout.form == "ecsv":
        table = Table.read(path, format="ascii.ecsv")
        assert (told["rows"], [one["name"] for one in told["columns"]]) == (len(table), table.colnames)
        return
    with fits.open(path) as hdus:
        images = {f"{hdu.name},{hdu.ver}": hdu for hdu in hdus[1:] if isinstance(hdu, fits.ImageHDU)}
        tables = {f"{hdu.name},{hdu.ver}": hdu for hdu in hdus[1:] if isinstance(hdu, fits.BinTableHDU)}
        del tables["ASDF,1"]
        assert {one["extension"]: (tuple(one["shape"]), one["dtype"]) for one in told["arrays"]} == {
            name: (hdu.shape, hdu.data.dtype.name) for name, hdu in images.items()
        }
        assert {one["extension"]: (one["rows"], [column["name"] for column in one["columns"]])
                for one in told["tables"]} == {
            name: (len(hdu.data), hdu.columns.names) for name, hdu in tables.items()}  # fmt: skip
        names = [hdu.name for hdu in hdus[1:-1]]
    start = lines.index("  HDUs") + 1
    assert [line.split()[0] for line in lines[start:]] == names
    assert {one["extension"][:-2]: one["layout"] for one in [*told["arrays"], *told["tables"]]} == {
        hdu.name: "optional" if hdu.optional else "required" for hdu in layout.hdus if hdu.name != "ASDF"
    } | {"NOBODYS": None}


def test_six_lines_say_what_of_whom_when_how_with_what_and_where(tmp_path, capsys):
    lines = shown(capsys, product(tmp_path, "rateints"))
    assert row(lines, "product") == (
        "rateints: Count rate per integration; JWST stage 1, calwebb_detector1: ramp_fit; NIRCam NRCA1 F200W CLEAR, "
        "NRC_IMAGE, sub-array SUB64P"
    )
    assert row(lines, "observation").startswith(
        "program 01024, observation 001, visit 001, exposure 00001; target NGC-1365; “a title that"
    )
    assert row(lines, "observation").endswith("PI Doe")
    assert row(lines, "time") == "from 2023-02-25 12:00:00.000 UTC, 156.5 s long, EFFEXPTM 139.25 s"
    assert row(lines, "steps") == "COMPLETE dq_init dark_sub; SKIPPED jump"
    assert row(lines, "references") == "2 of jwst_1234.pmap: dark flat (-v for their files)"
    sky = row(lines, "sky")
    assert sky.startswith("RA 80.000000 Dec -69.4500")
    assert "y axis at PA 0.0000" in sky
    assert "V3 at PA 33.5000" in sky
    assert '0.036" a pixel' in sky
    assert row(lines, "region").startswith("79.90000 -69.50000, 80.10000 -69.50000,")
    assert row(lines, "read-out") == (
        "SHALLOW4, 2 integrations, 3 groups, 4 frames, gap 1; TFRAME 2 s, TGROUP 10 s; segment 2 of 3: "
        "integrations 11 to 12"
    )


def test_files_of_references_are_named_on_demand(tmp_path, capsys):
    lines = shown(capsys, "-v", product(tmp_path, "rate"))
    assert row(lines, "references") == "2 of jwst_1234.pmap"
    text = "\n".join(lines)
    assert "dark jwst_nircam_dark_0001.fits" in text
    assert "flat jwst_nircam_flat_0002.fits" in text


def test_a_resampled_image_says_of_how_many_it_is_made(tmp_path, capsys):
    assert row(shown(capsys, product(tmp_path, "i2d")), "resample") == "4 images, pixfrac 1.0"


def test_a_spectrum_says_its_wavelengths_order_and_source(tmp_path, capsys):
    path = product(tmp_path, "x1d", sets=2)
    waves = np.array([np.nan, 0, 5.25, 6, 7.5])
    with fits.open(path, mode="update") as hdus:
        hdus["EXTRACT1D", 2].data["WAVELENGTH"] = waves
        hdus["EXTRACT1D", 2].header.update({"SPORDER": -1, "SLTNAME": "S200A1", "SRCTYPE": "POINT"})
    spectrum = records("\n".join(shown(capsys, "--json", path)))[0]["spectra"][1]
    assert spectrum == {"extension": "EXTRACT1D,2", "slit": "S200A1", "source": 102, "source_type": "POINT",
                        "order": -1, "rows": 5, "wavelengths": [5.25, 7.5], "unit": "um"}  # fmt: skip
    lines = [" ".join(line.split()) for line in shown(capsys, path)]
    assert "EXTRACT1D,2 5.25 to 7.5 um order -1, S200A1, source 102, POINT" in lines


def test_the_tree_is_trusted_until_a_header_is_edited(tmp_path, capsys):
    path = jwst_files.made(tmp_path, "cal")
    assert row(shown(capsys, path), "ASDF") == "ImageModel; its tree is that of the headers"
    with fits.open(path, mode="update") as hdus:
        hdus[0].header["EXP_TYPE"] = "NRC_TSIMAGE"
    assert "edited since" in row(shown(capsys, path), "ASDF")
    assert "NRC_TSIMAGE" in row(shown(capsys, path), "product")
    older = jwst_files.made(tmp_path, "rate", image_tree=True)
    assert row(shown(capsys, older), "ASDF").endswith("the older form")
    bare = tmp_path / "bare_rate.fits"
    with fits.open(older) as hdus:
        fits.HDUList(hdus[:-1]).writeto(bare)
    assert "keywords alone tell" in row(shown(capsys, bare), "ASDF")


def test_world_coordinates_that_need_stdatamodels_are_named(tmp_path, capsys):
    path = jwst_files.made(
        tmp_path, "cal", more="slits:\n- meta: {wcs: !<tag:stsci.edu:gwcs/wcs-1.0.0> {steps: ["
        "!<tag:stsci.edu:jwst_pipeline/gwa_to_slit-0.8.0> {}]}}\n")  # fmt: skip
    assert "only stdatamodels knows" in row(shown(capsys, path), "ASDF")


def test_history_logs_and_tree(tmp_path, capsys):
    path = product(tmp_path, "rate", more="cal_logs: {calwebb_detector1: [one, two], later: [three]}\n")
    assert shown(capsys, "--history", path) == ["  and in order"]
    assert shown(capsys, "--logs", path) == ["one", "two", "three"]
    lines = shown(capsys, "--tree", path)
    assert "    program_number: 01024" in lines
    assert "data: float32 (8, 16)" in lines
    told = records("\n".join(shown(capsys, "--json", "--tree", "--logs", path)))[0]
    assert told["tree"]["meta"]["exposure"]["nints"] == 2
    assert told["logs"] == ["one", "two", "three"]


def test_reference_files_say_what_they_are(tmp_path, capsys):
    path = tmp_path / "jwst_nircam_flat_0001.fits"
    head = {"TELESCOP": "JWST", "INSTRUME": "NIRCAM", "DETECTOR": "NRCA1", "REFTYPE": "FLAT", "FILTER": "F200W",
            "USEAFTER": "2022-04-01T00:00:00", "AUTHOR": "somebody", "PEDIGREE": "INFLIGHT"}  # fmt: skip
    image = fits.ImageHDU(np.ones((4, 5), "f4"), name="SCI")
    fits.HDUList([fits.PrimaryHDU(header=fits.Header(head)), image]).writeto(path)
    lines = shown(capsys, path)
    assert row(lines, "product") == "reference FLAT; JWST NIRCam NRCA1 F200W"
    assert row(lines, "reference") == "by somebody, pedigree INFLIGHT, use after 2022-04-01T00:00:00"
    text = tmp_path / "x.json"
    text.write_text(json.dumps({"telescope": "JWST", "reftype": "EXTRACT1D", "instrument": "MIRI", "apertures": []}))
    assert row(shown(capsys, text), "product") == "reference EXTRACT1D; JWST MIRI"


def test_what_is_broken_is_told_in_one_line(tmp_path, capsys):
    path = jwst_files.made(tmp_path, "rate")
    content = path.read_bytes()
    for place, (change, message) in enumerate({
        content[:20000]: "truncated: ",
        content[:2000]: "truncated in the primary header",
        content.replace(b"BITPIX  =                  -32", b"BITPIX  =                  -31"): "a bad header",
        content.replace(b"#ASDF 1.0.0", b"#ASDG 1.0.0"): "its extension ASDF: not an ASDF file",
    }.items()):  # fmt: skip
        bad = tmp_path / f"bad{place}_rate.fits"
        bad.write_bytes(change)
        assert tool("info", bad) == 3
        captured = capsys.readouterr()
        assert captured.out == ""
        assert len(captured.err.splitlines()) == 1
        assert message in captured.err


def test_lists_and_streams_of_files(tmp_path, capsys, monkeypatch):
    path = jwst_files.made(tmp_path, "rate")
    listed = tmp_path / "files.txt"
    listed.write_text(f"{path}\n{path}\n")
    assert [one["kind"] for one in records("\n".join(shown(capsys, "--json", f"@{listed}")))] == ["rate", "rate"]
    with piped(monkeypatch, path.read_bytes()) as out:
        assert tool("info", "-") == 0
        assert out.getvalue().decode().splitlines()[1].startswith("  product      rate: ")


def test_astropy_is_not_imported_to_look_at_headers(tmp_path):
    path = jwst_files.made(tmp_path, "uncal")
    code = (
        "import sys; from rtools.commands.kit.entry import run; from rtools.commands.info import command; "
        f"status = run(command, [{str(path)!r}]); sys.exit(status or ('astropy' in sys.modules) * 9)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_file_of_two_gigabytes_is_not_read(tmp_path, capsys):
    path = jwst_files.made(tmp_path, "uncal", extra=False, optional=False)
    content = path.read_bytes()
    with fits.open(path) as hdus:
        places = [hdu.fileinfo() for hdu in hdus]
        header = hdus["SCI"].header
    header.update({"NAXIS1": 2048, "NAXIS2": 2048, "NAXIS3": 10, "NAXIS4": 25})
    size = -(-2048 * 2048 * 250 * 2 // 2880) * 2880
    with open(path, "wb") as file:
        file.write(content[: places[1]["hdrLoc"]] + header.tostring().encode())
        file.seek(size, 1)  # a hole, which takes seconds to read
        file.write(content[places[2]["hdrLoc"] :])
    assert path.stat().st_size > 2.09e9
    lines = shown(capsys, path)
    assert any(line.split()[:4] == ["SCI", "data", "uint16", "25x10x2048x2048"] for line in lines)
    assert "edited since" in row(lines, "ASDF")
