"""Large events in ramps of JWST: their surroundings are flagged and fitted without, however the image is cut."""

import json

import numpy as np
import pytest
from astropy.io import fits

from rtools.pipeline.jwst import engine, revision
from rtools.pipeline.jwst import run as pipeline_run
from rtools.products.jwst import open_jwst
from tests.support.runs import done, tool

ROOT = "jw01234001001_02101_00001_nrca1"
CENTRE, CORE, RING, GROUP = (46, 17), 4, 8, 3
"""Of the snowball: row and column, radii of its core and of its ring, the group in which it comes."""

EXPAND = ("--set", "jump.expand-large-events=true", "--set", "jump.edge-size=0")
DO_NOT_USE, SATURATED, JUMP = 1, 2, 4


@pytest.fixture(scope="module")
def struck(raw_jwst, tmp_path_factory):
    """The raw exposure with a snowball in its second integration; its halo is too faint to be found."""
    path = tmp_path_factory.mktemp("struck") / raw_jwst.name
    y, x = np.indices((64, 64))
    distance = np.hypot(y - CENTRE[0], x - CENTRE[1])
    with fits.open(raw_jwst) as hdus:
        data = hdus["SCI"].data.astype(int)
        data[1, GROUP:] += np.where(distance < RING, 800, 15 * (distance < 2 * RING))
        data[1, GROUP:, distance < CORE] = 65535
        hdus["SCI"].data = np.minimum(data, 65535).astype(np.uint16)
        hdus.writeto(path)
    return path


@pytest.fixture(scope="module")
def expanded(struck, tmp_path_factory):
    """Directories with the products without the search and with it."""
    plain, wide = tmp_path_factory.mktemp("plain"), tmp_path_factory.mktemp("wide")
    done("run", struck, "--builtin", "--until", "gainscale", "--save-steps", "--outdir", plain)
    done("run", struck, "--builtin", "--until", "gainscale", "--save-steps", *EXPAND, "--outdir", wide)
    return plain, wide


def images(folder, suffix):
    product = open_jwst(folder / f"{ROOT}_{suffix}.fits")
    return {hdu.name: product.pixels(hdu.name) for hdu in product.hdus if hdu.is_image and hdu.shape}


def bits(folder, suffix):
    return {name: pixels.tobytes() for name, pixels in images(folder, suffix).items()}


def distances():
    y, x = np.indices((64, 64))
    return np.hypot(y - CENTRE[0], x - CENTRE[1])


def test_the_ring_grows_and_the_core_is_saturated_from_then_on(expanded):
    before, after = (images(folder, "jump")["GROUPDQ"] for folder in expanded)
    distance = distances()
    assert np.count_nonzero(before[1, GROUP][(distance > RING + 2) & (distance < 2 * RING - 3)] & JUMP) < 10
    for group in range(GROUP, 7):
        assert (after[1, group][distance < CORE + 1] == SATURATED).all()
    halo = (distance > CORE + 3) & (distance < 2 * RING - 3) & (after[1, GROUP] & SATURATED == 0)
    assert (after[1, GROUP][halo] & JUMP == JUMP).all()


def test_flags_are_others_around_the_event_alone(expanded):
    before, after = (images(folder, "jump") for folder in expanded)
    changed = before["GROUPDQ"] != after["GROUPDQ"]
    y, x = np.indices((64, 64))
    changed[:, :, np.hypot(y - 32, x - 32) < 12] = False  # the star is large, too
    assert changed[1].any() and not changed[0].any() and not changed[1, :GROUP].any()
    assert not changed[:, :, distances() > 2 * (RING + 2)].any()
    assert all((before[name] == after[name]).all() for name in before if name != "GROUPDQ")


def test_the_rate_of_the_halo_is_without_the_event(expanded):
    before, after = (images(folder, "rateints")["SCI"] for folder in expanded)
    distance = distances()
    halo = (distance > RING + 2) & (distance < 2 * RING - 3)
    excess = [np.nanmedian(one[1][halo] - one[0][halo]) for one in (before, after)]
    assert excess[0] > 0.2 and abs(excess[1]) < 0.1 * excess[0]


def test_without_the_option_nothing_is_kept_or_done_twice(struck, expanded, tmp_path, monkeypatch):
    monkeypatch.setattr(revision.FlagFile, "take", None)
    monkeypatch.setattr(revision.Revision, "find", None)
    done("run", struck, "--builtin", "--until", "gainscale", "--outdir", tmp_path, "--set", "jump.edge-size=0")
    assert bits(tmp_path, "rate") == bits(expanded[0], "rate")


@pytest.mark.parametrize(
    ("jobs", "tallest", "budget"),
    [(1, 120, 320 << 20), (2, 5, 320 << 20), (2, 120, 1)],
    ids=["one thread", "five rows", "least memory"],
)
def test_large_events_have_the_same_bits_however_they_are_cut(
    jobs, tallest, budget, struck, expanded, tmp_path, monkeypatch
):
    monkeypatch.setattr(engine, "TALLEST", tallest)
    monkeypatch.setattr(pipeline_run, "BUDGET", budget)
    done("run", struck, "--builtin", "--until", "gainscale", *EXPAND, "--outdir", tmp_path, "-j", jobs)
    for suffix in ("rate", "rateints"):
        assert bits(tmp_path, suffix) == bits(expanded[1], suffix), suffix


def test_typed_jump_finds_the_large_events_of_the_chain(expanded, tmp_path):
    dark = expanded[0] / f"{ROOT}_dark_current.fits"
    done("jump", dark, "--builtin", "--expand-large-events", "--edge-size", 0, "--outdir", tmp_path)
    assert bits(tmp_path, "jump") == bits(expanded[1], "jump")


def test_the_products_say_that_large_events_were_looked_for(expanded, capsys):
    done("history", expanded[1] / f"{ROOT}_rate.fits", "--json")
    assert "expand_large_events" in json.dumps(json.loads(capsys.readouterr().out))


def test_large_events_of_miri_are_refused_before_any_work(expanded, tmp_path, capsys):
    name = f"{ROOT}_dark_current.fits"
    miri = tmp_path / name.replace("nrca1", "mirimage")
    with fits.open(expanded[0] / name) as hdus:
        hdus[0].header.update({"INSTRUME": "MIRI", "DETECTOR": "MIRIMAGE", "EXP_TYPE": "MIR_IMAGE", "FILTER": "F770W"})
        hdus[:-1].writeto(miri)
    assert tool("jump", miri, "--builtin", "--expand-large-events", "--outdir", tmp_path / "o") == 3
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1 and miri.name in said and "near infrared" in said
    assert not (tmp_path / "o").exists()
