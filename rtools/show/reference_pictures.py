"""Pictures of reference files that are no images: the distortion as a field of shifts, an ePSF by place and colour."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rtools.errors import InputError, UsageError
from rtools.show import plot
from rtools.show.arrows import draw_arrows
from rtools.show.image import ShownPlane
from rtools.show.names import shown_name
from rtools.show.stretch import magnify
from rtools.wfi import CENTRE, DEGREE_ARCSEC, TRIMMED

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from rtools.products.io import Product
    from rtools.products.io.face import ProductFace

__all__ = ["Distortion", "EpsfPlanes", "load_distortion", "load_epsf", "plot_distortion", "plot_epsf"]

BLOCK = 28
"""Pixels along each side of a block of the detector whose area is computed once; 146 of them are a detector."""

ARROWS = 13
"""Arrows along each axis."""

STAMP = 24
"""Detector pixels along each side of a PSF that are drawn, at most."""

FAINTEST = 1e-5
"""Share of the brightest that is drawn."""


class Distortion(NamedTuple):
    """What a distortion does to the pixels of a detector.

    Attributes
    ----------
    area : rtools.show.image.ShownPlane
        Area of each pixel against that at the centre, percent more.
    places, shifts : ndarray float64 (n, 2)
        Pixels, and by how many pixels x and y there differ from the linear scale at the centre.
    """

    area: ShownPlane
    places: np.ndarray
    shifts: np.ndarray


def load_distortion(product: ProductFace) -> Distortion:
    """Read a distortion and what it does.

    Parameters
    ----------
    product : rtools.products.io.ProductFace
        A reference of the type distortion, of Roman or of JWST, opened.

    Returns
    -------
    Distortion

    Raises
    ------
    InputError
        It holds no model of the type, or one that gives no positions.
    """
    from rtools.reference.files import FileSource

    if product.kind == "reference":
        model = FileSource("distortion", product.path).node("coordinate_distortion_transform")
        return _field(model, product, (TRIMMED, TRIMMED))
    return _field(*_of_jwst(product))


def _of_jwst(product):
    """The model of a distortion of JWST, its file, and the pixels of the detector."""
    from rtools.jwst.instrument import detector_facts
    from rtools.reference.jwst import JwstFileSource

    source = JwstFileSource("distortion", product.path)
    detector = next(iter(source.candidate.detectors), "")
    try:
        facts = detector_facts(detector)
    except UsageError:
        raise InputError(f"it is of {detector or 'no detector'}, whose size is not known", path=product.path) from None
    return source.node("model"), product, (facts.rows, facts.columns)


def _field(model, product, shape):
    """What a model does, from pixels counted from 0 to V2 and V3 in arcsec, against its scale at the centre."""
    rows, columns = shape
    middle = np.array([(columns - 1) / 2, (rows - 1) / 2])
    places = [np.arange(-(-length // BLOCK)) * BLOCK + (BLOCK - 1) / 2 for length in (columns, rows)]
    across, up = (np.asarray(part) for part in np.meshgrid(*places))
    steps = ((0, 0), (1, 0), (0, 1))
    base, right, above = (_at(model, across + one, up + two, product) for one, two in steps)
    (a, b), (c, d) = right - base, above - base
    area = abs(a * d - b * c)
    centre = _at(model, middle[0] + np.array([0, 1, 0]), middle[1] + np.array([0, 0, 1]), product)
    linear = np.array([centre[:, 1] - centre[:, 0], centre[:, 2] - centre[:, 0]]).T
    side = 100 * (area / abs(np.linalg.det(linear)) - 1)
    plane = ShownPlane(magnify(side.astype(np.float32), BLOCK)[:rows, :columns], frame=shape)
    plane.name, plane.unit = "area of a pixel", "% more than at the centre"
    scale = DEGREE_ARCSEC / 3600 * np.sqrt(abs(np.linalg.det(linear)))
    plane.title = f"{shown_name(product)}, {scale:.5f} arcsec a pixel"
    nodes = [np.linspace(100, length - 101, ARROWS) for length in (columns, rows)]
    at = np.array(np.meshgrid(*nodes)).reshape(2, -1)
    there = np.linalg.solve(linear, _at(model, at[0], at[1], product) - centre[:, :1]) + middle[:, None]
    return Distortion(plane, at.T, (there - at).T)


def _at(model, x, y, product):
    """V2 and V3 of pixels, arcsec."""
    try:
        found = np.array(model(np.asarray(x, float), np.asarray(y, float)), float)
    except (TypeError, ValueError) as error:  # models of other optics take or give more
        raise InputError(f"its model gives no V2, V3 ({' '.join(str(error).split())})", path=product.path) from None
    if len(found) != 2 or not np.isfinite(found).all():
        raise InputError("its model gives no V2, V3", path=product.path)
    return found


def plot_distortion(found: Distortion, *, cmap: str = "viridis", title: str | None = None) -> Figure:
    """A figure of a distortion: areas in colours, shifts as arrows.

    Parameters
    ----------
    found : Distortion
        As `load_distortion` gives it.
    cmap : str
        A colour map of matplotlib.
    title : str, optional
        Instead of the file's name.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = plot.plot_image(found.area, stretch="linear", limits="minmax", cmap=cmap, title=title)
    draw_arrows(figure.axes[0], found.places, found.shifts, "pixel")
    return figure


