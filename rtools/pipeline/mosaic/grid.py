"""Which grid a mosaic is on: a skycell, that of another image, one asked for, or one that covers all exposures."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rtools.errors import InputError, UsageError
from rtools.mosaic.drizzle.options import WEIGHTS
from rtools.mosaic.grid.footprint import footprint
from rtools.mosaic.grid.grid import centred_grid, covering_grid, grid_like, skycell_grid
from rtools.mosaic.grid.scale import mean_pixel_area, pixel_scale_ratio
from rtools.mosaic.skymap import skymap
from rtools.pipeline.mosaic.extent import check_covering, check_stated, far_apart
from rtools.products.edit.wcs import load_wcs
from rtools.products.io import header
from rtools.products.io.unitless import without_units
from rtools.products.jwst import sky_of
from rtools.products.opening import mission_of, open_any
from rtools.wfi import metadata
from rtools.wfi.siaf import PARITY
from rtools.wfi.units import DEGREE_ARCSEC

if TYPE_CHECKING:
    from rtools.mosaic.grid.freegrid import FreeGrid
    from rtools.mosaic.grid.grid import Grid
    from rtools.pipeline.mosaic.members import Member
    from rtools.products.mosaic.association import Association
MOSAICS = ("l3_coadd", "i2d")
"""Kinds of products that have a grid of their own."""

__all__ = ["Frame", "WantedGrid", "check_words", "choose_frame", "refuse_empty", "weight_of"]


class WantedGrid(NamedTuple):
    """What a user says of the grid; None: nothing.

    Attributes
    ----------
    skycell, like : str
        Name of a cell; an image file.
    center : (float, float)
        Right ascension and declination, degrees.
    scale : float
        Arcsec a pixel.
    scale_ratio : float
        Pixel scale over that of the exposures.
    size : (int, int)
        x and y.
    pa : float
        Position angle of +y, degrees.
    crpix : (float, float)
        0-based pixel of the center.
    """

    skycell: str | None = None
    like: str | None = None
    center: tuple[float, float] | None = None
    scale: float | None = None
    scale_ratio: float | None = None
    size: tuple[int, int] | None = None
    pa: float | None = None
    crpix: tuple[float, float] | None = None

    @property
    def free(self) -> bool:
        """Whether anything is asked of a grid that is neither a skycell's nor another image's."""
        return any(value is not None for value in self[2:])


class Frame(NamedTuple):
    """Where a mosaic is.

    Attributes
    ----------
    grid : rtools.mosaic.grid.grid.Grid or rtools.mosaic.grid.freegrid.FreeGrid
        Its pixels on the sky.
    ratio : float
        Its pixel scale over that of the exposures.
    skycell : str or None
        The skycell that it is; None for any other grid.
    """

    grid: Grid | FreeGrid
    ratio: float
    skycell: str | None = None

    def said(self) -> str:
        """In words."""
        rows, columns = self.grid.shape
        where = f"skycell {self.skycell}" if self.skycell else "grid"
        return f"{where}, {columns} x {rows} pixels"


def check_words(wanted: WantedGrid) -> None:
    """Refuse words about a grid that exclude each other, or mean nothing.

    Parameters
    ----------
    wanted : WantedGrid
        What a user says.

    Raises
    ------
    UsageError, InputError
        They do; or there is no such skycell.
    """
    free = wanted._replace(size=None).free if wanted.like else wanted.free  # --like has a place for --size
    if (wanted.skycell is not None) + (wanted.like is not None) + free > 1:
        raise UsageError("--skycell, --like and the options of a free grid exclude each other")
    if wanted.scale is not None and wanted.scale_ratio is not None:
        raise UsageError("--scale and --scale-ratio exclude each other")
    if wanted.crpix is not None and wanted.size is None:
        raise UsageError("--crpix says where the grid is, not how large", mend="give --size, too")
    if wanted.skycell:
        skymap.parse_name(wanted.skycell)


def choose_frame(
    members: Sequence[Member],
    wanted: WantedGrid,
    association: Association | None,
    log: Callable[[str, str], None],
) -> Frame:
    """The frame of a mosaic.

    Parameters
    ----------
    members : sequence of rtools.pipeline.mosaic.members.Member
        Its images; what a grid does not say of itself is that of the first, or covers all.
    wanted : WantedGrid
        What a user says.
    association : rtools.products.mosaic.association.Association or None
        Its grid, or a target that is a skycell, counts where nothing else is asked for.
    log : callable
        ``log(level, text)``: is warned of what cannot be used.

    Returns
    -------
    Frame
        Whether images touch it is not looked at (`refuse_empty`).

    Raises
    ------
    UsageError, InputError
        What is asked for excludes each other, cannot be read, or is absurdly large.
    """
    check_words(wanted)
    if wanted.skycell:
        return _on_skycell(members, skymap.wcs_info(skymap.parse_name(wanted.skycell)), log)
    if wanted.like:
        return _like(members, wanted.like, wanted.size and wanted.size[::-1], log)
    if association is not None and members[0].mission.in_skycells and not wanted.free:
        info = _grid_of(association, log)
        if info:
            return _on_skycell(members, info, log)
    return _covering(members, wanted, log)


def _grid_of(association, log):
    """`skycell_wcs_info` that an association states or names; None, and a warning where it names nothing known."""
    if association.skycell_wcs_info:
        return association.skycell_wcs_info
    target = association.target
    if target is not None and skymap.is_name(target):
        with contextlib.suppress(InputError, UsageError):
            return skymap.wcs_info(skymap.parse_name(target))
    what = "no skycell" if target is None else f"the target {target} is not a skycell"
    log("warning", f"{association.path}: {what}, the mosaic covers all exposures")
    return None


def _on_skycell(members, info, log):
    grid = check_stated(skycell_grid(info))
    return Frame(grid, _ratio(members[0], grid, log), str(info["name"]))


def _like(members, path, shape, log):
    """The frame of another image; a mosaic says the ratio, too, so that both have variances of one kind."""
    if _holds_wcs_alone(path):
        grid = _grid_alone(path, shape)
        return Frame(grid, _ratio(members[0], grid, log))
    with _image(path) as product:
        try:
            wcs = sky_of(product) if product.mission == "jwst" else load_wcs(product)
            grid = grid_like(wcs, shape or product.arrays["data"].shape[-2:])
        except InputError as error:
            error.path = error.path or path
            raise
        name = ratio = None
        if product.kind in MOSAICS and product.mission == members[0].mission.name:
            name = metadata.get(product.meta, "wcsinfo.skycell_name")
            ratio = metadata.usable(product.meta, "resample.pixel_scale_ratio", _named(log, path), "it is measured")
    ratio = _ratio(members[0], grid, log) if ratio is None else float(ratio)
    return Frame(grid, ratio, name if isinstance(name, str) and skymap.is_name(name) else None)


def _named(log, name):
    """A log whose lines begin with the name of a file."""
    return lambda level, text: log(level, f"{name}: {text}")


def refuse_empty(members: Sequence[Member], frame: Frame, log: Callable[[str, str], None]) -> None:
    """Refuse a frame that no member touches; a warning where some do not.

    Parameters
    ----------
    members : sequence of rtools.pipeline.mosaic.members.Member
        The images.
    frame : Frame
        Where the mosaic is.
    log : callable
        ``log(level, text)``.

    Raises
    ------
    InputError
        No image touches it.
    """
    rows, columns = frame.grid.shape
    beside = 0
    for member in members:
        x, y = frame.grid.to_pixel(*footprint(member.wcs, member.shape))
        near = np.isfinite(x) & np.isfinite(y)
        meets = near.any() and x[near].min() < columns - 0.5 and x[near].max() > -0.5
        beside += not (meets and y[near].min() < rows - 0.5 and y[near].max() > -0.5)
    if beside == len(members):
        raise InputError(f"no image touches the {frame.said()}", mend="rt-skymap FILE… names the skycells of images")
    if beside:
        log("warning", f"{beside} of {len(members)} images do not touch the {frame.said()}")


def weight_of(path: str, mission: str = "roman", otherwise: str = "exptime") -> str:
    """Weight type of a mosaic; what is said otherwise for another file, or where it does not say it.

    Parameters
    ----------
    path : str
        A mosaic, an image, or a file that holds nothing but a WCS.
    mission : str
        Whose mosaics are asked; that of another mission says nothing of the weights.
    otherwise : str
        Where nothing is said.

    Returns
    -------
    str
        One of `rtools.mosaic.drizzle.options.WEIGHTS`.

    Raises
    ------
    InputError
        The file is none of these.
    """
    if _holds_wcs_alone(path):
        return otherwise
    with _image(path) as product:
        weight = metadata.get(product.meta, "resample.weight_type")
    return weight if weight in WEIGHTS and product.mission == mission else otherwise


def _holds_wcs_alone(path):
    """Whether a file is no product, and has a WCS at its root."""
    return mission_of(path) != "jwst" and "wcs" in header.read_header(path)[0]


def _image(path):
    """An image or a mosaic of either mission."""
    product = open_any(path, ("l2_image", "l3_coadd"))
    if product.mission == "jwst" and "data" not in product.arrays:
        raise InputError(f"{product.kind}, which is no image", path=path)
    return product


def _grid_alone(path, shape):
    """The grid of a file that holds nothing but a WCS, below ``wcs``; without a shape of that which the WCS states."""
    import asdf

    from rtools.products.io.extensions import find_extensions

    header.refuse_links(header.read_header(path, cut_loops=True)[0], path)
    find_extensions()
    try:
        with asdf.open(path, lazy_load=False, memmap=False) as file:
            grid = grid_like(without_units(file["wcs"]), shape)
            return grid if shape else check_stated(grid)
    except (InputError, UsageError) as error:
        raise InputError(str(error), path=path) from None
    except (AttributeError, TypeError, ValueError):
        raise InputError("what it has below wcs is not a WCS", path=path) from None


def _covering(members, wanted, log):
    """The grid that covers all exposures, but for what the user says."""
    first = members[0]
    known = _stated(first, ("ra_ref", "dec_ref"), log, "the scale is that of the middle of the image")
    native = first.mission.scale_at(first.wcs, tuple(map(float, known)) if known else None)
    ratio = wanted.scale_ratio or 1.0
    scale = wanted.scale / DEGREE_ARCSEC if wanted.scale else native * ratio
    if wanted.scale:
        ratio = scale / np.rad2deg(np.sqrt(_native_area(first, log)))
    angle = _angle(first, log) if wanted.pa is None else wanted.pa
    (parity,) = map(int, _stated(first, ("vparity",), log, f"{PARITY} is taken") or (PARITY,))
    shape = wanted.size[::-1] if wanted.size else None
    if shape and wanted.center and wanted.crpix is None:
        return Frame(centred_grid(wanted.center, scale, shape, angle), float(ratio))
    footprints = _footprints(members)
    try:
        inside = shape if wanted.crpix else None
        grid = covering_grid(
            footprints,
            scale,
            angle,
            parity=parity,
            crval=wanted.center,
            crpix=wanted.crpix,
            shape=inside,
            nearest=first.mission.nearest,
        )
    except InputError:
        raise far_apart(members, footprints) from None
    if shape and wanted.crpix is None:
        grid = centred_grid(grid.crval, scale, shape, angle)
    if not shape:
        check_covering(grid, members, footprints)
    return Frame(grid, float(ratio))


def _footprints(members):
    return [member.mission.outline_of(member.meta, member.wcs, member.shape) for member in members]


def _angle(member, log):
    """Position angle of an exposure's +y, degrees; 0 where its metadata do not say it."""
    stated = _stated(member, ("roll_ref", "vparity", "v3yangle"), log, "north is up")
    if not stated:
        return 0.0
    roll, parity, v3 = stated
    return float(roll - parity * v3)


def _stated(member, keys, log, otherwise):
    """Values of `meta.wcsinfo`; None where one is absent or, with a warning, cannot be."""
    values = [metadata.usable(member.meta, f"wcsinfo.{key}", _named(log, member.name), otherwise) for key in keys]
    return None if None in values else values


def _native_area(member, log):
    """Area of a pixel, sr, that a scale in arcsec is compared with."""
    stated = _stated_area(member, log) if member.mission.nominal_scale else None
    return stated or mean_pixel_area(member.wcs, member.shape)


def _stated_area(member, log):
    """Area of a pixel, sr, as metadata state it; None, and perhaps a warning, where they do not."""
    return metadata.usable(member.meta, member.mission.pixel_area, _named(log, member.name), "it is measured")


def _ratio(member, grid, log):
    """Pixel scale of a grid over that of an exposure."""
    area = _stated_area(member, log) or mean_pixel_area(member.wcs, member.shape)
    return pixel_scale_ratio(np.rad2deg(np.sqrt(mean_pixel_area(grid.to_sky, grid.shape))), area)
