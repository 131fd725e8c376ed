"""rt-stat of JWST files: every kind against numpy, what flags leave out, planes that are chosen."""

import json

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from rtools.jwst import SUFFIXES, product_layout
from tests.support import jwst_files
from tests.support.small_files import tool, write

NAMES = {"SCI": "data", "WMAP": "weightmap", "PATHLOSS_PS": "pathloss_point", "PATHLOSS_UN": "pathloss_uniform",
         "CTRD": "centered_image", "N_CTRD": "norm_centered_image", "FIT": "fit_image", "N_FIT": "norm_fit_image",
         "RESID": "resid_image", "N_RESID": "norm_resid_image"}  # fmt: skip
FLAGS = ("DQ", "PIXELDQ", "GROUPDQ", "FLAG")
ALONG = ("INT_TIMES", "GROUP", "HDRTAB", "WCS-TABLE", "ASDF")


def statistics(capsys, *args, wanted="count,mean,median,sd,min,max"):
    """Records that rt-stat prints as JSON, in order."""
    assert tool("stat", *args, "--stat", wanted, "--json") == 0
    return json.loads(capsys.readouterr().out)["statistics"]


def expected(path):
    """(array, plane, values) of everything that is described, read by astropy."""
    if path.suffix == ".ecsv":
        table = Table.read(path, format="ascii.ecsv")
        return [(name, None, np.asarray(table[name])) for name in table.colnames]
    found = []
    with fits.open(path) as hdus:
        images = [hdu.shape[-2:] for hdu in hdus[1:] if not isinstance(hdu, fits.BinTableHDU)]
        for hdu in hdus[1:]:
            if isinstance(hdu, fits.BinTableHDU):
                found += [] if hdu.name in ALONG else list(columns(hdu))
            elif hdu.name not in FLAGS and hdu.shape[-2:] == images[0]:
                planes = [None] if len(hdu.shape) == 2 else range(int(np.prod(hdu.shape[:-2])))
                stack = np.array(hdu.data).reshape(-1, *images[0])
                found += [(NAMES.get(hdu.name, hdu.name.lower()), plane, stack[plane or 0]) for plane in planes]
    return found


def columns(hdu):
    for column in hdu.columns.names:
        values = np.array(hdu.data[column])
        if column not in FLAGS and values.dtype.kind not in "SU":
            rows = enumerate(values) if values.ndim > 1 else [(None, values)]
            yield from ((f"{hdu.name}.{column}", row, cell) for row, cell in rows)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_numbers_of_every_kind_are_those_of_numpy(tmp_path, suffix, capsys):
    path = jwst_files.made(tmp_path, suffix, extra=False)
    found = statistics(capsys, path, "--dq", "none")
    wanted = expected(path)
    assert [(one["array"], one["plane"]) for one in found] == [(array, plane) for array, plane, _values in wanted]
    for one, (_array, _plane, values) in zip(found, wanted, strict=True):
        values = values[np.isfinite(values)].astype("f8")
        assert one["count"] == values.size
        if not values.size:
            assert one["mean"] is one["max"] is None
            continue
        assert one["mean"] == pytest.approx(values.mean(), rel=1e-9)
        assert one["median"] == pytest.approx(np.median(values), rel=1e-6)
        assert one["sd"] == pytest.approx(values.std(), rel=1e-6)
        assert (one["min"], one["max"]) == (values.min(), values.max())


def changed(path, change):
    """The file after ``change(hdus)``, which works in place."""
    with fits.open(path, mode="update") as hdus:
        change(hdus)
    return path


def test_groups_without_use_are_left_out_by_both_arrays_of_flags(tmp_path, capsys):
    def flag(hdus):
        hdus["PIXELDQ"].data[...] = 0
        hdus["GROUPDQ"].data[...] = 0
        hdus["PIXELDQ"].data[0, :3] = 1
        hdus["GROUPDQ"].data[1, 2, 5, :4] = 1
        hdus["GROUPDQ"].data[0, 1, 5, :7] = 128

    path = changed(jwst_files.made(tmp_path, "ramp"), flag)
    found = statistics(capsys, path, "--array", "data", wanted="pixels,count")
    assert [(one["integration"], one["group"]) for one in found] == [(i, g) for i in range(2) for g in range(3)]
    assert [one["count"] for one in found] == [125, 125, 125, 125, 125, 121]
    found = statistics(capsys, path, "--array", "SCI", "--dq", "CHARGELOSS", wanted="count")
    assert [one["count"] for one in found] == [127, 121, 128, 128, 128, 128]  # one pixel is NaN
    assert tool("stat", path, "--dq", "WFI18_TRANSIENT") == 2


