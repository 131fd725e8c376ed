"""Drizzling: the pixels of a member, spread over a band of rows of the mosaic.

The algorithm is that of Fruchter & Hook (2002, PASP 114, 144). A member is drizzled once for everything: weight, data
and the square roots of its variances go into one buffer, the lanes of a `Contribution`. The module `variance` puts
contributions into the totals of a mosaic; `add_image` puts them into an image.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rtools.errors import UsageError
from rtools.mosaic.drizzle.options import KERNELS

if TYPE_CHECKING:
    from rtools.mosaic.grid.pixmap import PixMap

__all__ = [
    "BAND_ROWS",
    "VARIANCES",
    "Contribution",
    "Kernel",
    "MemberPlanes",
    "Profile",
    "add_image",
    "band_rows",
    "drizzle_band",
    "make_kernel",
    "touched",
]

VARIANCES = ("var_rnoise", "var_poisson", "var_sky", "var_flat")
SOURCES = {"var_rnoise": 0, "var_poisson": 1, "var_sky": 0, "var_flat": 2}
"""Of which array of a member (read noise, Poisson, flat) each is made."""

BAND_ROWS = 256
"""Output rows that one thread does at a time."""

FWHM = 2.3548
"""Full width at half maximum of a Gaussian, in standard deviations, as the drizzle algorithm has it."""

POINT_LIKE = 0.001
"""A pixfrac from which downwards a pixel is a point."""

LANCZOS_STEP = 0.003
"""Input pixels from one value of a lanczos profile's table to the next, as the drizzle package has it."""

GAUSSIAN_REACH, LEAST_REACH = 2.5, 1.2
"""A gaussian spot is cut off so many times pixfrac / `FWHM`, and not before so many, input pixels from its middle."""


class MemberPlanes(NamedTuple):
    """A member's pixels; float32, C-contiguous, one shape.

    Attributes
    ----------
    data : ndarray
        The sky level subtracted.
    weight : ndarray
        `rtools.mosaic.drizzle.weights.weight_map`; 0 leaves a pixel out (NaN data must have 0).
    var_rnoise, var_poisson, var_flat : ndarray, optional
        Variances, in the square of the unit of the data.
    sky : float
        `rtools.mosaic.drizzle.weights.sky_variance`: var_sky is var_rnoise plus it.
    dq : ndarray uint32, optional
        Flags that go with a pixel wherever it is spread.
    """

    data: np.ndarray
    weight: np.ndarray
    var_rnoise: np.ndarray | None = None
    var_poisson: np.ndarray | None = None
    var_flat: np.ndarray | None = None
    sky: float = 0.0
    dq: np.ndarray | None = None


class Profile(NamedTuple):
    """A spot along one axis of the output, d output pixels from its middle.

    Attributes
    ----------
    reach : float
        Output pixels on either side of its middle.
    factor : float
        turbo: what one output pixel of overlap is worth. gaussian: f of f exp(-e d²).
    exponent : float
        gaussian: e of it. lanczos: places in the table per output pixel.
    table : ndarray float32
        lanczos: the profile. Empty for the others.
    """

    reach: float
    factor: float
    exponent: float
    table: np.ndarray


class Kernel(NamedTuple):
    """How a pixel is spread: made by `make_kernel`.

    Attributes
    ----------
    name : str
        One of `rtools.mosaic.steps.KERNELS`.
    pixfrac : float
        Side of a pixel's square, in input pixels.
    profile : Profile or None
        Of a spot; None for the square kernel.
    """

    name: str
    pixfrac: float
    profile: Profile | None


class Contribution(NamedTuple):
    """What a member gives to a rectangle of the mosaic.

    Attributes
    ----------
    lanes : ndarray float32 (rows, columns, 2 + variances)
        Σω, Σω·data, Σω·√variance.
    hit : ndarray uint8 (rows, columns), or of size 0
        Where a contribution was positive; of size 0: wherever Σω is.
    rows, columns : slice
        Its place in the mosaic.
    names : tuple of str
        Of the variances.
    present : ndarray uint8 (variances,)
        0 for those that the member lacks.
    flags : ndarray uint32 (rows, columns), or of size 0
        DQ of all pixels that contributed, joined bit by bit.
    """

    lanes: np.ndarray
    hit: np.ndarray
    rows: slice
    columns: slice
    names: tuple[str, ...]
    present: np.ndarray
    flags: np.ndarray


