"""Products of JWST's third stage in a report: each has a row with its numbers."""

import json

import pytest

from tests.support.kit import run
from tests.support.report_files import Page

PRODUCTS = {
    "tso/out_phot.ecsv": {"planes": 40, "curve_ratio": 1.77, "missing": 0},
    "tso/out_whtlt.ecsv": {"planes": 39, "curve_scatter": 0.061, "missing": 0},
    "spec/out_x1d.fits": {"planes": 120, "signal_to_noise": 166.2},
    "spec/out_x1dints.fits": {"planes": 6, "signal_to_noise": 150.9},
    "spec/out_c1d.fits": {"planes": 120, "signal_to_noise": 242.3},
    "coron/out_psfstack.fits": {"planes": 9},
    "coron/out_psfsub_50.fits": {"planes": 4, "missing": 0},
    "cube/in_s3d.fits": {"planes": 25, "missing": 10},
    "ami/out_target_ami-oi.fits": {"planes": 1, "visibility": 0.944, "closure_phase": 1.40},
    "ami/out_target_amimulti-oi.fits": {"planes": 3},
    "ami/out_target_amilg.fits": {"planes": 3},
    "ami/out_aminorm-oi.fits": {"planes": 1, "visibility": 0.963},
}


def test_every_product_of_the_third_stage_has_a_row_with_its_numbers(jwst_golden, tmp_path, capsys):
    files = {name: jwst_golden(name.partition("/")[0]) / name.rpartition("/")[2] for name in PRODUCTS}
    page = tmp_path / "page.html"
    assert run("report", *files.values(), "--json", "-o", page) == 0
    told = {one["file"].rpartition("/")[2]: one for one in map(json.loads, capsys.readouterr().out.splitlines())}
    for name, values in PRODUCTS.items():
        one = told[files[name].name]
        assert one["kind"] not in ("catalog", ""), name
        for key, value in values.items():
            assert one["values"][key] == pytest.approx(value, rel=0.01, abs=1e-6), (name, key)
    assert Page(page.read_text())
