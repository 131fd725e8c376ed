"""PSF photometry: position and flux of every source, sources close to each other fitted together.

Sources linked by less than `LINK` pixels are a group; x, y and flux of its members minimise the chi-square of their
5 × 5 pixel regions. The weights of a first fit are the errors of the image; they follow the measured values, which
pulls fluxes low. With ``weights="model"`` a second fit takes the variance that the first one's model has.

Places within `SAME` pixels of each other are one source: it is fitted once, and each place has its numbers and a flag.

Large groups are fitted piece by piece (`rtools.catalog.psf.groupfit`). Memory: 10 kB per source of the largest group,
or per `CHUNK` sources and thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rtools.catalog.psf._psffit_work import FLAGS, PAD, PIXELS, SIDE, PsfModel, RegionPixels
from rtools.catalog.psf.groupfit import ChunkFit, fit_groups
from rtools.catalog.psf.regions import StarImage
from rtools.work import ALONE, Work

if TYPE_CHECKING:
    from rtools.reference.epsf import Psf

__all__ = ["FLAGS", "LINK", "PsfFit", "fit"]

LINK = 5.0
"""Pixels within which sources are linked into groups."""

SAME = 0.1
"""Pixels within which places are one source: their fluxes could not be told apart, so one is fitted for all."""

CHUNK = 1024
"""Sources a thread takes at a time."""


class PsfFit(NamedTuple):
    """Results, one value per source; NaN where a source could not be fitted.

    Attributes
    ----------
    x, x_err, y, y_err : ndarray float64
        Pixels.
    flux, flux_err : ndarray float64
        Of the whole PSF, in units of the data.
    xy_cov : ndarray float64
        Covariance of x and y, pixels².
    flags : ndarray int32
        Sum of `FLAGS`.
    gof : ndarray float64
        Reduced chi-square of the source's own region.
    """

    x: np.ndarray
    x_err: np.ndarray
    y: np.ndarray
    y_err: np.ndarray
    flux: np.ndarray
    flux_err: np.ndarray
    xy_cov: np.ndarray
    flags: np.ndarray
    gof: np.ndarray


def fit(
    data: np.ndarray,
    err: np.ndarray,
    mask: np.ndarray | None,
    x: np.ndarray,
    y: np.ndarray,
    *,
    psf: Psf,
    weights: str = "model",
    var_poisson: np.ndarray | None = None,
    background: np.ndarray | float | None = None,
    level: np.ndarray | None = None,
    fixed: bool = False,
    work: Work = ALONE,
) -> PsfFit:
    """Fit the PSF to sources.

    Parameters
    ----------
    data, err : ndarray (ny, nx)
        Background-subtracted image and its error, same unit.
    mask : ndarray bool or None
        Pixels that are not used; neither are those without a finite value and a positive, finite error.
    x, y : ndarray (n,)
        Start positions, 0-based pixels; regions are centred on the pixels they fall in.
    psf : rtools.reference.epsf.Psf
        Its stamps are mixed for the start position, which the fit leaves by a fraction of a pixel.
    weights : {"model", "err"}
        With or without the second fit. Without `var_poisson` there is none.
    var_poisson : ndarray (ny, nx), optional
        Part of err² that is photon noise.
    background : ndarray (ny, nx) or float, optional
        All light that was subtracted from the data and whose photons `var_poisson` has.
    level : ndarray (n,), optional
        Background that the data still have about each source; it is subtracted from the source's region.
    fixed : bool
        Fluxes alone are fitted: sources stay at their start positions, whose errors are 0.
    work : rtools.work.Work
        The result does not depend on its threads.

    Returns
    -------
    PsfFit
        One value per source, in the order of the start positions. Sources that coincide have the numbers of the first
        of them, and the flag ``shared``.

    Raises
    ------
    ValueError
        `weights` is neither of the two words.
    """
    from rtools.catalog.psf.neighbours import friends

    if weights not in ("model", "err"):
        raise ValueError(f"weights are model or err, not {weights!r}")
    x, y = (np.asarray(values, float) for values in (x, y))
    image = StarImage(data, err, mask, var_poisson if weights == "model" else None, background)
    table = _Table(x, y, np.zeros(x.size) if level is None else np.nan_to_num(np.asarray(level, float)), fixed)
    found = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    table.flags[~(np.isfinite(x) & np.isfinite(y))] |= FLAGS["few_pixels"]
    if found.size:
        alone, leaders = _leaders(found, friends(x[found], y[found], SAME))
        _fit_chunks(image, table, _chunks(alone, friends(x[alone], y[alone], LINK)), psf, work)
        table.share(found, leaders)
    return table.finished(np.shape(data))


def _leaders(found, groups):
    """The sources that are fitted, the first of each group of places that coincide; and for each place that source."""
    _groups, first, group = np.unique(groups, return_index=True, return_inverse=True)
    return found[np.sort(first)], found[first[group]]


class _Table:
    """Start values and results of all sources."""

    def __init__(self, x, y, level, fixed):
        self.fitted = np.full((x.size, 3), np.nan)
        self.errors = np.full((x.size, 4), np.nan)  # of x, y, flux; covariance of x and y
        self.gof = np.full(x.size, np.nan)
        self.flags = np.zeros(x.size, np.int32)
        self.x, self.y, self.level, self.fixed = x, y, level, fixed

    def share(self, found, leaders):
        """Give places that coincide with another the results of that one, and flag them both."""
        twins = found != leaders
        for values in (self.fitted, self.errors, self.gof, self.flags):
            values[found[twins]] = values[leaders[twins]]
        self.flags[np.concatenate([found[twins], leaders[twins]])] |= FLAGS["shared"]

    def finished(self, shape):
        """The `PsfFit`, with the flags that follow from the values."""
        x, y, flux = map(np.ascontiguousarray, self.fitted.T)
        x_err, y_err, flux_err, xy_cov = map(np.ascontiguousarray, self.errors.T)
        flags = self.flags
        outside = (x < -0.5) | (y < -0.5) | (x > shape[1] - 0.5) | (y > shape[0] - 0.5)
        flags[outside] |= FLAGS["outside"]
        flags[flux <= 0] |= FLAGS["not_positive"]
        flags[~np.isfinite(x_err)] |= FLAGS["no_covariance"]
        flags[~(np.isfinite(x) & np.isfinite(y))] |= FLAGS["no_position"]
        flags[~np.isfinite(flux)] |= FLAGS["no_flux"]
        return PsfFit(x, x_err, y, y_err, flux, flux_err, xy_cov, flags, self.gof)


def _chunks(found, groups):
    """Sources in the order of their groups, cut between groups: list of (sources, first of each group and the end)."""
    order = np.argsort(groups, kind="stable")
    sizes = np.unique(groups, return_counts=True)[1]
    chunks, begin, starts = [], 0, [0]
    for size in sizes.tolist():
        if starts[-1] and starts[-1] + size > CHUNK:
            chunks.append((found[order[begin : begin + starts[-1]]], np.array(starts)))
            begin, starts = begin + starts[-1], [0]
        starts.append(starts[-1] + size)
    chunks.append((found[order[begin:]], np.array(starts)))
    return chunks


def _fit_chunks(image, table, chunks, psf, work):
    splines = np.pad(psf.splines, ((0, 0), (PAD, PAD), (PAD, PAD)), mode="reflect")
    splines = np.ascontiguousarray(splines)

    with work.progress("PSF fit", sum(len(members) for members, _starts in chunks)) as progress:

        def run(chunk):
            _fit_chunk(image, table, chunk, psf, splines)
            progress.advance(len(chunk[0]))

        work.map(run, chunks)


def _fit_chunk(image, table, chunk, psf, splines):
    """Fit some groups, and write their rows of the table."""
    members, starts = chunk
    x, y, level = table.x[members], table.y[members], table.level[members]
    ny, nx = image.data.shape
    # Far outside the image a position may be larger than an index can be.
    corners = np.stack([np.clip(np.ceil(x - 2.5), -9, nx + 9), np.clip(np.ceil(y - 2.5), -9, ny + 9)], -1)
    corners = corners.astype(np.int64)
    data, variance = image.regions(corners, level)
    count = np.isfinite(variance).sum(axis=1)
    fits = count >= 3
    table.flags[members] |= _unfit(corners, count, (nx, ny))
    group = np.repeat(np.arange(starts.size - 1), np.diff(starts))[fits]
    members, corners, level = members[fits], corners[fits], level[fits]
    if not members.size:
        return
    start = np.stack([x[fits], y[fits], image.aperture(x[fits], y[fits], level)], -1)
    model = PsfModel(splines, psf.oversample, corners, psf.weights(x[fits], y[fits]))
    fit = ChunkFit(RegionPixels(data[fits], np.zeros_like(data[fits]), variance[fits]), model, start, fixed=table.fixed)
    starts = np.concatenate([[0], np.flatnonzero(np.diff(group)) + 1, [members.size]])
    fit_groups(fit, starts, psf, once=image.photons is not None)
    if image.photons is not None:
        fit.noise = image.noise(corners, level, fit.regions.data, fit.regions.variance)
        fit_groups(fit, starts, psf, once=True)
    stars = fit.stars
    table.fitted[members], table.errors[members], table.gof[members] = stars.values, stars.errors, stars.gof
    table.flags[members] |= stars.flags


def _unfit(corners, count, size):
    """Flags of regions by their number of usable pixels."""
    flags = np.where(count < PIXELS, FLAGS["few_pixels"], 0).astype(np.int32)
    away = ((corners <= -SIDE) | (corners >= np.array(size))).any(axis=1)
    flags[away] |= FLAGS["no_overlap"]
    flags[~away & (count == 0)] |= FLAGS["all_masked"]
    flags[(count > 0) & (count < 3)] |= FLAGS["too_few_pixels"]
    return flags
