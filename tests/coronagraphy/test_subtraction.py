"""KLIP: the mission's numbers, errors, masks, modes that are none, companions."""

import numpy as np
import pytest
from astropy.io import fits

from rtools.coronagraphy.companions import throughput_of
from rtools.coronagraphy.subtraction import annuli, basis_of, left_by_others, subtract, usable_pixels
from tests.support.coronagraphs import speckles, star

SHAPE = (41, 41)
WHOLE = [np.ones(SHAPE, bool)]


@pytest.fixture(scope="module")
def scene():
    """Images of a target and of references whose halos change, both with noise of 0.5."""
    rng = np.random.default_rng(7)
    sky = speckles(rng, SHAPE, 44)
    sky += rng.normal(0, 0.5, sky.shape)
    return sky[:4], sky[4:]


def every(target):
    return np.ones(target.shape, bool)


@pytest.mark.parametrize("truncate", [50, 4])
def test_what_is_left_is_that_of_the_mission(truncate, jwst_golden):
    folder = jwst_golden("coron")
    target, references = (fits.getdata(folder / name, "SCI") for name in
                          ("in_target_clean_calints.fits", "out_psfalign_f8.fits"))  # fmt: skip
    found = subtract(target, references, every(target), [np.ones(target.shape[1:], bool)], truncate=truncate)
    np.testing.assert_allclose(found.data, fits.getdata(folder / f"out_psfsub_{truncate}.fits", "SCI"), atol=9e-7)
    np.testing.assert_allclose(found.data + found.model, target, rtol=1e-12, atol=1e-12)
    assert found.modes == [min(truncate, 9)]


def test_errors_are_there_when_there_are_as_many_modes_as_references(jwst_golden):
    """The peer's references are all in the basis, so nothing is left of them: its errors are 1e-11."""
    folder = jwst_golden("coron")
    assert fits.getdata(folder / "out_psfsub_50.fits", "ERR").max() < 1e-9
    target, references = (fits.getdata(folder / name, "SCI") for name in
                          ("in_target_clean_calints.fits", "out_psfalign_f8.fits"))  # fmt: skip
    found = subtract(target, references, every(target), [np.ones(target.shape[1:], bool)])
    halo = np.hypot(*(np.indices(target.shape[1:]) - 25)) > 15  # away from the companion
    assert found.scatter[0][halo].mean() == pytest.approx(found.data[:, halo].std(), rel=0.4)


@pytest.mark.parametrize("truncate", [3, 6, 50])
def test_leaving_out_by_algebra_is_leaving_out(truncate, scene):
    references = scene[1][:12].reshape(12, -1)
    references = references - references.mean(axis=1, keepdims=True)
    found = left_by_others(references, truncate)
    for number, one in enumerate(references):
        basis = basis_of(np.delete(references, number, axis=0), truncate)
        np.testing.assert_allclose(found[number], one - basis.part_of(one), atol=1e-8)


def test_many_references_are_left_out_in_groups():
    references = np.random.default_rng(3).normal(size=(130, 400))
    found = left_by_others(references, 20)
    out = np.arange(3)  # the first of 64 groups
    basis = basis_of(np.delete(references, out, axis=0), 20)
    np.testing.assert_allclose(found[out], references[out] - basis.part_of(references[out]), atol=1e-8)


def test_left_out_references_scatter_like_what_is_left_of_the_target(scene):
    target, references = scene
    found = subtract(target, references, every(target), WHOLE, truncate=5)
    ratio = np.sqrt(np.mean(found.data**2) / np.mean(found.scatter**2))
    assert ratio == pytest.approx(1, abs=0.1)
    assert found.data.std() < 0.6  # of 4.8; the noise is 0.5
    assert target.std() > 4


def test_reference_stars_ten_times_as_bright_do_not_make_errors_ten_times_as_large(scene):
    """What is left of a reference, and its noise, count as if it were as bright as the target."""
    target, references = scene
    noise = np.full(references.shape, 0.5)
    bright = np.linspace(0.5, 10, len(references))[:, None, None]
    found = subtract(target, references * bright, every(target), WHOLE, truncate=50, errors=noise * bright)
    plain = subtract(target, references, every(target), WHOLE, truncate=50, errors=noise)
    assert np.median(found.scatter) == pytest.approx(np.median(plain.scatter), rel=0.15)
    assert np.median(plain.scatter) < 0.5 * np.median(subtract(target, references, every(target), WHOLE).scatter)


