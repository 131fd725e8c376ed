"""The sky of one exposure, reduced to clipped medians in small cells that are the same for all exposures.

The cells are those of HEALPix (Górski et al. 2005, ApJ 622, 759), some 6.4 arcsec wide (60 pixels of a detector), so
that no exposure needs to know of the others. Sources are left out.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from rtools.mosaic.sky.statistics import DEFAULT, SkyStatistic, sky_value
from rtools.wfi.instrument import PIXEL_SCALE_ARCSEC
from rtools.wfi.sphere import to_plane
from rtools.wfi.units import DEGREE_ARCSEC
from rtools.work import ALONE, Work

__all__ = ["NSIDE", "SkyCells", "good_values", "nside_for", "pixel_finder", "sky_cells", "source_blocks"]

NSIDE = 1 << 15
"""Of the cells: 6.44 arcsec."""

PIXEL = PIXEL_SCALE_ARCSEC / DEGREE_ARCSEC
"""Degrees: the pixels for which these cells are 60 wide."""

SPACING = 24
"""Cells are looked for at every so many pixels; none is narrower, and shreds may be missed."""

LEAST = 64
"""Cells with fewer pixels are left out."""

DEGREE = 5
"""Of the polynomials from the sky to pixels; they miss by some 0.01 pixel."""

NODES = 32
"""Points on each side of the image to which they are fitted."""

TILE = 16
"""Blocks on each side of the tiles in which level and noise are estimated for finding sources."""

BRIGHT = 3.0
"""A source is where the mean of a block is so many standard deviations (of block means) above the level."""

CHUNK = 256
"""Cells, or rows of blocks, that a thread takes at a time."""


class SkyCells(NamedTuple):
    """The sky of one exposure.

    Attributes
    ----------
    cells : ndarray int64 (n,)
        HEALPix numbers (nested, of the `nside` asked for), ascending.
    level : ndarray float64 (n,)
        The statistic, in units of the data.
    spread : ndarray float64 (n,)
        Standard deviation of the pixels.
    count : ndarray int64 (n,)
        Pixels after clipping.
    whole : float
        The statistic of all good pixels; NaN if not asked for, or without any.
    """

    cells: np.ndarray
    level: np.ndarray
    spread: np.ndarray
    count: np.ndarray  # type: ignore[assignment]  # hides tuple.count, which nobody wants of it
    whole: float


def sky_cells(
    data: np.ndarray,
    good: np.ndarray,
    to_sky: Callable[..., Any],
    *,
    statistic: SkyStatistic = DEFAULT,
    mask_sources: bool = True,
    whole: bool = False,
    nside: int = NSIDE,
    work: Work = ALONE,
) -> SkyCells:
    """Reduce an exposure, or a mosaic, to its sky in cells.

    Parameters
    ----------
    data : ndarray float32 (ny, nx)
        Surface brightness, or any linear measure of it.
    good : ndarray bool (ny, nx)
        Pixels to be used. Those that are not finite are not.
    to_sky : callable
        x, y in pixels to right ascension and declination in degrees, also half a pixel outside the image.
    statistic : rtools.mosaic.sky.statistics.SkyStatistic
        Which statistic of the pixels of a cell.
    mask_sources : bool
        Leave out blocks of pixels that are brighter than their surroundings.
    whole : bool
        Also the statistic of the whole image, which the methods other than ``match`` need.
    nside : int
        Of the cells; one for all exposures that are compared.
    work : rtools.work.Work
        The result does not depend on its threads.

    Returns
    -------
    SkyCells
    """
    from rtools.mosaic.sky._sky_kernels import SkyPixels, cell_statistics

    data, good = np.ascontiguousarray(data, np.float32), np.ascontiguousarray(good, bool)
    places = work.submit(_cells_of, to_sky, data.shape, nside)
    sources = source_blocks(data, good, work) if mask_sources else _blocks(data.shape, bool)
    cells, corners = places.result()
    found = np.empty((len(cells), 3))
    arguments = statistic.arguments()

    def measure(first):
        part = slice(first, first + CHUNK)
        cell_statistics(SkyPixels(data, good, sources), corners[part], arguments, found[part])

    work.map(measure, range(0, len(cells), CHUNK))
    level = sky_value(good_values(data, good, sources), statistic).value if whole else np.nan
    enough = (found[:, 1] >= LEAST) & np.isfinite(found[:, 2])
    value, count, spread = found[enough].T
    return SkyCells(cells[enough], value.copy(), spread.copy(), count.astype(np.int64), float(level))


def nside_for(scale: float) -> int:
    """HEALPix resolution of cells that are some 60 pixels wide.

    Parameters
    ----------
    scale : float
        Pixel scale, degrees.

    Returns
    -------
    int
        `NSIDE` times a power of two: cells of 42 to 84 pixels.
    """
    return int(NSIDE * 2.0 ** round(float(np.log2(PIXEL / scale))))


def good_values(data: np.ndarray, good: np.ndarray, sources: np.ndarray | None = None) -> np.ndarray:
    """The values of the good pixels that are in no block with sources.

    Parameters
    ----------
    data : ndarray float32 (ny, nx)
        The image.
    good : ndarray bool (ny, nx)
        Pixels to be used.
    sources : ndarray bool, optional
        As `source_blocks` gives them; none by default.

    Returns
    -------
    ndarray float32
        In the order of the image, (n,).
    """
    from rtools.mosaic.sky._sky_kernels import SkyPixels, gather_good

    values = np.empty(data.size, np.float32)
    sources = _blocks(data.shape, bool) if sources is None else sources
    return values[: gather_good(SkyPixels(data, good, sources), values)]


def _blocks(shape, dtype):
    from rtools.mosaic.sky._sky_kernels import BLOCK

    return np.zeros(tuple(-(-side // BLOCK) for side in shape), dtype)


def source_blocks(data: np.ndarray, good: np.ndarray, work: Work = ALONE) -> np.ndarray:
    """Blocks of pixels with sources, and the blocks round them.

    Parameters
    ----------
    data : ndarray float32 (ny, nx)
        The image.
    good : ndarray bool (ny, nx)
        Pixels to be used.
    work : rtools.work.Work
        Its threads share the rows.

    Returns
    -------
    ndarray bool
        One element for each 4 x 4 pixels.
    """
    from rtools.mosaic.sky._sky_kernels import BLOCK, bin_blocks, noise_of_tiles

    blocks = _blocks(data.shape, np.float32)
    level = np.empty(tuple(-(-side // TILE) for side in blocks.shape))
    sigma = np.empty_like(level)
    tiles = CHUNK // BLOCK // TILE

    def look(first):
        part = slice(first * TILE, (first + tiles) * TILE)
        pixels = slice(part.start * BLOCK, part.stop * BLOCK)
        bin_blocks(data[pixels], good[pixels], blocks[part])
        noise_of_tiles(blocks[part], TILE, level[first : first + tiles], sigma[first : first + tiles])

    work.map(look, range(0, len(level), tiles))
    limit = _smooth(level) + BRIGHT * _smooth(sigma)
    limit = np.repeat(np.repeat(limit, TILE, axis=0), TILE, axis=1)[: blocks.shape[0], : blocks.shape[1]]
    return _grown(blocks > limit)


def _smooth(tiles):
    """Median of each 3 x 3 neighbourhood, of what it has; NaN where it has nothing."""
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(tiles, 1, constant_values=np.nan), (3, 3))
    ordered = np.sort(windows.reshape(*tiles.shape, 9), axis=2)
    n = np.count_nonzero(np.isfinite(ordered), axis=2)
    low, high = np.maximum(n - 1, 0) // 2, np.minimum(n // 2, 8)
    return (_pick(ordered, low) + _pick(ordered, high)) / 2


def _pick(ordered, rank):
    return np.take_along_axis(ordered, rank[..., None], axis=2)[..., 0]


def _grown(marked):
    """Marked elements and their eight neighbours."""
    tall = marked.copy()
    tall[1:] |= marked[:-1]
    tall[:-1] |= marked[1:]
    wide = tall.copy()
    wide[:, 1:] |= tall[:, :-1]
    wide[:, :-1] |= tall[:, 1:]
    return wide


def _cells_of(to_sky, shape, nside):
    """The cells that an image covers, and their corners in its pixels: (n,) and (n, 4, 2)."""
    from astropy import units
    from astropy_healpix import HEALPix

    grid = HEALPix(nside, order="nested")
    ra, dec = to_sky(*_nodes(shape, SPACING))
    cells = np.unique(grid.lonlat_to_healpix(ra * units.deg, dec * units.deg))
    corners = [angle.to_value(units.deg) for angle in grid.boundaries_lonlat(cells, 1)]
    return cells, np.stack(pixel_finder(to_sky, shape)(*corners), axis=-1)


def _nodes(shape, spacing):
    """Pixel coordinates x, y all over an image, its outer edges included, at most `spacing` pixels apart."""
    y, x = (np.linspace(-0.5, side - 0.5, max(DEGREE + 2, -(-side // spacing) + 1)) for side in shape)
    return tuple(axis.ravel() for axis in np.meshgrid(x, y))


def pixel_finder(to_sky: Callable[..., Any], shape: Sequence[int]) -> Callable[..., Any]:
    """The inverse of a WCS on and around an image, by polynomials in the tangent plane at its centre.

    Parameters
    ----------
    to_sky : callable
        x, y in pixels to right ascension and declination in degrees.
    shape : tuple of int
        (rows, columns).

    Returns
    -------
    callable
        Right ascension and declination in degrees (arrays) to x, y in pixels; good to 0.01 pixel.
    """
    nodes = _nodes(shape, max(1, max(shape) // NODES))
    crval = to_sky((shape[1] - 1) / 2, (shape[0] - 1) / 2)
    ra, dec = to_sky(*nodes)
    places = np.stack(to_plane(ra, dec, crval), axis=-1)
    reach = np.abs(places).max()
    powers = [(i, j) for i in range(DEGREE + 1) for j in range(DEGREE + 1 - i)]

    def terms(places):
        first, second = np.moveaxis(places / reach, -1, 0)
        return np.stack([first**i * second**j for i, j in powers], axis=-1)

    coefficients = np.linalg.lstsq(terms(places), np.stack(nodes, axis=1), rcond=None)[0]
    return lambda ra, dec: tuple(np.moveaxis(terms(np.stack(to_plane(ra, dec, crval), axis=-1)) @ coefficients, -1, 0))
