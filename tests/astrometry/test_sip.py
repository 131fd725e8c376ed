"""FITS headers that stand for a WCS: known distortions, stated errors, tangent projections far from the image."""

import numpy as np
import pytest
from astropy.io.fits import Header
from astropy.wcs import WCS

from rtools.astrometry import sip
from rtools.errors import InputError, QualityError

SHAPE = (4088, 4000)
SCALE = 0.11 / 3600
RNG = np.random.default_rng(11)


def plain(crpix=(1999.5, 2043.5), crval=(270.0, 66.0)):
    """A TAN system without distortion, as astropy has it."""
    made = WCS(naxis=2)
    made.wcs.ctype = "RA---TAN", "DEC--TAN"
    made.wcs.crpix = np.add(crpix, 1)
    made.wcs.crval = crval
    made.wcs.cd = SCALE * np.array([[-0.5, 0.87], [0.87, 0.5]])
    return made


def distorted(bend, **where):
    """A gwcs-like function: pixels bent by ``bend(u, v)``, both from -1 to 1, then a tangent projection."""
    flat = plain(**where)

    def wcs(x, y, with_bounding_box=True):
        assert not with_bounding_box
        dx, dy = bend((np.asarray(x) - 2000) / 2000, (np.asarray(y) - 2044) / 2000)
        return flat.all_pix2world(x + dx, y + dy, 0)

    return wcs


def power(order, amplitude):
    return lambda u, v: (amplitude * u**order + 0 * v, amplitude * u * v ** (order - 1))


def distance(wcs, cards, shape=SHAPE):
    """Separations in pixels at random places, not those of the fit or of its check."""
    x, y = RNG.uniform(-0.5, shape[1] - 0.5, 3000), RNG.uniform(-0.5, shape[0] - 0.5, 3000)
    ra, dec = wcs(x, y, with_bounding_box=False)
    back = WCS(Header(cards)).all_world2pix(ra, dec, 0)
    return np.hypot(back[0] - x, back[1] - y)


def stated(cards):
    return {card[0]: card[1] for card in cards}


@pytest.mark.slow
@pytest.mark.parametrize("order", [2, 3, 4, 5, 6])
def test_a_polynomial_distortion_needs_its_own_order_and_no_more(order):
    wcs = distorted(power(order, 8.0))
    found = sip.sip_header(wcs, SHAPE)
    assert found.order == order
    assert found.worst < 1e-6
    assert distance(wcs, found.cards).max() < 1e-5
    assert stated(found.cards)["A_ORDER"] == stated(found.cards)["B_ORDER"] == order


def test_no_distortion_is_plain_tan():
    found = sip.sip_header(distorted(lambda u, v: (0 * u, 0 * v)), SHAPE)
    assert found.order == 1
    assert stated(found.cards)["CTYPE1"] == "RA---TAN"
    assert not any(key.startswith(("A_", "B_", "AP", "BP")) for key in stated(found.cards))


@pytest.mark.slow
@pytest.mark.parametrize("limit", [3.0, 0.5, 0.05, 0.01, 0.001])
def test_the_lowest_order_within_the_limit_is_taken_and_its_error_is_true(limit):
    wcs = distorted(lambda u, v: (5 * np.sin(u + 0.4 * v), 4 * np.cos(v - 0.7 * u)))
    found = sip.sip_header(wcs, SHAPE, limit=limit)
    assert found.worst <= limit
    measured = distance(wcs, found.cards)
    assert measured.max() <= found.worst * 1.02
    assert measured.max() >= found.worst * 0.5
    np.testing.assert_allclose(np.sqrt(np.mean(measured**2)), found.rms, rtol=0.2)
    lower = [order for order in range(1, found.order) if _of_order(wcs, order).worst <= limit]
    assert lower == []


def _of_order(wcs, order):
    return sip._measured(wcs, SHAPE, sip._sip_cards(wcs, SHAPE, order), order)


def test_the_stated_error_stands_in_the_header():
    found = sip.sip_header(distorted(power(3, 5.0)), SHAPE, limit=1.0)
    np.testing.assert_allclose(stated(found.cards)["RT_WCSMX"], found.worst, rtol=0.01)
    np.testing.assert_allclose(stated(found.cards)["RT_WCSRM"], found.rms, rtol=0.01)


def ripples(u, v):
    return 0.5 * np.sin(60 * u), 0.5 * np.sin(60 * v)


@pytest.mark.slow
def test_what_no_order_meets_is_refused():
    with pytest.raises(QualityError, match=r"0\.01 pixel") as error:
        sip.sip_header(distorted(ripples), SHAPE)
    assert "--sip-error" in str(error.value)


@pytest.mark.slow
def test_without_a_limit_the_best_is_written():
    wcs = distorted(ripples)
    found = sip.sip_header(wcs, SHAPE, limit=None)
    assert 0.2 < found.worst < 1
    assert found.worst == min(_of_order(wcs, order).worst for order in sip.ORDERS)


def test_the_inverse_polynomials_lead_back():
    found = sip.sip_header(distorted(power(3, 8.0)), SHAPE)
    header = WCS(Header(found.cards))
    x, y = RNG.uniform(0, 4000, (2, 1000))
    back = header.sip_foc2pix(*header.sip_pix2foc(x, y, 0), 0)
    error = np.hypot(back[0] - x, back[1] - y).max()
    assert error < 0.002
    assert error < 2 * stated(found.cards)["RT_WCSIV"]