def test_one_bad_pixel_takes_itself_alone(scene):
    """One NaN makes the peer's whole plane NaN."""
    target, references = scene[0].copy(), scene[1]
    good = every(target)
    target[1, 12, 30], good[1, 12, 30] = np.nan, False
    target[2, 5, 5], good[2, 5, 5] = 1e6, False
    found, whole = subtract(target, references, good, WHOLE), subtract(scene[0], references, every(target), WHOLE)
    for part in (found.data, found.model, found.scatter):
        np.testing.assert_array_equal(np.isfinite(part), good)
    np.testing.assert_allclose(found.data[good], whole.data[good], atol=0.3)
    np.testing.assert_array_equal(found.data[[0, 3]], whole.data[[0, 3]])


def test_pixels_bad_in_many_references_are_left_out():
    references, bad = np.zeros((10, *SHAPE)), np.zeros((10, *SHAPE), bool)
    bad[:2, 3, 3] = bad[:3, 4, 4] = True
    references[0, 6, 6] = np.nan
    usable = usable_pixels(references, bad)
    assert usable[3, 3]
    assert not usable[4, 4]
    assert not usable[6, 6]
    assert (~usable).sum() == 2


def test_the_same_reference_twice_is_one_mode(scene):
    """The difference of two equal images is rounding; as a mode it would be noise of any strength."""
    target, references = scene[0], scene[1][:6]
    twice = np.concatenate([references, references, references * 1.5 + 2])
    found, once = (subtract(target, one, every(target), WHOLE) for one in (twice, references))
    assert found.modes == once.modes == [6]
    np.testing.assert_allclose(found.data, once.data, atol=1e-6)


def test_rings_are_done_each_for_itself(scene):
    target, references = scene
    rings = annuli(SHAPE, (20, 20), (3, 10, 18))
    found = subtract(target, references, every(target), rings, truncate=5)
    radius = np.hypot(*(np.indices(SHAPE) - 20))
    assert np.isnan(found.data[:, (radius < 3) | (radius >= 18)]).all()
    alone = subtract(target, references, every(target), rings[1:], truncate=5)
    np.testing.assert_array_equal(found.data[:, rings[1]], alone.data[:, rings[1]])
    assert np.isfinite(found.scatter[:, rings[0] | rings[1]]).all()
    assert len(found.modes) == 2


def test_references_of_each_integration_for_itself(scene):
    target, references = scene
    stacks = np.stack([references[:10], references[10:20], references[20:30], references[30:]])
    found = subtract(target, stacks, every(target), WHOLE)
    for number, stack in enumerate(stacks):
        alone = subtract(target[number : number + 1], stack, every(target[:1]), WHOLE)
        np.testing.assert_allclose(found.data[number], alone.data[0], atol=1e-9)
        np.testing.assert_allclose(found.scatter[number], alone.scatter[0], atol=1e-9)


def test_a_companion_comes_back_with_its_throughput(scene):
    """The flux that a fit finds, over the throughput of the subtraction, is the flux that was put in."""
    target, references = scene
    companion = star(SHAPE, 29.3, 25.6, 30.0)
    without = subtract(target, references, every(target), WHOLE).data.mean(axis=0)
    found = subtract(target + companion, references, every(target), WHOLE).data.mean(axis=0)
    alone = subtract(companion[None], references, every(companion[None]), WHOLE).data[0]
    throughput = throughput_of(companion, alone)
    assert 0.7 < throughput < 0.99
    assert throughput_of(companion, found - without) == pytest.approx(throughput, abs=1e-9)
    noise = 0.6 / np.sqrt(len(target) * np.sum(companion**2)) * 30
    assert 30 * throughput_of(companion, found) / throughput == pytest.approx(30, abs=4 * noise)
