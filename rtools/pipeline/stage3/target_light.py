"""The target of a series of images, block by block: where it is, its light in a circle and about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from rtools.pipeline.stage3.series_files import ImageSeries, SeriesBlock
from rtools.timeseries.centroids import GaussianFits, box_about, centre_of_mass, fit_gaussians
from rtools.timeseries.photometry import SeriesLight, TargetApertures, filled_sums, light_of_all, light_of_series
from rtools.work import Work

__all__ = ["TargetPlaces", "columns_of_all", "columns_of_target", "find_target"]


class TargetPlaces(NamedTuple):
    """Where the target is in each integration.

    Attributes
    ----------
    x, y : ndarray of float64
        Middle of the circle, pixels from 0.
    found : ndarray of float64 (integrations, 2) or None
        Where it was found; None where it was not looked for.
    fits : GaussianFits or None
        Gaussians fitted there.
    """

    x: np.ndarray
    y: np.ndarray
    found: np.ndarray | None = None
    fits: GaussianFits | None = None


def find_target(
    series: ImageSeries,
    start: tuple[float, float],
    options: Mapping[str, Any],
    radius: float,
    work: Work,
) -> TargetPlaces:
    """Where the circle is in each integration.

    Parameters
    ----------
    series : ImageSeries
        All integrations.
    start : (float, float)
        Where the target is said to be, x and y in pixels from 0.
    options : mapping of str to object
        Of the step: ``centroid``, ``search``, ``fit``, ``moving``.
    radius : float
        Pixels about the target that are no background.
    work : rtools.work.Work
        Threads and log.

    Returns
    -------
    TargetPlaces
    """
    number = series.starts[-1]
    fixed = TargetPlaces(np.full(number, start[0]), np.full(number, start[1]))
    if not options["centroid"]:
        return fixed

    def find(start: tuple[float, float], width: int) -> np.ndarray:
        def in_block(block: SeriesBlock) -> list[tuple[float, float, float]]:
            data, _err, usable = series.planes(block)
            return [centre_of_mass(*one, start, width=width, radius=radius) for one in zip(data, usable, strict=True)]

        return np.array([row for rows in series.map(work, in_block) for row in rows])

    first = find(start, options["search"])
    seen = np.isfinite(first[:, 0])
    centres = find((np.median(first[seen, 0]), np.median(first[seen, 1])), options["fit"]) if seen.any() else first
    seen = np.isfinite(centres[:, 0])
    if not seen.any():
        work.log("caution", "the target was found in no integration; the circle is where it is said to be")
        return fixed._replace(found=centres[:, :2])
    middle = np.median(centres[seen, :2], axis=0)
    scatter = centres[seen, :2].std(axis=0)
    work.log("info", f"the target is at {middle[0]:.3f}, {middle[1]:.3f}; "
                     f"its centres scatter by {scatter[0]:.3f}, {scatter[1]:.3f} pixels")  # fmt: skip
    used = np.where(seen[:, None] & bool(options["moving"]), centres[:, :2], middle)
    fits = series.map(work, lambda block: _fits(series, block, centres[block.place], options["fit"]))
    joined = GaussianFits(*(np.concatenate(parts) for parts in zip(*fits, strict=True)))
    return TargetPlaces(used[:, 0], used[:, 1], centres[:, :2], joined)


def _fits(series, block, centres, width):
    """Gaussians at the centres of a block; `centres` are x, y, and the background."""
    number, seen = len(centres), np.flatnonzero(np.isfinite(centres[:, 0]))
    light, usable = np.zeros((number, width, width)), np.zeros((number, width, width), bool)
    corner = np.zeros((number, 2))
    if seen.size:
        spans = [_span(centres[seen, axis], width, series.shape[1 - axis]) for axis in (1, 0)]
        data, _err, good = series.planes(block, *spans)
    for n in seen:
        boxes = [box_about(centres[n, axis], width, series.shape[1 - axis]) for axis in (1, 0)]
        part = tuple(slice(box.start - span.start, box.stop - span.start)
                     for box, span in zip(boxes, spans, strict=True))  # fmt: skip
        filled = tuple(slice(0, box.stop - box.start) for box in boxes)
        light[n][filled] = np.where(good[n][part], data[n][part] - centres[n, 2], 0.0)
        usable[n][filled] = good[n][part]
        corner[n] = boxes[1].start, boxes[0].start
    at = np.where(np.isfinite(centres[:, :2]), centres[:, :2] - corner, width / 2)
    return fit_gaussians(light, usable, at[:, 0], at[:, 1], width=width)


def columns_of_target(
    series: ImageSeries, places: TargetPlaces, apertures: TargetApertures, work: Work
) -> dict[str, np.ndarray]:
    """Columns of the light of the circle, its ring, and the sum in which bad pixels are filled.

    Parameters
    ----------
    series : ImageSeries
        All integrations.
    places : TargetPlaces
        Where the circle is.
    apertures : TargetApertures
        Circle and ring, pixels.
    work : rtools.work.Work
        Its threads share the blocks.

    Returns
    -------
    dict of str to ndarray
        In the order of the table.
    """
    spans = _spans(places, max(apertures.outer, apertures.radius), series.shape)
    inner = _spans(places, apertures.radius, series.shape)
    cut = (slice(None), *(slice(small.start - large.start, small.stop - large.start)
                          for small, large in zip(inner, spans, strict=True)))  # fmt: skip

    def measure(block: SeriesBlock) -> tuple[SeriesLight, np.ndarray, np.ndarray]:
        planes, (rows, columns) = series.planes(block, *spans), spans
        x, y = places.x[block.place] - columns.start, places.y[block.place] - rows.start
        return light_of_series(*planes, x, y, apertures), planes[0][cut].astype(np.float32), planes[2][cut]

    lights, values, usable = zip(*series.map(work, measure), strict=True)
    light = SeriesLight.joined(list(lights))
    x, y = places.x - inner[1].start, places.y - inner[0].start
    filled, error = filled_sums(np.concatenate(values), np.concatenate(usable), light, x, y, apertures.radius)
    return {
        "aperture_sum": light.aperture_sum,
        "aperture_sum_err": light.aperture_err,
        "annulus_sum": light.annulus_sum,
        "annulus_sum_err": light.annulus_sum_err,
        "annulus_mean": light.annulus_mean,
        "annulus_mean_err": light.annulus_mean_err,
        "aperture_bkg": light.background,
        "aperture_bkg_err": light.background_err,
        "net_aperture_sum": light.net,
        "net_aperture_sum_err": light.net_err,
        "net_aperture_sum_filled": filled,
        "net_aperture_sum_filled_err": error,
        "n_bad": light.n_bad,
    }


def columns_of_all(series: ImageSeries, work: Work) -> dict[str, np.ndarray]:
    """Columns of the light of all pixels: of a defocused star that fills its sub-array, where no circle is larger.

    Parameters
    ----------
    series : ImageSeries
        All integrations.
    work : rtools.work.Work
        Its threads share the blocks.

    Returns
    -------
    dict of str to ndarray
        In the order of the table.
    """
    light = SeriesLight.joined(series.map(work, lambda block: light_of_all(*series.planes(block))))
    sums = {"aperture_sum": light.aperture_sum, "aperture_sum_err": light.aperture_err}
    return sums | {f"net_{name}": value for name, value in sums.items()} | {"n_bad": light.n_bad}


def _spans(places, reach, shape):
    """Rows and columns that a circle touches, wherever it is."""
    return [_span(where, reach + 2, length) for where, length in zip((places.y, places.x), shape, strict=True)]


def _span(where, reach, length):
    """Pixels of an axis that are no further from any place; at least one."""
    first = int(np.clip(np.floor(where.min() - reach), 0, length - 1))
    return slice(first, int(np.clip(np.ceil(where.max() + reach) + 1, first + 1, length)))