def make_kernel(name: str = "square", pixfrac: float = 1.0, ratio: float = 1.0) -> Kernel:
    """Check and prepare a kernel.

    Parameters
    ----------
    name : str
        One of `rtools.mosaic.drizzle.options.KERNELS`.
    pixfrac : float
        0 … 1; lanczos and point kernels ignore it.
    ratio : float
        Output pixel scale over input pixel scale (linear); the square kernel does not need it.

    Returns
    -------
    Kernel

    Raises
    ------
    UsageError
        There is no such kernel, or a number is out of its range.
    """
    if name not in KERNELS:
        raise UsageError(f"no drizzle kernel is called {name!r}", mend=f"there are {' '.join(KERNELS)}")
    if not 0 <= pixfrac <= 1:
        raise UsageError(f"pixfrac is between 0 and 1, not {pixfrac:g}")
    if not (np.isfinite(ratio) and ratio > 0):
        raise UsageError(f"the ratio of pixel scales is positive, not {ratio:g}")
    if pixfrac <= POINT_LIKE and not name.startswith("lanczos"):
        name = "point"
    return Kernel(name, float(pixfrac), _profile(name, float(pixfrac), float(np.float32(ratio))))


def _profile(name, pixfrac, ratio):
    """`Profile` of a kernel.

    turbo is a square of side pixfrac / ratio output pixels that is parallel to the output's axes. gaussian has pixfrac
    for its full width at half maximum, and is normalised to 1 over the plane: its two factors make e / π. lanczos is
    L(x) = sinc(x) sinc(x / n) of the distance x in input pixels (Duchon 1979, J. Appl. Meteor. 18, 1016). Widths, cuts
    and the step of the table are those of the drizzle package, which defined these kernels.
    """
    table = np.zeros(0, np.float32)
    if name == "square":
        return None
    if name == "point":
        return Profile(0.0, 1.0, 0.0, table)
    if name == "turbo":
        return Profile(pixfrac / (2 * ratio), ratio / pixfrac, 0.0, table)
    if name == "gaussian":
        exponent = FWHM**2 * ratio**2 / (2 * pixfrac**2)
        reach = max(GAUSSIAN_REACH * pixfrac / FWHM, LEAST_REACH) / ratio
        return Profile(reach, np.sqrt(exponent / np.pi), exponent, table)
    order = int(name[-1])
    at = np.arange(int(order / LANCZOS_STEP) + 2) * LANCZOS_STEP
    table = (np.sinc(at) * np.sinc(at / order) * (at < order)).astype(np.float32)
    return Profile(order / ratio, 1.0, ratio / LANCZOS_STEP, table)


def band_rows(shape: Sequence[int], height: int = BAND_ROWS) -> list[slice]:
    """The bands of a mosaic.

    Parameters
    ----------
    shape : (int, int)
        Rows and columns of the mosaic.
    height : int
        Rows of a band; the last may have fewer.

    Returns
    -------
    list of slice
        Rows of each band, in order.
    """
    return [slice(first, min(first + height, shape[0])) for first in range(0, shape[0], height)]


def touched(pixmap: PixMap, shape: Sequence[int], kernel: Kernel, rows: slice | None = None) -> tuple[slice, slice]:
    """Rows and columns of a mosaic that a member may touch.

    Parameters
    ----------
    pixmap : rtools.mosaic.grid.pixmap.PixMap
        From the member's pixels to those of the mosaic.
    shape : (int, int)
        Of the mosaic.
    kernel : Kernel
        How pixels are spread.
    rows : slice, optional
        Of the mosaic, by default all.

    Returns
    -------
    (slice, slice)
        Rows and columns, empty where the member is elsewhere. A little larger than what is touched.
    """
    first, last = (0, shape[0]) if rows is None else (rows.start, rows.stop)
    reach = 1 + (kernel.profile.reach if kernel.profile else 0)
    boxes = pixmap.boxes.reshape(-1, 4)
    boxes = boxes[np.isfinite(boxes).all(axis=1)] + np.array([-1, 1, -1, 1]) * reach
    met = (
        (boxes[:, 0] < shape[1] - 0.5) & (boxes[:, 1] > -0.5) & (boxes[:, 2] < last - 0.5) & (boxes[:, 3] > first - 0.5)
    )
    if not met.any():
        return slice(first, first), slice(0, 0)
    x0, y0 = np.floor(boxes[met][:, [0, 2]].min(axis=0) + 0.5).astype(int)
    x1, y1 = np.floor(boxes[met][:, [1, 3]].max(axis=0) + 0.5).astype(int) + 1
    return slice(max(y0, first), min(y1, last)), slice(max(x0, 0), min(x1, shape[1]))