def test_flags_of_a_set_are_for_its_arrays(tmp_path, capsys):
    def flag(hdus):
        for hdu in hdus:
            if hdu.name == "DQ":
                hdu.data[...] = 0
                hdu.data[7, : hdu.ver] = 1

    path = changed(jwst_files.made(tmp_path, "cal", sets=3), flag)
    found = {one["array"]: one["count"] for one in statistics(capsys, path, wanted="count")}
    assert [found[f"slits.{number}.data"] for number in range(3)] == [126, 125, 124]
    assert [one["array"] for one in statistics(capsys, path, "--array", "sci,2", wanted="count")] == ["slits.1.data"]


def test_flagged_rows_and_elements_of_tables_are_left_out(tmp_path, capsys):
    def flag(hdus):
        hdus["EXTRACT1D"].data["DQ"] = 0
        hdus["EXTRACT1D"].data["DQ"][..., 1:3] = [1, 4]

    path = changed(jwst_files.made(tmp_path, "x1dints"), flag)
    found = statistics(capsys, path, "--array", "FLUX,EXTRACT1D.SEGMENT", wanted="pixels,count")
    assert [(one["array"], one["plane"], one["pixels"], one["count"]) for one in found] == [
        ("EXTRACT1D.FLUX", 0, 5, 3), ("EXTRACT1D.FLUX", 1, 5, 4), ("EXTRACT1D.SEGMENT", None, 2, 2),
    ]  # fmt: skip
    assert [one["count"] for one in statistics(capsys, path, "--array", "FLUX", "--dq", "DO_NOT_USE|4")] == [2, 3]


def test_observables_with_a_flag_are_left_out(tmp_path, capsys):
    def flag(hdus):
        hdus["OI_T3"].data["FLAG"] = np.arange(35) < 4

    path = changed(jwst_files.made(tmp_path, "ami-oi"), flag)
    (found,) = statistics(capsys, path, "--array", "OI_T3.T3PHI", wanted="count")
    assert found["count"] == 31  # the NaN is flagged, too
    (found,) = statistics(capsys, path, "--array", "OI_T3.T3PHI", "--dq", "none", wanted="count")
    assert found["count"] == 34


@pytest.mark.parametrize(
    ("options", "planes"),
    [
        (["--integration", "1"], ["1/0", "1/1", "1/2"]),
        (["--group", "-1"], ["0/2", "1/2"]),
        (["--integration", "-2", "--group", "1"], ["0/1"]),
    ],
)
def test_planes_are_chosen_and_called_by_integration_and_group(tmp_path, options, planes, capsys):
    path = jwst_files.made(tmp_path, "uncal")
    assert tool("stat", path, "--array", "data", "--stat", "max", *options) == 0
    lines = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert [line[2] for line in lines] == planes
    data = fits.getdata(path, "SCI")
    assert [int(line[3]) for line in lines] == [data[tuple(map(int, plane.split("/")))].max() for plane in planes]


def test_what_is_not_there_and_what_is_not_of_the_mission(tmp_path, capsys):
    path = jwst_files.made(tmp_path, "uncal")
    for status, *args in (
        (2, "--resultant", 1), (2, "--section", "0:4,0:4", "--frame", "l1"), (3, "--group", 3),
        (3, "--integration", -3), (3, "--array", "nothing"), (3, "--array", "GROUP.*", "--section", "0:4,0:4"),
    ):  # fmt: skip
        assert tool("stat", path, *args) == status
        said = capsys.readouterr()
        assert said.out == "" and len(said.err.splitlines()) == 1


def test_an_option_of_one_mission_is_for_its_files_alone(tmp_path, capsys):
    roman = write(tmp_path / "x_uncal.asdf", "l1_uncal", {"data": np.ones((3, 8, 8), "u2")})
    jwst = jwst_files.made(tmp_path, "rateints")
    assert tool("stat", roman, jwst, "--array", "data", "--stat", "count", "--resultant", 1, "--integration", 0) == 0
    lines = [line.split("\t")[1:3] for line in capsys.readouterr().out.splitlines()]
    assert lines == [["data", "1"], ["data", "0"]]
    assert tool("stat", roman, "--integration", 0) == 2


def test_a_section_of_an_array_and_threads(tmp_path, capsys):
    path = jwst_files.made(tmp_path, "calints")
    data = fits.getdata(path, "SCI")[:, 2:5, 3:9]
    found = statistics(capsys, path, "--section", "3:9,2:5", "--dq", "none", "--array", "data")
    assert [one["max"] for one in found] == [plane.max() for plane in data]
    printed = []
    for jobs in (1, 3):
        assert tool("stat", path, "-j", jobs) == 0
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1]


def test_layouts_name_the_tables_that_go_along():
    """What rt-stat leaves out unless it is named are tables of images."""
    tables = {hdu.name for suffix in SUFFIXES for hdu in product_layout(suffix).hdus if hdu.is_table}
    assert set(ALONG) <= tables
