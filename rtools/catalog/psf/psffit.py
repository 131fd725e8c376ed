"""PSF photometry: position and flux of every source, sources close to each other fitted together.

Sources linked by less than `LINK` pixels are a group; x, y and flux of its members minimise the chi-square of their
5 × 5 pixel regions. The weights of a first fit are the errors of the image; they follow the measured values, which
pulls fluxes low. With ``weights="model"`` a second fit takes the variance that the first one's model has.

Groups of more than `TOGETHER` sources, in crowded fields, are halved by position until no piece has more than `PIECE`.
A piece is fitted with the light of the rest of its group taken away, piece after piece, until nothing moves: memory and
time grow with the number of sources, not with its square or cube. Memory: 10 kB per source of the largest group, or
per `CHUNK` sources and thread.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

__all__ = ["FLAGS", "LINK", "PsfFit", "fit"]

LINK = 5.0
"""Pixels within which sources are linked into groups."""

SIDE = 5
"""Pixels on a side of the region that is fitted."""

PIXELS = SIDE * SIDE

RADIUS = 5.0
"""Pixels: the aperture whose flux the fit starts from."""

TOGETHER = 20
"""Sources of the largest group that is fitted at once."""

PIECE = 10
"""Sources of the largest piece of a larger group."""

NEAR = 12
"""Pixels: light from farther sources of a large group is not taken anew in every sweep."""

FAR_SWEEPS = (0, 2)
"""Sweeps in which it is: when fluxes are first known, and when they are known well."""

CHUNK = 1024
"""Sources a thread takes at a time."""

SWEEPS = 20
"""Times that all pieces of a large group are fitted, at most."""

MOVED = 1e-2
"""A large group is done when no parameter changes by more than this share of its error."""

LOST = 1.5
"""A pixel that has so much more variance per light than those around it has lost resultants."""

FLAGS = {
    "few_pixels": 1,
    "outside": 2,
    "not_positive": 4,
    "not_converged": 8,
    "no_covariance": 16,
    "no_overlap": 64,
    "all_masked": 128,
    "too_few_pixels": 256,
    "no_position": 512,
    "no_flux": 1024,
}


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


def fit(data, err, mask, x, y, *, psf, weights="model", var_poisson=None, background=None, threads=1):
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
    threads : int
        The result does not depend on them.

    Returns
    -------
    PsfFit
    """
    from rtools.catalog.psf.neighbours import friends

    if weights not in ("model", "err"):
        raise ValueError(f"weights are model or err, not {weights!r}")
    x, y = (np.asarray(values, float) for values in (x, y))
    image = _Image(data, err, mask, var_poisson if weights == "model" else None, background)
    table = _Table(x, y)
    found = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    table.flags[~(np.isfinite(x) & np.isfinite(y))] |= FLAGS["few_pixels"]
    if found.size:
        _fit_chunks(image, table, _chunks(found, friends(x[found], y[found], LINK)), psf, threads)
    return table.finished(np.shape(data))


class _Table:
    """Start values and results of all sources."""

    def __init__(self, x, y):
        self.fitted = np.full((x.size, 3), np.nan)
        self.errors = np.full((x.size, 4), np.nan)  # of x, y, flux; covariance of x and y
        self.gof = np.full(x.size, np.nan)
        self.flags = np.zeros(x.size, np.int32)
        self.x, self.y = x, y

    def finished(self, shape):
        """The `PsfFit`, with the flags that follow from the values."""
        (x, y, flux), (x_err, y_err, flux_err, xy_cov) = self.fitted.T, self.errors.T
        flags = self.flags
        outside = (x < -0.5) | (y < -0.5) | (x > shape[1] - 0.5) | (y > shape[0] - 0.5)
        flags[outside] |= FLAGS["outside"]
        flags[flux <= 0] |= FLAGS["not_positive"]
        flags[~np.isfinite(x_err)] |= FLAGS["no_covariance"]
        flags[~(np.isfinite(x) & np.isfinite(y))] |= FLAGS["no_position"]
        flags[~np.isfinite(flux)] |= FLAGS["no_flux"]
        values = (np.ascontiguousarray(column) for column in (x, x_err, y, y_err, flux, flux_err, xy_cov))
        return PsfFit(*values, flags, self.gof)


