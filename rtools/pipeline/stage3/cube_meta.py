"""What a cube says of itself: images, the table of wavelengths, world coordinates in keywords and as a gwcs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.errors import InputError
from rtools.products.jwst import NewHdu, open_jwst
from rtools.spectra.cube_building import Cube, CubeGrid
from rtools.wfi.sphere import s_region

if TYPE_CHECKING:
    from rtools.products.jwst import JwstProduct

__all__ = ["cube_hdus", "cube_meta", "grid_like", "gwcs_of", "instrument_of", "wcs_cards"]

EXTENSIONS = {"flux_extension": "SCI", "error_extension": "ERR", "error_type": "ERR", "dq_extension": "DQ"}
"""FLUXEXT, ERREXT, ERRTYPE and MASKEXT."""


def cube_hdus(cube: Cube, grid: CubeGrid, unit: str | None) -> list[NewHdu]:
    """Extensions of a cube.

    Parameters
    ----------
    cube : Cube
        Its planes.
    grid : CubeGrid
        Where they are.
    unit : str or None
        Of its values.

    Returns
    -------
    list of NewHdu
    """
    table = np.array([(grid.wavelengths[:, None].astype("f4"),)],
                     dtype=[("wavelength", "f4", (grid.shape[0], 1))])  # fmt: skip
    cards = wcs_cards(grid)
    return [
        NewHdu("SCI", cube.data, unit=unit, cards=cards),
        NewHdu("ERR", cube.err, unit=unit, cards=cards),
        NewHdu("DQ", cube.dq, cards=cards),
        NewHdu("WMAP", cube.wmap, cards=cards),
        NewHdu("WCS-TABLE", table),
    ]


def wcs_cards(grid: CubeGrid) -> dict[str, Any]:
    """Keywords of world coordinates: a tangent plane, and wavelengths of one step.

    Parameters
    ----------
    grid : CubeGrid
        Of the cube.

    Returns
    -------
    dict of str to object
    """
    turn = grid.matrix
    cards: dict[str, Any] = {"WCSAXES": 3}
    axes = (
        (grid.x + 1, grid.ra, "RA---TAN", "deg", grid.spaxel / 3600),
        (grid.y + 1, grid.dec, "DEC--TAN", "deg", grid.spaxel / 3600),
        (1.0, grid.wavelength, "WAVE", "um", grid.step),
    )
    for number, (crpix, crval, ctype, cunit, cdelt) in enumerate(axes, 1):
        cards |= {f"CRPIX{number}": float(crpix), f"CRVAL{number}": float(crval), f"CTYPE{number}": ctype,
                  f"CUNIT{number}": cunit, f"CDELT{number}": float(cdelt)}  # fmt: skip
    matrix = np.eye(3)
    matrix[:2, :2] = turn
    return cards | {f"PC{row + 1}_{column + 1}": float(matrix[row, column]) for row in range(3) for column in range(3)}


CHANNELS = ("1", "2", "3", "4", "12", "34", "123", "234", "1234")
"""What CHANNEL says of MIRI's spectrometer."""


def instrument_of(products: Sequence[JwstProduct], channels: str = "") -> dict[str, Any]:
    """What a cube says of the instrument, where what it is made of says it differently.

    Parameters
    ----------
    products : sequence of JwstProduct
        What it is made of.
    channels : str
        Of MIRI's spectrometer; all of them by default.

    Returns
    -------
    dict
        Below ``meta.instrument``: of several bands or detectors the word MULTIPLE.
    """
    told = [product.meta.get("instrument") or {} for product in products]
    found = {name: "MULTIPLE" for name in ("band", "detector") if len({str(one.get(name)) for one in told}) > 1}
    channels = channels or "".join({letter for one in told for letter in str(one.get("channel") or "")})
    if channels.isdecimal():
        named = "".join(sorted(channels))
        found["channel"] = named if named in CHANNELS else "ANY"
    return found


