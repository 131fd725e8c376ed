"""Footprints of files on the sky as a chart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rtools.show.chart import Chart, Panel, Series
from rtools.wfi.sphere import positions_of, to_plane, unit_vectors
from rtools.wfi.sphere_regions import parse_region

__all__ = ["chart_footprints"]

MOST = 12
"""Detectors and elements that get a colour and a name of their own; of more, one has all footprints."""

ARCMIN = np.deg2rad(1 / 60)


def chart_footprints(labels: Sequence[str], footprints: Sequence[str], title: str) -> Chart:
    """A map of footprints, north up and east to the left, in the plane that touches the sky in their middle.

    Parameters
    ----------
    labels : sequence of str
        What the footprint of each file is drawn as: its element.
    footprints : sequence of str
        S_REGION of each file; what is no polygon is not drawn.
    title : str
        Above the map.

    Returns
    -------
    Chart
    """
    found = [(label, corners) for label, text in zip(labels, footprints, strict=True)
             if (corners := parse_region(text)) is not None]  # fmt: skip
    if not found:
        return Chart(f"{title}: no footprint", "arcmin west", (Panel("arcmin north", ()),), is_map=True)
    vectors = np.concatenate([unit_vectors(*corners) for _label, corners in found])
    ra, dec = (float(value) for value in positions_of(vectors.mean(axis=0)))
    groups: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {}
    many = len({label for label, _corners in found}) > MOST
    for label, corners in found:
        x, y = to_plane(*corners, (ra, dec), unit=ARCMIN)
        groups.setdefault("" if many else label, []).append((-x, y))
    series = tuple(
        Series(f"{label} ({len(outlines)})".strip(), x, y, line=True)
        for label, outlines in sorted(groups.items())
        for x, y in [_joined(outlines)]
    )
    panel = Panel(f"arcmin north of Dec {dec:+.5f}°", series)
    label = f"arcmin west of RA {ra:.5f}°"
    return Chart(f"{title}: {len(found)} footprints", label, (panel,), is_map=True)


def _joined(outlines):
    """Closed outlines behind each other, parted by NaN."""
    pieces = [[np.append(part, (part[0], np.nan)) for part in outline] for outline in outlines]
    return tuple(np.concatenate(parts) for parts in zip(*pieces, strict=True))
