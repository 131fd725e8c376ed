"""Linear fits to matched positions, and the correction in a WCS."""

import numpy as np
import pytest

from rtools.astrometry import fit, tangent
from rtools.errors import InputError
from tests.support.alignment import TRUE, wcs_of

MATRIX = {
    "shift": np.eye(2),
    "rshift": np.array([[np.cos(0.004), -np.sin(0.004)], [np.sin(0.004), np.cos(0.004)]]),
    "rscale": 1.001 * np.array([[np.cos(0.004), -np.sin(0.004)], [np.sin(0.004), np.cos(0.004)]]),
    "general": np.array([[1.001, 0.0004], [-0.0006, 0.998]]),
}
SHIFT = np.array([3.0, -2.0])


def points(count, seed=0):
    return np.random.default_rng(seed).uniform(-200, 200, (count, 2)) + np.array([1500, -300])


def test_a_wcs_whose_frames_are_names_is_corrected():
    from gwcs import WCS

    wcs = wcs_of(TRUE)
    named = WCS(
        [(tangent._name(step.frame) if step.transform else step.frame, step.transform) for step in wcs.pipeline]
    )
    shift = np.array([1.0, 2.0])
    one, two = (tangent.corrected_wcs(each, TRUE, np.eye(2), shift)(10.0, 20.0, with_bounding_box=False)
                for each in (wcs, named))  # fmt: skip
    np.testing.assert_allclose(one, two, rtol=0, atol=1e-12)


@pytest.mark.parametrize("geometry", fit.GEOMETRIES)
@pytest.mark.parametrize("extra", [0, 20])
def test_exact_transformation_is_found(geometry, extra):
    image = points(fit.MINIMUM[geometry] + extra)
    reference = image @ MATRIX[geometry].T + SHIFT
    found = fit.fit(image, reference, np.ones_like(image), geometry, nclip=0)
    np.testing.assert_allclose(found.matrix, MATRIX[geometry], atol=1e-13)
    np.testing.assert_allclose(found.shift, SHIFT, atol=1e-10)
    np.testing.assert_allclose(found.center, image.mean(axis=0))
    assert found.rmse < 1e-11
    assert found.kept.all()
    np.testing.assert_allclose(found.apply(image), reference, atol=1e-10)


def test_equal_weights_are_numpys_least_squares():
    image = points(15)
    reference = image @ MATRIX["general"].T + SHIFT + np.random.default_rng(1).normal(0, 0.01, (15, 2))
    found = fit.fit(image, reference, np.ones_like(image), "general", nclip=0)
    design = np.column_stack([image, np.ones(15)])
    expected = np.linalg.lstsq(design, reference, rcond=None)[0]
    np.testing.assert_allclose(found.matrix, expected[:2].T, atol=1e-10)
    residuals = reference - design @ expected
    np.testing.assert_allclose(found.rmse, np.sqrt(np.mean(np.sum(residuals**2, axis=1))), rtol=1e-6)
    np.testing.assert_allclose(found.mae, np.mean(np.hypot(*residuals.T)), rtol=1e-6)


@pytest.mark.parametrize("geometry", fit.GEOMETRIES)
def test_stated_errors_are_the_scatter(geometry):
    rng = np.random.default_rng(2)
    image = points(25)
    sigma = rng.uniform(0.5, 3, (25, 2))
    at = np.array([[1500, -300], [1700, -500]])
    true = at @ MATRIX[geometry].T + SHIFT
    misses, stated = [], []
    for _ in range(300):
        reference = image @ MATRIX[geometry].T + SHIFT + rng.normal(0, sigma)
        found = fit.fit(image, reference, sigma, geometry, nclip=0)
        misses.append(np.sum((found.apply(at) - true) ** 2, axis=1))
        stated.append(found.error_at(at) ** 2)
    ratio = np.mean(misses, axis=0) / np.mean(stated, axis=0)
    assert np.all((ratio > 0.7) & (ratio < 1.25))


def test_an_outlier_is_clipped():
    image = points(30)
    reference = image + SHIFT + np.random.default_rng(3).normal(0, 0.01, (30, 2))
    reference[4] += 0.5
    found = fit.fit(image, reference, np.full_like(image, 0.01), "shift")
    assert not found.kept[4]
    assert found.kept.sum() >= 28
    assert np.hypot(*found.residuals[4]) > 0.6
    assert fit.fit(image, reference, np.full_like(image, 0.01), "shift", nclip=0).kept.all()


def test_what_cannot_be_fitted():
    with pytest.raises(InputError, match="too few"):
        fit.fit(points(2), points(2), np.ones((2, 2)), "general")
    line = np.column_stack([np.arange(5.0), 2 * np.arange(5.0)])
    with pytest.raises(InputError, match="do not determine"):
        fit.fit(line, line, np.ones_like(line), "general")
    with pytest.raises(InputError, match="do not determine"):
        fit.fit(np.zeros((4, 2)), np.zeros((4, 2)), np.ones((4, 2)), "rshift")