def cube_meta(product: JwstProduct, grid: CubeGrid, options: Mapping[str, Any]) -> dict[str, Any]:
    """Metadata of a cube that are its own.

    Parameters
    ----------
    product : JwstProduct
        The first of the exposures that it is made of.
    grid : CubeGrid
        Where its voxels are.
    options : mapping of str to object
        Of the step.

    Returns
    -------
    dict
        As below ``meta`` in the data model.
    """
    rows, columns = grid.shape[1:]
    x, y = np.array([-0.5, -0.5, columns - 0.5, columns - 0.5]), np.array([-0.5, rows - 0.5, rows - 0.5, -0.5])
    area = float(np.deg2rad(grid.spaxel / 3600) ** 2)
    photometry = dict(product.meta.get("photometry") or {})
    return {
        "wcsinfo": {"s_region": s_region(np.stack(grid.positions(x, y), axis=1)), "dispersion_direction": 3},
        "photometry": photometry | {"pixelarea_steradians": area, "pixelarea_arcsecsq": grid.spaxel**2},
        "ifu": dict(EXTENSIONS) | {"weighting": str(options["method"])},
    }


def gwcs_of(grid: CubeGrid) -> Any:
    """World coordinates of a cube: x, y, plane to right ascension, declination and wavelength.

    Parameters
    ----------
    grid : CubeGrid
        Of the cube.

    Returns
    -------
    gwcs.WCS
    """
    import gwcs
    from astropy import coordinates
    from astropy import units as u
    from astropy.modeling import models
    from gwcs import coordinate_frames as frames

    side = grid.spaxel / 3600
    sky = (
        models.Shift(-grid.x) & models.Shift(-grid.y)
        | models.AffineTransformation2D(grid.matrix * side)
        | models.Pix2Sky_TAN()
        | models.RotateNative2Celestial(grid.ra, grid.dec, 180)
    )
    wave = models.Scale(grid.step) | models.Shift(grid.wavelength)
    detector = frames.CoordinateFrame(3, ["SPATIAL"] * 3, (0, 1, 2), name="grid", unit=(u.pix,) * 3)
    world = frames.CompositeFrame(
        [
            frames.CelestialFrame(reference_frame=coordinates.ICRS(), axes_order=(0, 1), name="sky"),
            frames.SpectralFrame(axes_order=(2,), unit=(u.um,), name="wavelength"),
        ],
        name="world",
    )
    found = gwcs.WCS([(detector, sky & wave), (world, None)])
    planes, rows, columns = grid.shape
    found.bounding_box = ((-0.5, columns - 0.5), (-0.5, rows - 0.5), (-0.5, planes - 0.5))
    return found


def grid_like(path: str, grid: CubeGrid) -> CubeGrid:
    """The spaxels of another cube with the planes of a grid.

    Parameters
    ----------
    path : str
        The cube, in a tangent plane.
    grid : CubeGrid
        Whose planes are kept.

    Returns
    -------
    CubeGrid

    Raises
    ------
    InputError
        It is no cube, or its spaxels are not squares of a tangent plane.
    """
    product = open_jwst(path)
    header = product.hdu("SCI").values if product.kind == "s3d" else {}
    try:
        sides = {round(float(header[f"CDELT{axis}"]) * 3600, 9) for axis in (1, 2)}
        (spaxel,), angle = sides, float(np.rad2deg(np.arctan2(header["PC1_2"], header["PC2_2"])))
        x, y = (float(header[f"CRPIX{axis}"]) - 1 for axis in (1, 2))
        _planes, rows, columns = product.arrays["data"].shape
        found = replace(grid, ra=float(header["CRVAL1"]), dec=float(header["CRVAL2"]), x=x, y=y, spaxel=spaxel,
                        angle=angle, shape=(grid.shape[0], rows, columns))  # fmt: skip
    except (KeyError, ValueError):
        raise InputError("no cube with square spaxels in a tangent plane", path=path) from None
    matrix = [[float(header.get(f"PC{row}_{column}", 0)) for column in (1, 2)] for row in (1, 2)]
    if not np.allclose(found.matrix, matrix, atol=1e-9):
        raise InputError("its axes are not those of a turned sky", path=path)
    return found