class _Image:
    """The image as the regions of sources are cut from it."""

    def __init__(self, data, err, mask, var_poisson, background):
        self.data, self.err, self.mask = np.asarray(data), np.asarray(err), mask
        self.photons = None if var_poisson is None else np.asarray(var_poisson)
        self.background = background

    def cut(self, x, y, size):
        """Rows and columns (clipped to the image) of squares whose first pixels are given, and which are usable."""
        rows = y[:, None] + np.arange(size * size) // size
        columns = x[:, None] + np.arange(size * size) % size
        ny, nx = self.data.shape
        usable = (rows >= 0) & (rows < ny) & (columns >= 0) & (columns < nx)
        place = np.clip(rows, 0, ny - 1), np.clip(columns, 0, nx - 1)
        if self.mask is not None:
            usable &= ~self.mask[place]
        err = self.err[place]
        usable &= np.isfinite(self.data[place]) & np.isfinite(err) & (err > 0)
        return place, usable

    def regions(self, corners):
        """Data and variance (inf where unusable) of the regions, float64 (n, 25)."""
        place, usable = self.cut(*corners.T, SIDE)
        data = np.where(usable, self.data[place], 0).astype(float)
        variance = np.where(usable, self.err[place].astype(float) ** 2, np.inf)
        return data, variance

    def noise(self, corners, data, variance):
        """Variance that is not of the light, background, variance per unit of light; float64 (n, 25).

        The last is one value for the region, so that it does not follow the noise of the pixels, but for pixels that
        clearly have more of it: there resultants were lost.
        """
        place, usable = self.cut(*corners.T, SIDE)
        photons = np.where(usable, self.photons[place], 0).astype(float)
        photons = np.where(np.isfinite(photons), np.clip(photons, 0, None), 0)
        level = np.zeros(data.shape)
        if self.background is not None:
            given = np.asarray(self.background)
            level = np.where(usable, given if given.ndim == 0 else given[place], 0).astype(float)
        light = data + level
        some = usable & (light > 0) & (photons > 0)
        with np.errstate(invalid="ignore", divide="ignore"):
            each = np.where(some, photons / light, np.nan)
        typical = _median(each)
        clear = some & (light > 5 * np.sqrt(np.where(usable, variance, 1))) & (each > LOST * typical[:, None])
        per_light = np.where(clear, each, typical[:, None])
        dark = np.where(usable, np.clip(variance - photons, 0, None), np.inf)
        return dark, level, per_light

    def aperture(self, x, y):
        """Flux within `RADIUS` of positions."""
        reach = int(RADIUS) + 1
        left, low = (np.floor(value + 0.5).astype(np.int64) - reach for value in (x, y))
        place, usable = self.cut(left, low, 2 * reach + 1)
        index = np.arange((2 * reach + 1) ** 2)
        dx = left[:, None] + index % (2 * reach + 1) - x[:, None]
        dy = low[:, None] + index // (2 * reach + 1) - y[:, None]
        share = np.clip(RADIUS + 0.5 - np.hypot(dx, dy), 0, 1)
        return np.where(usable, share * self.data[place], 0).sum(axis=1, dtype=float)


