"""Alignment of images to reference stars."""

from types import SimpleNamespace

import asdf
import numpy as np
import pytest

from rtools.astrometry import acceptance, align, refcat
from rtools.astrometry import fit as fitting
from rtools.astrometry.chance import chance
from rtools.astrometry.fields import PointingLimits
from rtools.errors import InputError, UsageError
from rtools.work import Work
from tests.support.alignment import EPOCH, EVERYWHERE, SIZE, TRUE, field, miss, star_catalog, turned, wcs_of

RESULTS = {
    "status",
    "fitgeom",
    "matrix",
    "shift",
    "center",
    "proper_rot",
    "proper",
    "rot",
    "<rot>",
    "scale",
    "<scale>",
    "skew",
    "rmse",
    "mae",
    "nmatches",
    "n_detector",
}


@pytest.mark.parametrize("detector", ["WFI01", "WFI09"])
@pytest.mark.parametrize(("shift", "angle"), [((0, 0), 0), ((1.4, -1.4), 0.1), ((4.2, 4.0), -0.29)])
@pytest.mark.parametrize("true", EVERYWHERE)
def test_wrong_pointing_is_put_right(detector, shift, angle, true):
    # Near a pole a shift turns, too: the rotation is taken back in part.
    angle -= 0 if abs(true.dec_ref) < 80 else shift[0] / 3600 * np.tan(np.deg2rad(true.dec_ref))
    case = field(start=turned(shift, angle, true), detector=detector, true=true)
    done = align.align([case.image], case.stars)
    assert done.status == "COMPLETE"
    assert set(done.results) == RESULTS
    assert done.results["status"] == "SUCCESS"
    assert done.results["fitgeom"] == "general"
    assert done.results["nmatches"] >= 28
    assert done.results["rmse"] < 0.003
    assert miss(done.wcs[0], case.true) < 3
    assert miss(done.wcs[0], case.true) < 5 * done.error_mas


def test_table_of_matches():
    case = field(start=turned((1, 1), 0.05))
    order = np.random.default_rng(1).permutation(case.image.x.size)
    shuffled = case.image._replace(x=case.image.x[order], y=case.image.y[order])
    table = align.align([shuffled], case.stars).matches
    assert np.all(table.image == 0)
    np.testing.assert_array_equal(order[table.source], table.reference)  # source i is star i
    assert np.abs(table.x_residual).max() < 6
    assert np.all((table.x_sigma > 1) & (table.x_sigma < 1.5))
    assert table.fitted.sum() >= 28


def test_second_alignment_composes_and_moves_nothing(tmp_path):
    case = field(start=turned((1, -2), 0.1))
    once = align.align([case.image], case.stars, name="FIT-LVL2-x")
    assert once.wcs[0].name == "FIT-LVL2-x"
    asdf.AsdfFile({"wcs": once.wcs[0]}).write_to(tmp_path / "wcs.asdf")
    with asdf.open(tmp_path / "wcs.asdf") as file:
        twice = align.align([case.image._replace(wcs=file["wcs"])], case.stars)
        assert miss(file["wcs"], once.wcs[0]) < 1e-6
    assert twice.wcs[0].available_frames == ["detector", "v2v3", "v2v3vacorr", "v2v3corr", "world"]
    assert miss(twice.wcs[0], once.wcs[0]) < 1e-3
    np.testing.assert_allclose(twice.results["matrix"], np.eye(2), atol=1e-9)


def test_group_gets_one_correction():
    start = turned((2, 1), -0.12)
    cases = [field(12, 100, start, detector=name, seed=i) for i, name in enumerate(("WFI03", "WFI09", "WFI16"))]
    catalog = refcat.RefCat(*(np.concatenate(columns) for columns in zip(*(c.stars for c in cases), strict=True)))
    empty = field(0, 0, start, detector="WFI10")
    done = align.align([*(c.image for c in cases), empty.image], catalog)
    assert done.status == "COMPLETE"
    assert done.results["n_detector"] == 4
    assert done.results["nmatches"] > 30
    assert set(done.matches.image) == {0, 1, 2}
    for case, wcs in zip([*cases, empty], done.wcs, strict=True):
        assert miss(wcs, case.true) < 3


def test_group_of_two_pointings():
    """The second image has another tangent plane, turned; the correction is carried over to it."""
    other = TRUE._replace(ra_ref=TRUE.ra_ref + 0.03, dec_ref=TRUE.dec_ref - 0.02, roll_ref=TRUE.roll_ref + 40)
    first = field(15, 100, turned((2, 1), 0.02))
    second = field(15, 100, turned((2, 1), 0.02, other), true=other, seed=9)
    alone = align.align([first.image], first.stars)
    carried = align.align([first.image, second.image._replace(x=np.zeros(0), y=np.zeros(0))], first.stars)
    assert miss(carried.wcs[0], alone.wcs[0]) < 1e-6
    # a rotation about another WFI_CEN, 0.04 degrees away, differs by a shift of 0.05 arcsec
    assert 20 < miss(carried.wcs[1], second.true) < 80
    moved = [w(2000.0, 2000.0) for w in (carried.wcs[1], second.image.wcs)]
    np.testing.assert_allclose(3600 * (moved[0][1] - moved[1][1]), -1, atol=0.6)