def test_rotation_scale_and_skew_follow_from_the_matrix():
    told = fit.derived([[1, 0], [0, 1]])
    assert told["rot"] == [0, 0]
    assert told["proper"] is True
    turned = fit.derived(MATRIX["rscale"])
    angle = -np.rad2deg(0.004)
    np.testing.assert_allclose([turned["proper_rot"], turned["<rot>"], *turned["rot"]], angle)
    np.testing.assert_allclose([turned["<scale>"], *turned["scale"]], 1.001)
    assert abs(turned["skew"]) < 1e-12
    general = fit.derived(MATRIX["general"])
    np.testing.assert_allclose(general["<scale>"], np.sqrt(np.linalg.det(MATRIX["general"])))
    np.testing.assert_allclose(general["skew"], general["rot"][1] - general["rot"][0])
    assert fit.derived([[1, 0], [0, -1]])["proper"] is False


def test_the_geometry_grows_with_the_number_of_matches():
    chosen = [fit.geometry_for(count) for count in (3, 5, 6, 9, 10, 500)]
    assert chosen == ["rshift", "rshift", "rscale", "rscale", "general", "general"]


# -- the correction in a WCS ------------------------------------------------------------------------------------------


def test_plane_touches_the_sky_at_the_reference_point():
    plane = tangent.plane_of(wcs_of(TRUE), TRUE)
    np.testing.assert_allclose(plane.from_sky(TRUE.ra_ref, TRUE.dec_ref), 0, atol=1e-8)
    step = 1 / 3600
    east = plane.from_sky(TRUE.ra_ref + step / np.cos(np.deg2rad(TRUE.dec_ref)), TRUE.dec_ref)
    north = plane.from_sky(TRUE.ra_ref, TRUE.dec_ref + step)
    np.testing.assert_allclose([east, north], np.eye(2), atol=1e-6)
    assert np.isnan(plane.from_sky(TRUE.ra_ref + 180, -TRUE.dec_ref)).all()


def test_correction_acts_in_the_plane():
    wcs = wcs_of(TRUE)
    plane = tangent.plane_of(wcs, TRUE)
    x, y = np.random.default_rng(0).uniform(0, 4087, (2, 50))
    matrix = MATRIX["general"]
    corrected = tangent.corrected_wcs(wcs, TRUE, matrix, SHIFT, "new")
    expected = tangent.pixel_to_plane(plane, x, y) @ matrix.T + SHIFT
    np.testing.assert_allclose(plane.from_sky(*corrected(x, y)), expected, atol=1e-8)
    assert corrected.name == "new"
    assert corrected.bounding_box.bounding_box(order="F") == wcs.bounding_box.bounding_box(order="F")


def test_correction_is_undone():
    wcs = wcs_of(TRUE)
    corrected = tangent.corrected_wcs(wcs, TRUE, MATRIX["general"], SHIFT)
    step = corrected.get_transform("v2v3vacorr", "v2v3corr")
    v2, v3 = wcs.get_transform("detector", "v2v3vacorr")(*np.random.default_rng(0).uniform(0, 4087, (2, 50)))
    back = step.inverse(*step(v2, v3))
    np.testing.assert_allclose(back, [v2, v3], atol=1e-8)  # arcsec: 1e-7 pixel
    x, y = np.random.default_rng(0).uniform(0, 4087, (2, 50))
    before, after = (np.array(w.invert(*w(x, y))) - [x, y] for w in (wcs, corrected))
    np.testing.assert_allclose(after, before, atol=1e-6)


def test_two_corrections_are_one():
    wcs = wcs_of(TRUE)
    first = tangent.corrected_wcs(wcs, TRUE, MATRIX["rscale"], SHIFT)
    second = tangent.corrected_wcs(first, TRUE, MATRIX["general"], -2 * SHIFT)
    once = tangent.corrected_wcs(wcs, TRUE, MATRIX["general"] @ MATRIX["rscale"], MATRIX["general"] @ SHIFT - 2 * SHIFT)
    assert second.available_frames == once.available_frames
    x, y = np.random.default_rng(0).uniform(0, 4087, (2, 50))
    np.testing.assert_allclose(second(x, y), once(x, y), atol=1e-12)


def test_without_velocity_aberration_frame():
    from gwcs import WCS

    full = wcs_of(TRUE)
    steps = [(step.frame, step.transform) for step in full.pipeline]
    short = WCS([steps[0], (steps[1][0], steps[2][1]), steps[3]])
    short.bounding_box = ((-0.5, 4087.5), (-0.5, 4087.5))
    corrected = tangent.corrected_wcs(short, TRUE, MATRIX["general"], SHIFT)
    assert corrected.available_frames == ["detector", "v2v3", "v2v3corr", "world"]
    expected = tangent.corrected_wcs(full, TRUE, MATRIX["general"], SHIFT)
    np.testing.assert_allclose(corrected(100.0, 200.0), expected(100.0, 200.0), atol=1e-12)
