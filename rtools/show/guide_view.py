"""What is shown of guide windows and FACE without references: the mean difference of tracking, the three rotations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rtools.errors import InputError
from rtools.products.edit.section import parse_section
from rtools.products.guide import face_table, is_old, read_face, read_guide
from rtools.show.guide import chart_face
from rtools.show.image import ShownPlane
from rtools.show.names import shown_name
from rtools.wfi.units import ARCSEC, MAS

if TYPE_CHECKING:
    from rtools.products.guide import GuideStage
    from rtools.products.io import Product
    from rtools.show.chart import Chart

__all__ = ["has_windows", "load_difference", "load_rotations"]

PIXELS = {"pedestal_resultants", "signal_resultants"}

WINDOW = 1 << 24
"""Bytes of windows that are read at a time."""


def has_windows(product: Product) -> bool:
    """Whether a product has windows of which a difference can be shown.

    Parameters
    ----------
    product : rtools.products.io.Product
        Opened, of any kind.

    Returns
    -------
    bool
        False, too, for guide-window files from before 2025.
    """
    return product.kind == "l1_gw" and not is_old(product) and _stage(product) is not None


def _stage(product):
    """The stage that is shown: tracking, or the last one that has pixels."""
    guide, _problems = read_guide(product)
    filled = [stage for stage in guide.stages if stage.pairs and stage.has >= PIXELS]
    return filled[-1] if filled else None


def load_difference(product: Product, *, pair: int | None = None, section: str | None = None) -> ShownPlane:
    """The mean of signal minus pedestal over the pairs of tracking, or that of one pair.

    Windows that moved are laid on each other by their corners, so that the star stays where it is.

    Parameters
    ----------
    product : rtools.products.io.Product
        Guide windows, opened; `has_windows` is true of it.
    pair : int, optional
        Number of the pair, from the end where negative. By default the mean of all pairs that no reset read, error or
        clipping spoiled, as the file itself says; of all where it calls all of them spoiled.
    section : str, optional
        ``x1:x2,y1:y2`` of the window.

    Returns
    -------
    ShownPlane
        In DN.

    Raises
    ------
    InputError
        There is no such pair, or the section is outside of the window.
    UsageError
        The text is not a valid section.
    """
    stage = _stage(product)
    numbers, word = _numbers(product, stage, pair)
    rows, columns = parse_section(section, stage.shape) if section else (slice(0, None), slice(0, None))
    image = ShownPlane(_mean_difference(stage, numbers)[rows, columns], columns.start, rows.start, stage.shape)
    image.name, image.unit = f"{stage.name}, signal - pedestal, {word}", "DN"
    image.title = shown_name(product)
    return image


def _numbers(product, stage, pair):
    """Pairs that are shown, and what they are."""
    if pair is not None:
        if not -stage.pairs <= pair < stage.pairs:
            raise InputError(f"--resultant {pair}: {stage.name} has {stage.pairs} pairs", path=product.path)
        return np.array([pair % stage.pairs]), f"pair {pair % stage.pairs} of {stage.pairs}"
    flags = (stage.sce_status, stage.resultant_err, stage.min_bind, stage.max_bind)
    good = np.flatnonzero(~stage.reset_impacted & ~np.any([flag.any(axis=1) for flag in flags], axis=0))
    if not good.size:
        return np.arange(stage.pairs), f"mean of {stage.pairs} pairs, all of them spoiled"
    return good, f"mean of {len(good)} of {stage.pairs} pairs"


def _mean_difference(stage: GuideStage, numbers) -> np.ndarray:
    """Mean of signal minus pedestal; the differences are negative where noise is, so they are signed."""
    total = np.zeros(stage.shape or (0, 0), np.int64)
    step = max(1, WINDOW // (2 * max(total.size, 1)))
    for first in range(int(numbers[0]), int(numbers[-1]) + 1, step):
        last = min(first + step, int(numbers[-1]) + 1)
        inside = numbers[(numbers >= first) & (numbers < last)] - first
        signal, pedestal = stage.signals(first, last)[inside], stage.pedestals(first, last)[inside]
        total += (signal.astype(np.int32) - pedestal.astype(np.int32)).sum(axis=0, dtype=np.int64)
    return (total / len(numbers)).astype(np.float32)


def load_rotations(product: Product) -> Chart:
    """The three rotations of a FACE file against time.

    Parameters
    ----------
    product : rtools.products.io.Product
        FACE, opened.

    Returns
    -------
    rtools.show.chart.Chart
        Delta and epsilon in mas, zeta in arcsec; attitudes that cannot be used apart, unless none can.
    """
    face, _problems = read_face(product)
    table = face_table(face)
    for name, scale, word in (("delta", MAS, "mas"), ("epsilon", MAS, "mas"), ("zeta", ARCSEC, "arcsec")):
        table[f"{name}_{word}"] = np.asarray(table[name]) / scale
    if not face.good.any():
        table["good"] = True
    return chart_face([(shown_name(product), table)])