def test_same_bits_for_any_number_of_threads():
    case = field(start=turned((1, -2), 0.1))
    one, three = (align.align([case.image], case.stars, work=Work(threads)) for threads in (1, 3))
    assert one.results == three.results


@pytest.mark.parametrize(("stars", "geometry"), [(5, "rshift"), (8, "rscale"), (12, "general")])
def test_geometry_follows_the_number_of_matches(stars, geometry):
    case = field(stars, 100, start=turned((1, 1), 0.05))
    done = align.align([case.image], case.stars)
    assert done.results["fitgeom"] == geometry
    assert done.results["nmatches"] == stars
    assert miss(done.wcs[0], case.true) < 6


def test_wrong_field_fails():
    case = field(300, 5000)
    rng = np.random.default_rng(2)
    ra, dec = case.true(*rng.uniform(0, SIZE - 1, (2, 2000)))
    done = align.align([case.image], star_catalog(ra, dec))
    assert done.status == "FAILED"
    assert done.wcs == [None]
    assert done.results == {"status": f"FAILED: {done.reason}", "nmatches": 0, "n_detector": 1}


@pytest.mark.parametrize(
    ("start", "options", "reason"),
    [
        (turned((6.2, 0)), {}, "shift of 6.2"),
        (turned((9, 0)), {"searchrad": 12.0}, "shift of 9"),
        (turned((0, 0), 0.1), {"max_rotation": 0.05}, "rotation of 0.0999"),
        (TRUE, {"max_rmse": 0.1}, "rmse of"),
        (TRUE, {"minobj": 40}, "30 reference stars near the image, 40 needed"),
        (turned((0, 20)), {}, "no shift and rotation"),
    ],
)
def test_each_limit_has_its_reason(start, options, reason):
    case = field(start=start)
    done = align.align([case.image], case.stars, options)
    assert done.status == "FAILED"
    assert reason in done.reason
    assert done.wcs == [None]


GOOD = {"max_shift": 6, "max_rotation": 0.3, "max_scale": 2e-3, "max_rmse": 30, "max_chance": 1e-6, "minobj": 3}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, ""),
        ({"log_chance": -2.0}, "may have matched by chance"),
        ({"fitted": np.arange(40) < 2}, "2 left after clipping, 3 needed"),
        ({"matrix": np.diag([1.0, -1.0])}, "a reflection"),
        ({"matrix": fitting.turn(np.deg2rad(0.4))}, "rotation of 0.4 degrees"),
        ({"matrix": 1.003 * np.eye(2)}, "|scale - 1| of 0.003"),
        ({"shift": np.array([0.0, 7.0])}, 'shift of 7"'),
        ({"rmse": 0.031}, "rmse of 31 mas"),
        ({"error": 33.0}, "predicted error at the worst corner of 33 mas"),
        ({"error": np.nan}, "predicted error"),
    ],
)
def test_every_reason_to_refuse_a_match(change, reason):
    parts = {"matrix": np.eye(2), "shift": np.zeros(2), "rmse": 0.005, "geometry": "general"}
    parts |= {name: value for name, value in change.items() if name in parts}
    fit = SimpleNamespace(**parts, apply=lambda xy: xy @ parts["matrix"].T + parts["shift"])
    fitted = change.get("fitted", np.ones(40, bool))
    match = SimpleNamespace(fit=fit, fitted=fitted, log_chance=change.get("log_chance", -50.0), candidates=50,
                            source=np.arange(40))  # fmt: skip
    limits = PointingLimits(np.zeros(2), np.zeros(2), 6.3, 0.3, 2e-3)
    told = acceptance.refusal(match, limits, GOOD, change.get("error", 3.0))
    assert reason in told and bool(told) == bool(reason)


def test_what_cannot_be_found_or_held_is_refused():
    case = field(5, 20)
    with pytest.raises(UsageError, match="--max-shift 9"):
        align.align([case.image], case.stars, {"max_shift": 9.0})
    with pytest.raises(InputError, match="no column weight"):
        align.align([case.image], case.stars, {"weights": "weight"})
    with pytest.raises(UsageError, match="the search takes"):
        align.align([case.image], case.stars, {"searchrad": 2000.0})


def test_without_stars_nothing_is_certain():
    limits = PointingLimits(np.zeros(2), np.zeros(2), 6.3, 0.3, 2e-3)
    assert chance(3, 0, 0.0, 0.05, limits, geometry="shift", reach=300.0) == 0.0


def test_scale_beyond_the_limit_fails():
    case = field(40, 100)
    image = case.image._replace(x=2043.5 + (case.image.x - 2043.5) * 1.003, y=2043.5 + (case.image.y - 2043.5) * 1.003)
    done = align.align([image], case.stars)
    assert done.status == "FAILED"
    assert "scale" in done.reason
    assert align.align([image], case.stars, {"max_scale": 0.005}).status == "COMPLETE"