class EpsfPlanes(NamedTuple):
    """Planes of an ePSF.

    Attributes
    ----------
    title : str
        The file.
    rows : tuple of tuple of (str, ndarray)
        What each plane is of, and the middle of it, its sum 1: first the places on the detector, from the top; then
        the spectral types, and the defocus, at the place that is nearest the centre.
    """

    title: str
    rows: tuple[tuple[tuple[str, np.ndarray], ...], ...]


def load_epsf(product: Product) -> EpsfPlanes:
    """Read the planes of an ePSF that tell how it varies.

    Parameters
    ----------
    product : rtools.products.io.Product
        A reference of the type epsf, opened.

    Returns
    -------
    EpsfPlanes

    Raises
    ------
    InputError
        It holds no PSF with five axes.
    """
    shape = product.arrays["psf"].shape if product.has("psf") else ()
    meta = product.meta
    x, y = (_listed(meta, f"pixel_{axis}", shape[2]) if len(shape) == 5 else None for axis in "xy")
    if x is None or y is None or 0 in shape or product.arrays["psf"].dtype.kind not in "iuf":
        raise InputError("it holds no PSF by defocus, spectral type and place", path=product.path)
    oversample = meta.get("oversample")
    if not isinstance(oversample, int) or oversample < 1:
        oversample = 1
    stack = np.asarray(product.array("psf"), np.float32)
    cut = min(STAMP * oversample, *shape[-2:])
    start = [(length - cut) // 2 for length in shape[-2:]]
    small = stack[..., start[0] : start[0] + cut, start[1] : start[1] + cut]
    centre = int(np.argmin(np.hypot(x - CENTRE, y - CENTRE)))
    steps = _listed(meta, "defocus", shape[0])
    steps = np.arange(shape[0], dtype=float) if steps is None else steps
    defocus = int(np.argmin(np.abs(steps)))
    types = meta.get("spectral_type")
    types = types if isinstance(types, list) and len(types) == shape[1] else list(range(shape[1]))
    colours = [str(one) for one in types]
    colour = shape[1] // 2
    rows = []
    for height in sorted(set(y.tolist()), reverse=True):
        line = [number for number in np.argsort(x, kind="stable") if y[number] == height]
        rows.append(tuple((f"{x[n]:.0f}, {y[n]:.0f}", small[defocus, colour, n]) for n in line))
    if shape[1] > 1:
        rows.append(tuple((f"type {name}", small[defocus, n, centre]) for n, name in enumerate(colours)))
    if shape[0] > 1:
        rows.append(tuple((f"defocus {one:g}", small[n, colour, centre]) for n, one in enumerate(steps)))
    if not any((np.isfinite(values) & (values > 0)).any() for row in rows for _name, values in row):
        raise InputError("its PSF is nowhere larger than 0", path=product.path)
    title = f"{shown_name(product)}, type {colours[colour]}"
    return EpsfPlanes(title, tuple(rows))


def _listed(meta, name, count):
    """Numbers that a file lists; None where it does not list so many."""
    values = meta.get(name)
    try:
        found = np.array(values, float) if isinstance(values, list) else np.zeros(0)
    except (TypeError, ValueError):
        return None
    return found if found.shape == (count,) and np.isfinite(found).all() else None


def plot_epsf(found: EpsfPlanes, *, cmap: str = "inferno", title: str | None = None) -> Figure:
    """A figure of the planes of an ePSF, by their logarithms.

    Parameters
    ----------
    found : EpsfPlanes
        As `load_epsf` gives it.
    cmap : str
        A colour map of matplotlib.
    title : str, optional
        Instead of the file's name.

    Returns
    -------
    matplotlib.figure.Figure
    """
    from matplotlib.colors import LogNorm
    from matplotlib.figure import Figure

    from rtools.products.schema.nodes import readable

    across = max(map(len, found.rows))
    figure = Figure(figsize=(max(5.0, 2.4 * across), 2.65 * len(found.rows) + 0.5), layout="constrained")
    figure.suptitle(readable(found.title if title is None else title), fontsize=10)
    top = max(float(values[np.isfinite(values)].max(initial=0)) for row in found.rows for _name, values in row)
    norm = LogNorm(FAINTEST * top, top, clip=True)
    places = figure.subplots(len(found.rows), across, squeeze=False)
    for line, row in zip(places, found.rows, strict=True):
        for number, axes in enumerate(line):
            if number >= len(row):
                axes.set_axis_off()
                continue
            name, values = row[number]
            axes.imshow(np.where(values > 0, values, FAINTEST * top), origin="lower", cmap=cmap, norm=norm)
            axes.set(xticks=[], yticks=[])
            axes.set_title(readable(name), fontsize=9)
    return figure
