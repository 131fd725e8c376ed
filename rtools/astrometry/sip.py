"""FITS headers that stand for a gwcs: exact TAN, or TAN with SIP polynomials and their measured error.

SIP: u = x - CRPIX1, v = y - CRPIX2; U = u + sum A_pq u^p v^q, V = v + sum B_pq u^p v^q with 2 <= p + q <= order;
(xi, eta) = CD (U, V) is the tangent plane about CRVAL (Shupe et al. 2005). AP, BP lead back from U, V to u, v.
The fit is linear least squares on Chebyshev nodes, which come close to the smallest largest error; the error is
measured on another, even grid, through the header as astropy reads it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rtools.errors import InputError, QualityError
from rtools.wfi.fill import FILL_NUMBER
from rtools.wfi.sphere import from_plane, to_plane

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["LIMIT", "SkyHeader", "mosaic_cards", "sip_header", "sky_header", "tangent_cards", "tangent_header"]

Card = tuple[str, Any, str]
"""Keyword, value and comment."""

LIMIT = 0.01
"""Pixels."""

ORDERS = range(1, 7)
INVERSE_ORDERS = range(1, 10)
NODES = 48
GRID = 101

ROUNDING = 1e-7
"""Pixels; closer than this no two ways to compute a position agree."""

EXACT = 1e-3
"""A system that a plain TAN header meets within so many pixels is one."""


class SkyHeader(NamedTuple):
    """Cards of a celestial WCS and how well they agree with the system they stand for.

    Attributes
    ----------
    cards : list of (str, value, str)
        Keyword, value and comment.
    order : int
        Of the SIP polynomials; 1 is plain TAN.
    worst, rms : float
        Distance on an even grid of 101 x 101 points to the edges of the image, pixels.
    """

    cards: list[Card]
    order: int
    worst: float
    rms: float


def sky_header(
    wcs: Any, shape: tuple[int, int], *, limit: float | None = LIMIT, known: Sequence[Card] = ()
) -> SkyHeader:
    """Header of a gwcs: exact TAN where that is known or stands in it, else SIP.

    Parameters
    ----------
    wcs, shape, limit
        As `sip_header`.
    known : sequence of (str, value, str)
        Cards of a tangent projection that it should be (`tangent_cards`).

    Returns
    -------
    SkyHeader
        Of a plain tangent projection where one is within 0.001 pixel, else as `sip_header`.

    Raises
    ------
    QualityError, InputError
        As `sip_header`.
    """
    makers = [lambda: _measured(wcs, shape, list(known), 1)] if known else []
    points = [tuple(card[1] for card in known if card[0].startswith("CRVAL"))] if known else []
    makers += [partial(tangent_header, wcs, shape, tangent) for tangent in [*points, *_tangent_points(wcs)]]
    best = None
    for make in makers:
        with suppress(InputError):  # what it is not; what is wrong with it, sip_header says
            found = make()
            best = found if best is None or found.worst < best.worst else best
            if best.worst <= ROUNDING:
                break
    return best if best is not None and best.worst <= EXACT else sip_header(wcs, shape, limit=limit)


def _tangent_points(wcs):
    """Sky positions about which a gwcs rotates, last first: the tangent point where it is a plain projection."""
    found = []
    for step in getattr(wcs, "pipeline", ()):
        models = [step.transform] if step.transform is not None else []
        while models:
            model = models.pop()
            if getattr(model, "n_submodels", 1) > 1:
                models += [model.left, model.right]
            elif hasattr(model, "crval"):
                found.append(tuple(float(value) for value in model.crval.value))
            elif hasattr(model, "lon_pole"):
                found.append((float(model.lon.value), float(model.lat.value)))
    return found[::-1]


def sip_header(wcs: Any, shape: tuple[int, int], *, limit: float | None = LIMIT) -> SkyHeader:
    """The header of the lowest order, 1 to 6, that agrees with a gwcs.

    Parameters
    ----------
    wcs : callable
        Pixel (x, y), 0-based, to right ascension and declination in degrees.
    shape : tuple of int
        (rows, columns) of the image.
    limit : float or None
        Largest error allowed, pixels. None takes what comes: the lowest order within `LIMIT`, else the best.

    Returns
    -------
    SkyHeader
        The error that it states is measured through astropy.

    Raises
    ------
    QualityError
        No order meets the limit.
    InputError
        The system has no finite positions, or is singular.
    """
    tried = []
    for order in ORDERS:
        tried.append(_measured(wcs, shape, _sip_cards(wcs, shape, order), order))
        if tried[-1].worst <= (LIMIT if limit is None else limit):
            return tried[-1]
    best = min(tried, key=lambda header: header.worst)
    if limit is None:
        return best
    raise QualityError(
        f"no SIP header up to order {ORDERS[-1]} is within {limit:g} pixel of the WCS "
        f"(order {best.order}: {best.worst:.2g} pixel)",
        mend="--sip-error allows more; none writes it whatever the error",
    )


def tangent_header(wcs: Any, shape: tuple[int, int], tangent: tuple[float, float]) -> SkyHeader:
    """The TAN header of a gwcs that is a tangent projection about a known point, however far from the image.

    Parameters
    ----------
    wcs, shape
        As `sip_header`.
    tangent : (float, float)
        Right ascension and declination of the tangent point, degrees.

    Returns
    -------
    SkyHeader
        The best such header; its `worst` says whether the gwcs is one.

    Raises
    ------
    InputError
        The system has no finite positions, is singular, or spans more than half the sky.
    """
    x, y, crpix = _nodes(shape)
    ra, dec = _sky(wcs, x, y)
    plane = _project(ra, dec, tangent)
    (constant, *linear), _powers = _polynomial(x - crpix[0], y - crpix[1], plane, range(2))
    matrix = np.transpose(linear)
    crpix = crpix - _solve(matrix, constant)
    return _measured(wcs, shape, tangent_cards(crpix, tangent, matrix), 1)


def tangent_cards(crpix: Sequence[float], crval: Sequence[float], matrix: ArrayLike) -> list[Card]:
    """Cards of a TAN projection: CDELT and PC.

    Parameters
    ----------
    crpix : sequence of float
        x, y of the tangent point, 0-based.
    crval : sequence of float
        Its right ascension and declination, degrees.
    matrix : array_like of float (2, 2)
        Degrees per pixel: tangent plane (xi, eta) of pixel offsets (x, y).

    Returns
    -------
    list of (str, value, str)
        Keyword, value and comment; CDELT is the mean length of the matrix's columns, on both axes.
    """
    scale = np.hypot(*np.asarray(matrix)).mean()
    cards = [*_common("RA---TAN", "DEC--TAN", crpix, crval)]
    cards += [(f"CDELT{axis}", float(scale), "[deg] pixel scale") for axis in (1, 2)]
    turn = np.asarray(matrix) / scale
    return cards + [(f"PC{i + 1}_{j + 1}", float(turn[i, j]), "") for i in (0, 1) for j in (0, 1)]


def mosaic_cards(info: Mapping[str, Any]) -> list[Card]:
    """Cards of the tangent projection of a mosaic, as its metadata tell it.

    Parameters
    ----------
    info : mapping of str to object
        Its `meta.wcsinfo`: projection, rotation_matrix, pixel_scale_ref, x_ref, y_ref, ra_ref and dec_ref.

    Returns
    -------
    list of (str, value, str)
        As `tangent_cards`; empty where the metadata are not complete.
    """
    turn = np.array(info.get("rotation_matrix"), object)
    keys = ("pixel_scale_ref", "x_ref", "y_ref", "ra_ref", "dec_ref")
    numbers: list[Any] = [info.get(key) for key in keys] + turn.ravel().tolist()
    known = info.get("projection") == "TAN" and turn.shape == (2, 2)
    if not known or not all(isinstance(number, int | float) for number in numbers):
        return []
    scale, x, y, *tangent = numbers[:5]
    if FILL_NUMBER in numbers or not np.isfinite(numbers).all() or scale <= 0 or abs(tangent[1]) > 90:
        return []
    return tangent_cards((x, y), tangent, scale * turn.astype(float))


def _sip_cards(wcs, shape, order):
    """Cards of the SIP header of one order."""
    x, y, crpix = _nodes(shape)
    ra, dec = _sky(wcs, x, y)
    u, v = x - crpix[0], y - crpix[1]
    crval = np.concatenate(_sky(wcs, *crpix[:, None]))
    for _ in range(2):  # what the polynomial leaves at the centre moves the tangent point, so no constant is left
        coefficients, powers = _polynomial(u, v, _project(ra, dec, crval), range(order + 1))
        xi, eta = coefficients[0]
        crval_used, crval = crval, np.array(_deproject(xi, eta, crval))
    matrix = coefficients[1:3].T
    ctype = ("RA---TAN-SIP", "DEC--TAN-SIP") if order > 1 else ("RA---TAN", "DEC--TAN")
    bent = _solve(matrix, coefficients[3:].T).T
    cards = _common(*ctype, crpix, crval_used)
    cards += [(f"CD{i + 1}_{j + 1}", float(matrix[i, j]), "[deg/pixel]") for i in (0, 1) for j in (0, 1)]
    if order == 1:
        return cards
    cards += _polynomial_cards("A", "B", order, powers[3:], bent)
    shifts = [sum(c * u**p * v**q for c, (p, q) in zip(column, powers[3:], strict=True)) for column in bent.T]
    return cards + _inverse_cards(u, v, u + shifts[0], v + shifts[1])


def _inverse_cards(u, v, bent_u, bent_v):
    """AP, BP: the lowest order whose residual is a tenth of `LIMIT`, else the best."""
    target, tried = np.stack([u - bent_u, v - bent_v], axis=-1), []
    for order in INVERSE_ORDERS:
        coefficients, powers = _polynomial(bent_u, bent_v, target, range(1, order + 1))
        fitted = sum(c * (bent_u**p * bent_v**q)[:, None] for c, (p, q) in zip(coefficients, powers, strict=True))
        worst = float(np.abs(fitted - target).max())
        tried.append((worst, order, powers, coefficients))
        if worst <= LIMIT / 10:
            break
    worst, order, powers, coefficients = min(tried, key=lambda one: one[0])
    cards = _polynomial_cards("AP", "BP", max(order, 2), powers, coefficients)
    return [*cards, ("RT_WCSIV", float(f"{worst:.3g}"), "[pixel] largest error of the inverse, AP and BP")]


def _polynomial_cards(first, second, order, powers, coefficients):
    cards = []
    for name, column in zip((first, second), np.transpose(coefficients), strict=True):
        cards.append((f"{name}_ORDER", order, "SIP polynomial order"))
        cards += [(f"{name}_{p}_{q}", float(c), "") for c, (p, q) in zip(column, powers, strict=True)]
    return cards


def _common(ctype1, ctype2, crpix, crval):
    return [
        ("WCSAXES", 2, "axes of the WCS"),
        ("CTYPE1", ctype1, "right ascension, tangent projection"),
        ("CTYPE2", ctype2, "declination, tangent projection"),
        ("CUNIT1", "deg", ""),
        ("CUNIT2", "deg", ""),
        ("CRPIX1", float(crpix[0]) + 1, "1-based"),
        ("CRPIX2", float(crpix[1]) + 1, "1-based"),
        ("CRVAL1", float(crval[0]) % 360, "[deg]"),
        ("CRVAL2", float(crval[1]), "[deg]"),
        ("LONPOLE", 180.0, "[deg]"),
        ("RADESYS", "ICRS", "celestial reference frame"),
    ]


def _measured(wcs, shape, cards, order):
    """A header with its error against the gwcs, which is stated in it."""
    from astropy.io.fits import Header
    from astropy.wcs import WCS

    rows, columns = shape
    edges = np.linspace(-0.5, columns - 0.5, GRID), np.linspace(-0.5, rows - 0.5, GRID)
    x, y = (axis.ravel() for axis in np.meshgrid(*edges))
    try:
        found = WCS(Header(cards))
        positions = found.all_pix2world(x, y, 0)
    except ValueError as error:  # wcslib's are
        raise InputError(f"no header can stand for its WCS ({' '.join(str(error).split())[:120]})") from None
    centre = found.wcs.crval
    (ra, dec), (ra2, dec2) = _sky(wcs, x, y), positions
    there, here = _project(ra, dec, centre), _project(ra2, dec2, centre)
    distance = np.hypot(*_solve(found.pixel_scale_matrix, (here - there).T))
    worst, rms = float(distance.max()), float(np.sqrt(np.mean(distance**2)))
    stated = [
        ("RT_WCSMX", float(f"{worst:.3g}"), "[pixel] largest error against the gwcs"),
        ("RT_WCSRM", float(f"{rms:.3g}"), "[pixel] rms error against the gwcs"),
    ]
    return SkyHeader([*cards, *stated], order, worst, rms)


def _nodes(shape):
    """x, y of the Chebyshev nodes of an image, flat, and its centre; 0-based."""
    rows, columns = shape
    node = np.cos(np.pi * (np.arange(NODES) + 0.5) / NODES)
    centre = np.array([(columns - 1) / 2, (rows - 1) / 2])
    x, y = np.meshgrid(centre[0] + columns / 2 * node, centre[1] + rows / 2 * node)
    return x.ravel(), y.ravel(), centre


def _sky(wcs, x, y):
    """Right ascension and declination of pixels by a gwcs, outside its bounding box, too."""
    ra, dec = wcs(x, y, with_bounding_box=False)
    if not (np.all(np.isfinite(ra)) and np.all(np.isfinite(dec))):
        raise InputError("its WCS gives positions that are not finite")
    return np.asarray(ra, float), np.asarray(dec, float)


def _project(ra, dec, centre):
    """(N, 2) coordinates on the plane that touches the sphere at `centre`; all in degrees."""
    plane = np.degrees(np.stack(to_plane(ra, dec, centre), axis=-1))
    if np.isnan(plane).any():
        raise InputError("its WCS spans more than half the sky")
    return plane


def _deproject(xi, eta, centre):
    """Right ascension and declination of a point of the tangent plane; all in degrees."""
    return from_plane(np.radians(xi), np.radians(eta), centre, turned=False)


def _polynomial(u, v, values, totals):
    """Coefficients of u^p v^q, p + q in `totals`, that fit the columns of `values`; and the powers (p, q)."""
    powers = [(total - q, q) for total in totals for q in range(total + 1)]
    reach = max(np.abs(u).max(), np.abs(v).max())
    design = np.stack([(u / reach) ** p * (v / reach) ** q for p, q in powers], axis=-1)
    solution = np.linalg.lstsq(design, values, rcond=None)[0]
    return solution / np.array([reach ** float(p + q) for p, q in powers])[:, None], powers


def _solve(matrix, values):
    if not np.linalg.cond(matrix) < 1e6:
        raise InputError("its WCS is singular")
    return np.linalg.solve(matrix, values)