def drizzle_band(
    planes: MemberPlanes,
    pixmap: PixMap,
    rows: slice,
    columns: slice,
    kernel: Kernel,
    *,
    names: Sequence[str] = (),
    wanted: np.ndarray | None = None,
    scratch: np.ndarray | None = None,
) -> Contribution:
    """Drizzle a member into some rows of a mosaic.

    Parameters
    ----------
    planes : MemberPlanes
        The pixels of the member.
    pixmap : rtools.mosaic.grid.pixmap.PixMap
        From the member's pixels to those of the mosaic.
    rows, columns : slice
        Of the mosaic; `touched` says where the member is. What falls beside is left out.
    kernel : Kernel
        How pixels are spread.
    names : tuple of str
        Variances wanted, of `VARIANCES`; those that the member lacks are marked.
    wanted : ndarray uint8 (rows, columns), optional
        Pixels of the rectangle that matter (not 0): input pixels that touch none of them are passed over. Only these
        pixels have their full sums then.
    scratch : ndarray float32, optional
        Memory to use, one-dimensional; from call to call on one thread.

    Returns
    -------
    Contribution
        Valid until `scratch` is used again. It does not depend on where bands begin or end.
    """
    size = rows.stop - rows.start, columns.stop - columns.start
    lanes = _zeros((*size, 2 + len(names)), scratch)
    hit = np.zeros(size if kernel.name.startswith("lanczos") else (0, 0), np.uint8)
    flags = np.zeros((0, 0) if planes.dq is None else size, np.uint32)
    wanted = np.empty((0, 0), np.uint8) if wanted is None else np.ascontiguousarray(wanted).view(np.uint8)
    _spread((planes, pixmap, names), kernel, (lanes, hit, flags, wanted), (rows.start, columns.start))
    present = np.array([planes[2 + SOURCES[name]] is not None for name in names], np.uint8)
    return Contribution(lanes, hit, rows, columns, tuple(names), present, flags)


def _zeros(shape, scratch):
    """An array of zeros, in memory that is there already if it is large enough."""
    count = int(np.prod(shape))
    if scratch is None or scratch.size < count:
        return np.zeros(shape, np.float32)
    array = scratch[:count].reshape(shape)
    array[...] = 0
    return array


def _spread(member, kernel, arrays, corner):
    """Let the compiled loops put a member (planes, pixel map, names of variances) into a rectangle of the mosaic.

    `arrays` are lanes, hit, flags and wanted of `_cell_kernels.Rectangle`, `corner` the row and column of its first
    pixel.
    """
    from rtools.mosaic.drizzle import _drizzle_kernels, _spot_kernels
    from rtools.mosaic.drizzle._cell_kernels import Cells, Rectangle, Window

    planes, pixmap, names = member
    pixmap = Cells(pixmap.cells, pixmap.boxes, pixmap.step, pixmap.bounds)
    rectangle, pixels = Rectangle(Window(*corner, *arrays[0].shape[:2]), *arrays), _pixels(planes, names)
    if kernel.profile is None:
        lanes = (0,) * rectangle.lanes.shape[2]
        _drizzle_kernels.drizzle_squares(rectangle, pixmap, pixels, 0.5 * kernel.pixfrac, lanes)
    else:
        kind = getattr(_spot_kernels, kernel.name.rstrip("23").upper())
        _spot_kernels.drizzle_spots(rectangle, pixmap, pixels, kind, kernel.profile)


def _pixels(planes, names):
    """A member as the compiled loops take it."""
    from rtools.mosaic.drizzle._cell_kernels import Pixels, Variances

    # Any array stands for one that is absent: its lane is marked in `Contribution.present`, and nobody looks at it.
    held = [planes.weight if each is None else each for each in planes[2:5]]
    sources = np.array([SOURCES[name] for name in names], np.int64)
    added = np.array([planes.sky if name == "var_sky" else 0 for name in names], np.float32)
    variances = Variances(held[0], held[1], held[2], sources, added)
    dq = planes.weight.view(np.uint32) if planes.dq is None else planes.dq
    return Pixels(planes.weight, planes.data, dq, variances)


def add_image(band: Contribution, image: np.ndarray, weight: np.ndarray, first_row: int = 0) -> None:
    """Add a band to an image of several members (of one exposure, say).

    Parameters
    ----------
    band : Contribution
        What a member gives.
    image, weight : ndarray float32 (rows, columns)
        Weighted mean so far and sum of weights, of all columns of the mosaic; changed. Data where the weight is 0 mean
        nothing.
    first_row : int
        Row of the mosaic with which the image begins.
    """
    from rtools.mosaic.drizzle._combine_kernels import add_image

    add_image(band.lanes, (band.rows.start - first_row, band.columns.start), image, weight)