def test_stars_at_one_place_do_not_fix_the_rotation():
    rng = np.random.default_rng(5)
    case = field(0, 50)
    x, y = 500 + rng.uniform(-40, 40, (2, 6))
    ra, dec = case.true(x, y)
    noise = rng.normal(0, 0.03, (2, 6))
    error = np.full(6, 0.03)
    image = case.image._replace(x=x + noise[0], y=y + noise[1], x_err=error, y_err=error)
    done = align.align([image], star_catalog(ra, dec))
    assert done.status == "FAILED"
    assert "worst corner" in done.reason


def test_rows_that_cannot_be_used():
    case = field()
    image = case.image
    x, y, error = image.x.copy(), image.y.copy(), image.x_err.copy()
    x[0], y[1], x[2] = np.nan, SIZE + 3, -0.5
    error[3], error[4], error[5] = np.nan, 0, np.inf
    done = align.align([image._replace(x=x, y=y, x_err=error)], case.stars)
    assert done.status == "COMPLETE"
    assert not set(done.matches.source) & {0, 1, 2}
    assert {3, 4, 5} <= set(done.matches.source)
    assert align.align([image._replace(x_err=None, y_err=None)], case.stars).status == "COMPLETE"


@pytest.mark.parametrize("stars", [0, 2])
def test_few_or_no_stars(stars):
    case = field(stars, 50)
    done = align.align([case.image], case.stars)
    assert done.status == "FAILED"
    assert "reference stars near the image" in done.reason


def test_an_image_without_sources_is_not_aligned():
    case = field(20, 0)
    empty = case.image._replace(x=np.zeros(0), y=np.zeros(0), x_err=None, y_err=None)
    assert "no sources" in align.align([empty], case.stars).reason


def test_errors_lead_the_fit():
    """Half of the stars are wrong by their large errors: weights keep them out, equal ones do not."""
    rng = np.random.default_rng(3)
    case = field(40, 100)
    bad = np.arange(40) % 2 == 0
    error = np.where(bad, 20.0, 0.2)
    ra = case.stars.ra + rng.normal(0, error) / 3.6e6
    dec = case.stars.dec + rng.normal(0, error) / 3.6e6
    catalog = star_catalog(ra, dec)._replace(ra_error=error, dec_error=error)
    weighted, equal = (align.align([case.image], catalog, {"weights": word}) for word in ("errors", "none"))
    assert miss(weighted.wcs[0], case.true) < 3 < miss(equal.wcs[0], case.true)
    chosen = case.image._replace(weight=np.where(np.arange(140) < 40, np.arange(140) % 2 * 1.0 + 1e-6, 1))
    assert miss(align.align([chosen], catalog, {"weights": "weight"}).wcs[0], case.true) < 3


def test_blends_are_left_out():
    case = field(30, 0)
    image = case.image
    x = np.concatenate([image.x, image.x[:3] + 2])
    y = np.concatenate([image.y, image.y[:3]])
    error = np.full(33, 0.01)
    flux = np.concatenate([np.full(30, 100.0), [90.0, 50.0, 1.0]])
    done = align.align([image._replace(x=x, y=y, x_err=error, y_err=error, flux=flux)], case.stars)
    table = done.matches
    fitted = dict(zip(table.source.tolist(), table.fitted.tolist(), strict=True))
    assert not fitted[0]
    assert not fitted[1]
    assert fitted[2]  # a neighbour of one hundredth of its flux does not count


def test_moving_stars_are_met_where_they_are():
    case = field(30, 100, start=turned((1, 1), 0.02))
    rng = np.random.default_rng(4)
    motion = rng.normal(0, 60, (2, 30))
    years = EPOCH - 2016
    then = case.stars._replace(
        ra=case.stars.ra - years * motion[0] / 3.6e6 / np.cos(np.deg2rad(case.stars.dec)),
        dec=case.stars.dec - years * motion[1] / 3.6e6,
        pmra=motion[0],
        pmdec=motion[1],
        ref_epoch=np.full(30, 2016.0),
        pmra_error=np.full(30, 0.02),
        pmdec_error=np.full(30, 0.02),
    )
    assert miss(align.align([case.image], then).wcs[0], case.true) < 4


def test_wcs_of_another_kind_is_refused():
    from gwcs import WCS

    case = field(5, 5)
    short = WCS([case.true.pipeline[0], case.true.pipeline[-1]])
    with pytest.raises(InputError, match="no frame v2v3"):
        align.align([case.image._replace(wcs=short)], case.stars)
    done = align.align([field(start=turned((1, 1), 0.05)).image], field().stars)
    other = case.image._replace(wcs=done.wcs[0], pointing=TRUE._replace(roll_ref=1.0))
    with pytest.raises(InputError, match="another point"):
        align.align([other], case.stars)


def test_unused_wcs_is_not_changed():
    case = field(start=turned((1, 1), 0.05))
    align.align([case.image], case.stars)
    assert case.image.wcs.available_frames == ["detector", "v2v3", "v2v3vacorr", "world"]
    assert miss(case.image.wcs, wcs_of(turned((1, 1), 0.05))) == 0