def _median(values):
    """Median of each row without its NaN; 0 for a row that has nothing else."""
    ordered = np.sort(values, axis=1)
    count = np.isfinite(values).sum(axis=1)
    row = np.arange(len(values))
    middle = (ordered[row, np.maximum(count - 1, 0) // 2] + ordered[row, np.maximum(count, 1) // 2]) / 2
    return np.where(count > 0, middle, 0)


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


def _fit_chunks(image, table, chunks, psf, threads):
    from rtools.catalog.psf._psffit_kernels import PAD

    splines = np.pad(psf.splines, ((0, 0), (PAD, PAD), (PAD, PAD)), mode="reflect")
    model = (np.ascontiguousarray(splines), psf.oversample)

    def run(chunk):
        _fit_chunk(image, table, chunk, psf, model)

    if threads == 1 or len(chunks) == 1:
        for chunk in chunks:
            run(chunk)
        return
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(run, chunks))


def _fit_chunk(image, table, chunk, psf, model):
    """Fit some groups, and write their rows of the table."""
    members, starts = chunk
    x, y = table.x[members], table.y[members]
    ny, nx = image.data.shape
    # Far outside the image a position may be larger than an index can be.
    corners = np.stack([np.clip(np.ceil(x - 2.5), -9, nx + 9), np.clip(np.ceil(y - 2.5), -9, ny + 9)], -1)
    corners = corners.astype(np.int64)
    data, variance = image.regions(corners)
    count = np.isfinite(variance).sum(axis=1)
    fits = count >= 3
    table.flags[members] |= _unfit(corners, count, (nx, ny))
    group = np.repeat(np.arange(starts.size - 1), np.diff(starts))[fits]
    members, corners = members[fits], corners[fits]
    if not members.size:
        return
    fitted = np.stack([x[fits], y[fits], image.aperture(x[fits], y[fits])], -1)
    job = _Job(data[fits], variance[fits], (corners, psf.weights(x[fits], y[fits])), fitted, model)
    starts = np.concatenate([[0], np.flatnonzero(np.diff(group)) + 1, [members.size]])
    _run(job, starts, psf, once=image.photons is not None)
    if image.photons is not None:
        job.photons = image.noise(corners, job.data, job.variance)
        _run(job, starts, psf, once=True)
    table.fitted[members], table.errors[members], table.gof[members] = job.fitted, job.errors, job.gof
    table.flags[members] |= job.flags


def _unfit(corners, count, size):
    """Flags of regions by their number of usable pixels."""
    flags = np.where(count < PIXELS, FLAGS["few_pixels"], 0).astype(np.int32)
    away = ((corners <= -SIDE) | (corners >= np.array(size))).any(axis=1)
    flags[away] |= FLAGS["no_overlap"]
    flags[~away & (count == 0)] |= FLAGS["all_masked"]
    flags[(count > 0) & (count < 3)] |= FLAGS["too_few_pixels"]
    return flags


class _Job:
    """The sources of a chunk as the kernels take them."""

    def __init__(self, data, variance, sources, fitted, model):
        self.data, self.variance, self.fitted, self.model = data, variance, fitted, model
        self.sources = sources
        self.others = np.zeros_like(data)
        self.errors, self.gof = np.full((len(fitted), 4), np.nan), np.full(len(fitted), np.nan)
        self.flags = np.zeros(len(fitted), np.int32)
        self.photons = None

    def fit(self, order, starts, once):
        """Fit pieces: sources, and the first of each piece."""
        from rtools.catalog.psf import _psffit_kernels as kernels

        images = self.data, self.others, self.variance
        results = self.errors, self.gof, self.flags
        kernels.fit_pieces(order, starts, images, self.model, self.sources, self.fitted, results, once)

    def take_model_variance(self, order, starts):
        """Variance of the pieces from their fit."""
        from rtools.catalog.psf import _psffit_kernels as kernels

        out = self.variance.copy()
        images = self.data, self.others, self.variance
        kernels.model_variance(order, starts, images, self.model, self.sources, self.fitted, self.photons, out)
        self.variance = out

    def light_of_others(self, pieces, group, envelope, rings, out):
        """Light of the rest of a group in the regions of a piece, from sources at some distances."""
        from rtools.catalog.psf import _psffit_kernels as kernels

        images = self.data, self.others, self.variance
        kernels.light_of_others(pieces, group, images, self.model, self.sources, self.fitted, envelope, rings, out)


def _run(job, starts, psf, *, once):
    """Fit the groups of a chunk with the variance that it has, or with that of the model if it knows the photons."""
    every = np.arange(starts[-1])
    sizes = np.diff(starts)
    small = np.repeat(sizes <= TOGETHER, sizes)
    if small.any():
        bounds = np.concatenate([[0], np.cumsum(sizes[sizes <= TOGETHER])])
        if job.photons is not None:
            job.take_model_variance(every[small], bounds)
        job.fit(every[small], bounds, once)
    for g in np.flatnonzero(sizes > TOGETHER):
        _run_large(job, every[starts[g] : starts[g + 1]], psf, once=once)


def _run_large(job, group, psf, *, once):
    """Fit a large group piece by piece, bright and faint light of the others taken away as it is known."""
    pieces = _halves(job.sources[0], group)
    piece_of = np.full(len(job.fitted), -1)
    for number, piece in enumerate(pieces):
        piece_of[piece] = number
    by_x = group[np.argsort(job.sources[0][group, 0], kind="stable")]
    envelope, far = psf.envelope, np.zeros_like(job.others)
    first = job.photons is None
    if first:
        # The aperture holds the neighbours' light; the middle pixel has less of it.
        middle = job.data[group, PIXELS // 2] / psf.peak
        job.fitted[group, 2] = np.where(middle > 0, middle, job.fitted[group, 2])

    def take_others(piece):
        job.light_of_others((piece, piece_of), by_x, envelope, (0, NEAR), job.others)
        job.others[piece] += far[piece]

    for sweep in range(SWEEPS):
        if sweep in (FAR_SWEEPS if first else FAR_SWEEPS[:1]):
            for piece in pieces:
                job.light_of_others((piece, piece_of), by_x, envelope, (NEAR, envelope.size + SIDE), far)
        if sweep == 0 and not first:
            for piece in pieces:
                take_others(piece)
                job.take_model_variance(piece, np.array([0, piece.size]))
        before = job.fitted[group]
        for piece in pieces:
            take_others(piece)
            job.fit(piece, np.array([0, piece.size]), once)
        moved = np.abs(job.fitted[group] - before) > MOVED * job.errors[group, :3]
        if not moved.any():
            return
    job.flags[group[moved.any(axis=1)]] |= FLAGS["not_converged"]


def _halves(corners, group):
    """The group cut across its longer side into halves, and these again, until none has more than `PIECE`."""
    if group.size <= PIECE:
        return [group]
    axis = np.argmax(np.ptp(corners[group], axis=0))
    order = group[np.argsort(corners[group, axis], kind="stable")]
    return _halves(corners, order[: order.size // 2]) + _halves(corners, order[order.size // 2 :])