@pytest.mark.parametrize("crval", [(0.0, 0.0), (359.99, -30.0), (123.0, 89.99), (45.0, -90.0)])
def test_anywhere_on_the_sky(crval):
    wcs = distorted(power(3, 5.0), crval=crval)
    found = sip.sip_header(wcs, SHAPE)
    assert found.worst < 1e-5
    assert 0 <= stated(found.cards)["CRVAL1"] < 360


@pytest.mark.parametrize("shape", [(16, 9), (4, 4), (256, 4096)])
def test_small_and_oblong_images(shape):
    wcs = distorted(power(2, 10.0))
    found = sip.sip_header(wcs, shape)
    assert distance(wcs, found.cards, shape).max() <= 0.011


def test_a_mosaic_far_from_its_tangent_point_is_exact():
    crpix, crval = (31000.0, -12000.0), (10.0, -5.0)
    wcs = distorted(lambda u, v: (0 * u, 0 * v), crpix=crpix, crval=crval)
    known = sip.tangent_cards(crpix, crval, SCALE * np.array([[-0.5, 0.87], [0.87, 0.5]]))
    found = sip.sky_header(wcs, (5000, 5000), known=known)
    assert found.order == 1
    assert found.worst < 1e-7
    cards = stated(found.cards)
    np.testing.assert_allclose([cards["CRPIX1"], cards["CRPIX2"]], np.add(crpix, 1), atol=1e-6)
    assert (cards["CRVAL1"], cards["CRVAL2"]) == crval
    np.testing.assert_allclose(cards["CDELT1"], SCALE * np.hypot(0.5, 0.87))


def test_a_tangent_point_that_is_not_one_gives_way_to_sip():
    known = sip.tangent_cards((1999.5, 2043.5), (270.0, 66.0), SCALE * np.array([[-0.5, 0.87], [0.87, 0.5]]))
    found = sip.sky_header(distorted(power(3, 5.0)), SHAPE, known=known)
    assert found.order == 3


def projected(crpix, crval, turn, scale=0.05 / 3600):
    """A gwcs of one tangent projection, as mosaics have it."""
    import gwcs
    from astropy import coordinates, units
    from astropy.modeling.models import Pix2Sky_TAN
    from gwcs import coordinate_frames

    turn = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    transform = gwcs.FITSImagingWCSTransform(Pix2Sky_TAN(), crpix=crpix, crval=crval, cdelt=[scale, scale], pc=turn)
    detector = coordinate_frames.Frame2D(name="detector", unit=(units.pix, units.pix))
    sky = coordinate_frames.CelestialFrame(reference_frame=coordinates.ICRS(), name="world")
    return gwcs.WCS([(detector, transform), (sky, None)]), scale * turn


@pytest.mark.parametrize("crval", [(0.0, 0.0), (269.7, 65.8), (225.0, -90.0), (45.0, 90.0), (10.0, 89.9)])
@pytest.mark.parametrize("known", [True, False], ids=["told", "found"])
def test_a_skycell_has_an_exact_header_wherever_its_tangent_point_is(crval, known):
    crpix = (-31000.25, 12345.5)
    wcs, matrix = projected(crpix, crval, 0.3)
    found = sip.sky_header(wcs, (5000, 5000), known=sip.tangent_cards(crpix, crval, matrix) if known else ())
    assert found.order == 1
    assert found.worst < 2e-8
    assert distance(wcs, found.cards, (5000, 5000)).max() < 5e-8
    cards = stated(found.cards)
    np.testing.assert_allclose([cards["CRPIX1"], cards["CRPIX2"]], np.add(crpix, 1), atol=1e-6)


def test_what_a_mosaic_says_of_its_wcs_is_not_believed_where_it_is_wrong():
    crpix, crval = (-3100.0, 1234.5), (269.7, 65.8)
    wcs, matrix = projected(crpix, crval, 0.3)
    found = sip.sky_header(wcs, (500, 500), known=sip.tangent_cards((0, 0), (269.0, 65.0), 2 * matrix))
    assert found.order == 1
    assert found.worst < 2e-8


@pytest.mark.parametrize("wrong", [{"ra_ref": -999999}, {"dec_ref": 91.0}, {"x_ref": np.nan}, {"pixel_scale_ref": 0.0}])
def test_what_a_mosaic_does_not_know_makes_no_cards(wrong):
    info = {"projection": "TAN", "rotation_matrix": [[-1.0, 0.0], [0.0, 1.0]], "pixel_scale_ref": 1e-5}
    info |= {"x_ref": 2.0, "y_ref": 3.0, "ra_ref": 10.0, "dec_ref": 20.0}
    assert sip.mosaic_cards(info)
    assert sip.mosaic_cards(info | wrong) == []


@pytest.mark.filterwarnings("ignore:.*celfix")
def test_a_header_that_cannot_be_is_no_internal_error():
    with pytest.raises(InputError, match="no header"):
        sip._measured(plain(), SHAPE, sip.tangent_cards((0, 0), (10.0, 95.0), np.zeros((2, 2)) + 1e-300), 1)


@pytest.mark.parametrize("value", [np.nan, 12.0])
def test_a_broken_system_is_refused(value):
    def wcs(x, y, with_bounding_box=True):
        return np.full(np.shape(x), value), np.full(np.shape(y), value)

    with pytest.raises(InputError):
        sip.sip_header(wcs, SHAPE)
