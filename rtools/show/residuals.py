"""By how much the stars of an image differ from a reference catalog: what is left after an alignment."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rtools.astrometry import refcat
from rtools.errors import InputError, UsageError, about
from rtools.products.edit.section import origin_of
from rtools.products.refcat.files import read as read_stars
from rtools.products.tables.files import read_catalog
from rtools.products.tables.positions import read_positions
from rtools.show.arrows import draw_arrows
from rtools.show.beside import file_beside
from rtools.show.columns import column_values
from rtools.show.overlay import classes_of, compass
from rtools.wfi import DEGREE_ARCSEC, positions_of, separation, unit_vectors
from rtools.wfi.metadata import middle_mjd
from rtools.wfi.sphere_pairs import mutual_pairs
from rtools.work.statistics import MAD_TO_SIGMA

if TYPE_CHECKING:
    from astropy.table import Table

    from rtools.products.io.face import ProductFace

__all__ = ["StarResiduals", "draw_residuals", "load_residuals"]

RADIUS = 0.3
"""arcsec between a source and its star, at most: what is left after an alignment is much less."""

MATCHES = ("x", "y", "x_residual", "y_residual")
"""Columns of the table of matches that an alignment writes (rt-tweakreg --matches)."""

CATALOGS = ("cat.parquet", "cat.ecsv")
"""Endings of the catalog of an image."""


class StarResiduals(NamedTuple):
    """Differences of stars from a reference catalog.

    Attributes
    ----------
    places : ndarray float64 (n, 2)
        x and y of sources in pixels of the file.
    moves : ndarray float64 (n, 2)
        Reference minus source along x and y, mas.
    """

    places: np.ndarray
    moves: np.ndarray

    @property
    def note(self) -> str:
        """Number, median and robust scatter in words."""
        middle = np.median(self.moves, axis=0)
        scatter = MAD_TO_SIGMA * np.median(abs(self.moves - middle), axis=0)
        return (f"{len(self.moves)} stars, reference - image: median {middle[0]:.1f}, {middle[1]:.1f} mas in x, y; "
                f"scatter {scatter[0]:.1f}, {scatter[1]:.1f} mas")  # fmt: skip


def load_residuals(path: str, product: ProductFace, wcs: Any, catalog: str | None) -> StarResiduals:
    """Compare the sources of an image with a reference catalog.

    Parameters
    ----------
    path : str
        A reference catalog, or the table of matches that an alignment wrote.
    product : rtools.products.io.ProductFace
        The image.
    wcs : gwcs.WCS or None
        Its world coordinates, where it has any.
    catalog : str or None
        Its sources; by default those of the ``_cat`` beside it. Only points without flags are compared.

    Returns
    -------
    StarResiduals

    Raises
    ------
    InputError
        The image has no world coordinates, there is no catalog, or no source of it has a star.
    """
    if wcs is None:
        raise InputError("has no world coordinates for --residuals", mend="give --wcs FILE", path=product.path)
    table = read_catalog(path) if Path(path).is_file() else None  # not a tree of files, nor the archive
    if table is not None and set(MATCHES) <= set(table.colnames):
        found = _of_matches(table, product, wcs)
    else:
        found = _of_stars(path, product, wcs, catalog)
    known = np.isfinite(found.places).all(axis=1) & np.isfinite(found.moves).all(axis=1)
    if not known.any():
        raise InputError(f"no star of it is within {RADIUS} arcsec of a source of the image", path=path)
    return StarResiduals(found.places[known], found.moves[known])


def _of_matches(table: Table, product, wcs):
    """Rows that were used in the fit, of this image where the table is of several."""
    if "fitted" in table.colnames:
        table = table[column_values(table, "fitted") == 1]
    if "image" in table.colnames and len(set(table["image"])) > 1:
        table = table[np.array([Path(str(name)).name == Path(product.path).name for name in table["image"]], bool)]
    x, y, east, north = (column_values(table, name) for name in MATCHES)
    places = np.stack([x, y], axis=1) - np.array(origin_of(product))
    if not len(places):
        return StarResiduals(places, places)
    to_north, to_east, _scale = compass(wcs, *np.median(places, axis=0))
    return StarResiduals(places, np.outer(east, to_east) + np.outer(north, to_north))


def _of_stars(path, product, wcs, catalog):
    """Sources and stars that are nearest to each other, the stars where they were at the exposure."""
    own = catalog or next(filter(None, (file_beside(product, ending) for ending in CATALOGS)), None)
    if own is None:
        raise UsageError("--residuals needs the sources of the image", mend="give --catalog FILE", path=product.path)
    sources = read_catalog(own)
    with about(own):
        ra, dec, _columns = read_positions(sources)
    classes = classes_of(sources)
    if classes is not None:
        ra = np.where(classes == 0, ra, np.nan)
    stars = refcat.from_table(read_stars(path, _cone(ra, dec)))
    moment = middle_mjd(product.meta)
    there = refcat.propagate(stars, float(refcat.julian_year(moment))) if np.isfinite(moment) else stars
    pairs = mutual_pairs(ra, dec, there.ra, there.dec, radius=RADIUS)
    own_places, places = (
        np.stack(wcs.invert(*where, with_bounding_box=False), axis=1)
        for where in ((ra[pairs.first], dec[pairs.first]), (there.ra[pairs.second], there.dec[pairs.second]))
    )
    if not len(places):
        return StarResiduals(places, places)
    scale = compass(wcs, *np.median(own_places, axis=0))[2]
    return StarResiduals(own_places, 1000 * scale * (places - own_places))


def _cone(ra, dec):
    """Right ascension, declination and radius of a circle around sources, degrees."""
    known = np.isfinite(ra) & np.isfinite(dec)
    if not known.any():
        return 0.0, 0.0, 0.0
    middle = tuple(map(float, positions_of(unit_vectors(ra[known], dec[known]).mean(axis=0))))
    return *middle, float(separation(ra[known], dec[known], *middle).max() + 10 * RADIUS / DEGREE_ARCSEC)


def draw_residuals(axes: Any, found: StarResiduals) -> None:
    """Draw residuals on an image.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Those of the image.
    found : StarResiduals
        As `load_residuals` gives them.
    """
    draw_arrows(axes, found.places, found.moves, "mas", "#40ff40")
    axes.annotate(found.note, (0, -0.085), xycoords="axes fraction", fontsize=8, color="0.2", va="top")
