"""What is made of whole cubes: planes, ranges, collapsed planes, moments, merged cubes, the form of the third axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rtools.errors import InputError, UsageError
from rtools.jwst.dq import PIXEL_FLAGS
from rtools.pipeline.stage3.cube_errors import errors_of_cube
from rtools.pipeline.stage3.cube_meta import instrument_of
from rtools.pipeline.stage3.making import passed_on
from rtools.products.jwst import JwstProduct, NewHdu, celestial_cards, cube_wavelengths, stage_new
from rtools.spectra.cube_building import NOTHING
from rtools.spectra.cube_views import collapse_cube, merge_order, moment_maps, nearest_plane, planes_between

if TYPE_CHECKING:
    from rtools.products.io.staging import Stage

__all__ = ["CubePlanes", "axis_of", "collapsed", "cut", "merged", "moments", "one_plane", "read_cube", "stage_cube"]

EQUAL = 1e-3
"""Wavelengths are on a line where they leave it by less than this share of a step."""

BAD = np.uint32(PIXEL_FLAGS["DO_NOT_USE"] | PIXEL_FLAGS["NON_SCIENCE"])


class CubePlanes(NamedTuple):
    """Planes of a cube, as they are written.

    Attributes
    ----------
    data, err : ndarray of float32
        (planes, rows, columns); errors are σ.
    dq : ndarray of uint32
        Flags.
    wmap : ndarray of float32
        Pixels of each voxel.
    wavelength : ndarray of float64
        Of each plane, micrometres.
    cards : mapping
        Keywords of the sky.
    table : bool
        Whether keywords of the third axis refer to the table of wavelengths.
    unit : str or None
        Of the values.
    more : tuple of NewHdu
        Further images.
    """

    data: np.ndarray
    err: np.ndarray
    dq: np.ndarray
    wmap: np.ndarray
    wavelength: np.ndarray
    cards: Mapping[str, Any]
    table: bool = True
    unit: str | None = None
    more: tuple[NewHdu, ...] = ()

    @property
    def good(self) -> np.ndarray:
        """Which voxels have a value that can be used."""
        return np.isfinite(self.data) & np.isfinite(self.err) & (self.dq & BAD == 0)

    def at(self, planes: slice | np.ndarray) -> CubePlanes:
        """Some of its planes.

        Parameters
        ----------
        planes : slice or ndarray of int
            Their numbers.
        """
        parts: dict[str, Any] = {
            name: getattr(self, name)[planes] for name in ("data", "err", "dq", "wmap", "wavelength")
        }
        return self._replace(**parts)


def read_cube(product: JwstProduct) -> CubePlanes:
    """All of a cube, with errors as σ, whatever the file holds (ERRTYPE).

    Parameters
    ----------
    product : JwstProduct
        ``s3d``.

    Returns
    -------
    CubePlanes

    Raises
    ------
    InputError
        It does not say its wavelengths, or they do not rise.
    """
    wavelength = cube_wavelengths(product)
    if not (np.diff(wavelength) > 0).all():
        raise InputError("wavelengths of its planes do not rise", path=product.path)
    err = errors_of_cube(product)
    dq = product.array("dq") if product.has("dq") else np.zeros(err.shape, np.uint32)
    wmap = product.array("weightmap") if product.has("weightmap") else np.ones(err.shape, np.float32)
    header = product.hdu("SCI").values
    table = "WCS-TABLE" in product.tables and str(header.get("PS3_0", "")).strip() == "WCS-TABLE"
    cards = celestial_cards(product)
    unit = product.arrays["data"].unit
    return CubePlanes(product.array("data"), err, dq, wmap, wavelength, cards, table, unit)


def one_plane(cube: CubePlanes, wanted: float) -> CubePlanes:
    """The plane whose wavelength is nearest.

    Parameters
    ----------
    cube : CubePlanes
        The cube.
    wanted : float
        Micrometres.
    """
    number = nearest_plane(cube.wavelength, wanted)
    return cube.at(slice(number, number + 1))


def cut(cube: CubePlanes, low: float, high: float) -> CubePlanes:
    """Planes between two wavelengths.

    Parameters
    ----------
    cube : CubePlanes
        The cube.
    low, high : float
        Micrometres, both inclusive.
    """
    return cube.at(planes_between(cube.wavelength, low, high))


def collapsed(cube: CubePlanes, how: str) -> CubePlanes:
    """A cube of one plane, which all planes are collapsed into.

    Parameters
    ----------
    cube : CubePlanes
        The cube.
    how : str
        ``mean``, ``median`` or ``sum``.
    """
    data, err, count = collapse_cube(cube.data, cube.err, cube.good, how)
    return _flat(cube, data, err, count)


def _flat(cube, data, err, count):
    middle = np.array([cube.wavelength.mean()])
    planes = {"data": data, "err": err, "wmap": count}
    made: dict[str, Any] = {name: np.asarray(values, np.float32)[None] for name, values in planes.items()}
    dq = np.where(np.isfinite(data), 0, NOTHING).astype(np.uint32)[None]
    return cube._replace(**made, dq=dq, wavelength=middle, table=False)


def moments(cube: CubePlanes) -> CubePlanes:
    """The light summed over wavelengths, and in images WAVE and WIDTH its mean wavelength and its width.

    Parameters
    ----------
    cube : CubePlanes
        The cube.
    """
    found, good = moment_maps(cube.data, cube.err, cube.good, cube.wavelength), cube.good
    flat = _flat(cube, found.flux, found.flux_err, np.count_nonzero(good, axis=0))
    more = [NewHdu(name, np.asarray(values, np.float32), unit="um", cards=dict(cube.cards))
            for name, values in (("WAVE", found.centre), ("WIDTH", found.width))]  # fmt: skip
    return flat._replace(unit=f"{cube.unit or ''} um".strip(), more=tuple(more))


def merged(cubes: Sequence[CubePlanes], names: Sequence[str]) -> CubePlanes:
    """One cube of several that have the same spaxels, in the order of wavelength.

    Parameters
    ----------
    cubes : sequence of CubePlanes
        Of neighbouring ranges.
    names : sequence of str
        What their files are called.

    Raises
    ------
    InputError
        They have other spaxels, or another unit.
    """
    first = cubes[0]
    for cube, name in zip(cubes[1:], names[1:], strict=True):
        if cube.unit != first.unit:
            raise InputError(f"is in {cube.unit}, and {names[0]} in {first.unit}", path=name)
        if cube.data.shape[1:] != first.data.shape[1:] or not _same_sky(cube.cards, first.cards):
            raise InputError(
                f"has other spaxels than {names[0]}", mend="rt-cube build --like makes the same", path=name
            )
    owner, plane = merge_order([cube.wavelength for cube in cubes])
    starts = np.cumsum([0, *(len(cube.wavelength) for cube in cubes[:-1])])
    whole: dict[str, Any] = {name: np.concatenate([getattr(cube, name) for cube in cubes])
             for name in ("data", "err", "dq", "wmap", "wavelength")}  # fmt: skip
    return first._replace(**whole).at(starts[owner] + plane)._replace(table=True)


def _same_sky(one, other):
    numbers = [key for key in one if isinstance(one[key], int | float)]
    return one.keys() == other.keys() and all(np.isclose(one[key], other[key], rtol=1e-9, atol=1e-12)
                                              for key in numbers)  # fmt: skip


def axis_of(cube: CubePlanes, *, table: bool) -> CubePlanes:
    """The same cube, whose third axis is told by a table of wavelengths, or by three numbers.

    Parameters
    ----------
    cube : CubePlanes
        The cube.
    table : bool
        Whether keywords refer to the table.

    Raises
    ------
    UsageError
        Three numbers are asked for, and the wavelengths are on no line.
    """
    if not table and not _is_linear(cube.wavelength):
        raise UsageError("the steps of the wavelengths differ: no three numbers say them")
    return cube._replace(table=table)


def _is_linear(wavelength):
    if len(wavelength) < 3:
        return True
    line = np.linspace(wavelength[0], wavelength[-1], len(wavelength))
    return float(np.abs(wavelength - line).max()) < EQUAL * (wavelength[-1] - wavelength[0]) / (len(wavelength) - 1)


def stage_cube(
    path: str | Path,
    product: JwstProduct,
    cube: CubePlanes,
    history: Sequence[Any],
    more: Sequence[JwstProduct] = (),
) -> Stage:
    """Write a cube to a temporary file next to its place.

    Parameters
    ----------
    path : str or Path
        The file to be.
    product : JwstProduct
        The cube that it is made of.
    cube : CubePlanes
        What it holds.
    history : sequence
        As `rtools.products.jwst.stage_new` takes it.
    more : sequence of JwstProduct
        Further cubes that it is made of.

    Returns
    -------
    rtools.products.io.Stage
    """
    cards = {**cube.cards, **_third_axis(cube)}
    kinds = {"SCI": cube.data, "ERR": cube.err, "DQ": cube.dq, "WMAP": cube.wmap}
    hdus = [NewHdu(name, values, unit=cube.unit if name in ("SCI", "ERR") else None, cards=cards)
            for name, values in kinds.items()]  # fmt: skip
    waves = np.array([(cube.wavelength[:, None].astype("f4"),)],
                     dtype=[("wavelength", "f4", (len(cube.wavelength), 1))])  # fmt: skip
    meta = passed_on(product, "wcs")
    meta["instrument"] = dict(meta.get("instrument") or {}) | (instrument_of((product, *more)) if more else {})
    if cube.unit:
        meta |= {"bunit_data": cube.unit, "bunit_err": cube.unit}
    meta["ifu"] = dict(meta.get("ifu") or {}) | {"error_type": "ERR"}
    meta["wcsinfo"] = {key: value for key, value in (meta.get("wcsinfo") or {}).items() if not key.endswith("3")}
    return stage_new(path, "s3d", meta, [*hdus, NewHdu("WCS-TABLE", waves), *cube.more], history=history)


def _third_axis(cube):
    """Keywords of the third axis (Greisen et al. 2006: WAVE, and WAVE-TAB for a table)."""
    linear = {"WCSAXES": 3, "CUNIT3": "um", "CRPIX3": 1.0, "PC3_3": 1.0}
    if cube.table or not _is_linear(cube.wavelength):
        return linear | {
            "CTYPE3": "WAVE-TAB",
            "CRVAL3": 1.0,
            "CDELT3": 1.0,
            "PS3_0": "WCS-TABLE",
            "PS3_1": "wavelength",
        }
    count = len(cube.wavelength)
    step = (cube.wavelength[-1] - cube.wavelength[0]) / (count - 1) if count > 1 else 1.0
    return linear | {"CTYPE3": "WAVE", "CRVAL3": float(cube.wavelength[0]), "CDELT3": float(step)}
