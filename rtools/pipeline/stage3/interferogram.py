"""What a fit of fringes needs of an exposure and its references: images about the star, mask, passband, orientation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from rtools.catalog.measure.sky import jacobian
from rtools.errors import InputError, UsageError
from rtools.interferometry.frames import box_about_star
from rtools.interferometry.passband import Passband, passband_of
from rtools.interferometry.stations import IDEAL, STATIONS, Holes, sky_by_roll, sky_by_slopes
from rtools.jwst.crosstalk import correcting_kernel, crosstalk_kernel
from rtools.jwst.dq import PIXEL_FLAGS
from rtools.jwst.pupil import mask_turn, non_redundant_mask
from rtools.products.jwst import JwstProduct
from rtools.wfi import metadata
from rtools.wfi.sphere import signed_turn

__all__ = [
    "Interferograms",
    "affine_of",
    "centres_on_sky",
    "crosstalk_in",
    "holes_of",
    "images_of",
    "passband_in",
    "used_holes",
]

UNUSABLE = PIXEL_FLAGS["DO_NOT_USE"] | PIXEL_FLAGS["JUMP_DET"]
ANGSTROM = 1e-10
REFERENCE_ROWS = 4
"""Rows at the lower edge of the detector that see no light."""

FULL_FRAME = (slice(0, 80), slice(1044, 1124))
"""Rows and columns of SUB80, where the star of an interferogram lies on a full frame."""

CLOSE_DEGREES = 1.0
"""By which the orientation of world coordinates and that of keywords may differ."""


class Interferograms(NamedTuple):
    """Images about the star.

    Attributes
    ----------
    data, error : ndarray float32 (integrations, n, n)
        In the unit of the file.
    bad : ndarray of bool
        Flagged, or without a number.
    x, y : float
        Brightest pixel, in pixels of the file from 0.
    """

    data: np.ndarray
    error: np.ndarray
    bad: np.ndarray
    x: float
    y: float


def images_of(product: JwstProduct, firstfew: int | None = None) -> Interferograms:
    """The images of an exposure, cut out about the star.

    Parameters
    ----------
    product : JwstProduct
        ``calints`` or ``crfints``.
    firstfew : int, optional
        Only so many integrations.

    Returns
    -------
    Interferograms

    Raises
    ------
    InputError
        There is no star.
    """
    rows, columns = slice(None), slice(None)
    shape = product.arrays["data"].shape
    if str(metadata.get(product.meta, "subarray.name")).upper() == "FULL" and shape[-1] > FULL_FRAME[1].stop:
        rows, columns = FULL_FRAME
    count = min(shape[0], firstfew or shape[0])
    data, error, flags = (
        product.array(name)[:count, rows, columns] if rows == slice(None) else
        product.section(name, rows, columns)[:count] for name in ("data", "err", "dq")
    )  # fmt: skip
    bad = (flags & np.uint32(UNUSABLE) != 0) | ~np.isfinite(data)
    start = metadata.get(product.meta, "subarray.ystart")
    first = max(0, REFERENCE_ROWS + 1 - (int(start) if isinstance(start, int | float) else 1))
    try:
        box = box_about_star(data, bad, first)
    except InputError as found:
        raise InputError(str(found), path=product.path) from None
    cut = (slice(None), *box.slices)
    x, y = box.column + (columns.start or 0), box.row + (rows.start or 0)
    return Interferograms(data[cut], error[cut], bad[cut], float(x), float(y))


def used_holes(word: str | None) -> tuple[int, ...]:
    """Holes by the names of the mirror's segments.

    Parameters
    ----------
    word : str or None
        Names with commas between; all without.

    Returns
    -------
    tuple of int
        From 0, in the order of the mask.

    Raises
    ------
    UsageError
        No such hole, or fewer than three.
    """
    names = non_redundant_mask().names
    if word is None:
        return tuple(range(STATIONS))
    asked = [part.strip().upper() for part in word.split(",")]
    unknown = [part for part in asked if part not in names]
    if unknown or len(set(asked)) < 3:
        what = f"no hole is called {unknown[0]}" if unknown else "three holes at least make a closure phase"
        raise UsageError(f"--holes {word}: {what}", mend=f"holes: {','.join(names)}")
    return tuple(number for number, name in enumerate(names) if name in asked)


def affine_of(word: str) -> Mapping[str, float]:
    """How the mask lies on the detector.

    Parameters
    ----------
    word : str
        ``commissioning``, ``ideal``, or four numbers with commas between: mx, my, sx, sy.

    Returns
    -------
    mapping of str to float

    Raises
    ------
    UsageError
        Neither a name nor four numbers, or it cannot be undone.
    """
    known = {"commissioning": non_redundant_mask().affine, "ideal": IDEAL}
    if word.lower() in known:
        return known[word.lower()]
    try:
        found = dict(zip(("mx", "my", "sx", "sy"), map(float, word.split(",")), strict=True))
        mask_turn(found)
    except ValueError:
        found = {"mx": np.nan}
    if not np.isfinite(list(found.values())).all():
        raise UsageError(f"--affine {word}: {', '.join(known)} or MX,MY,SX,SY expected")
    return found


def holes_of(reference: Any, options: Mapping[str, Any]) -> Holes:
    """The mask of a reference of type nrm.

    Parameters
    ----------
    reference : rtools.reference.jwst.source.JwstSource
        Holes are keywords of it.
    options : mapping
        ``affine`` and ``holes``.

    Returns
    -------
    Holes
    """
    centres = [[float(reference.node(f"NRM_{axis}_A{number}")) for axis in "XY"] for number in range(1, STATIONS + 1)]
    return Holes(
        np.array(centres), float(reference.node("F2F")), mask_turn(affine_of(options["affine"])),
        used_holes(options["holes"]),
    )  # fmt: skip


def passband_in(reference: Any) -> Passband:
    """The wavelengths of a reference of type throughput.

    Parameters
    ----------
    reference : rtools.reference.jwst.source.JwstSource
        Its table has wavelengths in Å.

    Returns
    -------
    Passband

    Raises
    ------
    InputError
        It has no such table, or no band.
    """
    rows = reference.table_rows("filter_table")
    columns = {} if rows is None else {name.lower(): np.asarray(rows[name], float) for name in rows.dtype.names}
    if not {"wavelength", "throughput"} <= columns.keys():
        raise InputError("has no table of wavelength and throughput", path=reference.label)
    try:
        return passband_of(columns["wavelength"] * ANGSTROM, columns["throughput"])
    except InputError as found:
        raise InputError(str(found), path=reference.label) from None


def crosstalk_in(reference: Any) -> np.ndarray | None:
    """What a pixel shows of the light of those about it, by a reference of type ipc.

    Parameters
    ----------
    reference : rtools.reference.jwst.source.JwstSource or None
        Its kernel corrects this.

    Returns
    -------
    ndarray float64 (3, 3) or None
        None without a reference.

    Raises
    ------
    InputError
        The kernel cannot be undone.
    """
    if reference is None:
        return None
    kernel = crosstalk_kernel(correcting_kernel(reference.array("data")))
    if not np.isfinite(kernel).all():
        raise InputError("this kernel of crosstalk cannot be undone", path=reference.label)
    return kernel


def centres_on_sky(product: JwstProduct, holes: Holes, images: Interferograms, log: Any) -> np.ndarray:
    """The holes on the sky: by the gwcs of the file, else as designed by its keywords.

    The affine holds how the mask lies as well as how pixels lie on the sky. World coordinates tell the two apart;
    without them nothing does, and the mask is taken to lie as designed, as the mission's pipeline takes it always.

    Parameters
    ----------
    product : JwstProduct
        The exposure.
    holes : Holes
        The mask on the detector.
    images : Interferograms
        Where the star lies.
    log : callable
        ``log(level, text)``.

    Returns
    -------
    ndarray (7, 2)
        North and east, m.

    Raises
    ------
    InputError
        The file says nothing of its orientation.
    """
    told = [metadata.get(product.meta, f"wcsinfo.{key}") for key in ("roll_ref", "v3yangle", "vparity")]
    try:
        wcs = product.node("meta.wcs")
    except (KeyError, InputError):
        wcs = None
    if wcs is None:
        if None in told:
            raise InputError("neither a gwcs nor ROLL_REF, V3I_YANG, VPARITY say how it is turned", path=product.path)
        return sky_by_roll(holes.centres, float(told[0]) + float(told[1]), int(told[2]))
    slopes = jacobian(wcs, [images.x], [images.y])[..., 0]
    if None not in told:
        turn = np.rad2deg(np.arctan2(*slopes[:, 1])) - float(told[0]) - float(told[1])
        if abs(signed_turn(turn)) > CLOSE_DEGREES:
            log("warning", f"ROLL_REF + V3I_YANG and the gwcs differ by {signed_turn(turn):.1f} deg; the gwcs is taken")
    return sky_by_slopes(holes.centres @ holes.turn, slopes, non_redundant_mask().pixel_arcsec)
