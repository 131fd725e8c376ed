"""Where strips come from: an L1 file, a ramp, or an image, opened once and read by columns.

Of a plain or lz4 array only the columns at work are in memory; any other is decoded once and kept (302 MB for nine
resultants of L1).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.errors import InputError
from rtools.exposure.frame import Exposure, Strip
from rtools.pipeline.catalog import placing
from rtools.products.edit.section import cutout_of
from rtools.products.io.reading import one_by_one
from rtools.wfi.frame import BORDER, CHANNEL
from rtools.work import ALONE, Work

if TYPE_CHECKING:
    from rtools.products.io.product import Product
    from rtools.products.io.reading import Reading
__all__ = ["BORDER_ARRAYS", "IMAGE_PLANES", "Source", "open_exposure"]

BORDER_ARRAYS = tuple(
    f"{kind}_{side}" for kind in ("border_ref_pix", "dq_border_ref_pix") for side in ("left", "right", "top", "bottom")
)

NEEDED = {
    "l1_uncal": ("data", "amp33"),
    "ramp": ("data", "groupdq", "pixeldq", "amp33"),
    "l2_image": ("data", "dq", "err", "var_poisson"),
}
"""Arrays without which nothing can be done, by kind of product."""

IMAGE_PLANES = ("data", "dq", "err", "var_poisson", "var_rnoise", "var_flat", "chisq", "dumo")


ARRAYS = {
    "l1_uncal": ("data", "resultantdq", "reference_read"),
    "ramp": ("data", "groupdq", "pixeldq"),
    "l2_image": IMAGE_PLANES,
}
"""What strips are made of, by kind of product."""


class Source:
    """Strips of one product.

    Parameters
    ----------
    product : rtools.products.io.product.Product
        L1, ramp or L2 image.

    Attributes
    ----------
    kind : str
        ``l1_uncal``, ``ramp`` or ``l2_image``.
    shape : (int, int, int)
        Resultants, rows and columns of the full frame, border included.
    left_out : list of str
        What is said of planes of an image that are not of its shape and that nothing needs.
    """

    def __init__(self, product: Product):
        self.product = product
        self.kind = product.kind
        self._arrays: dict[str, np.ndarray] = {}
        self.left_out: list[str] = []
        self.shape = _frame_shape(product)
        _check_timing(product, self.shape[0])
        for name, problem in _odd_arrays(product, self.shape):
            if product.kind != "l2_image" or name in NEEDED["l2_image"]:
                raise InputError(problem, path=product.path)
            product.leave_out(name)
            self.left_out.append(f"{problem}: it is left out")

    def spans(self, spans: Sequence[tuple[int, int]], work: Work = ALONE) -> dict[str, Reading]:
        """Begin to read every array that strips need.

        Parameters
        ----------
        spans : sequence of (int, int)
            Full-frame columns [start, stop) of each strip.
        work : rtools.work.Work
            Its threads decode what cannot be decoded in parts.

        Returns
        -------
        dict of str to rtools.products.io.reading.Reading
            By the names of the arrays; each has a part for each span.
        """
        if self.kind == "l2_image":
            spans = [(span.start, span.stop) for span in (_blank(self, *span).trimmed for span in spans)]
        return {name: self._reading(name, spans, work) for name in ARRAYS[self.kind] if self.product.has(name)}

    def checks(self) -> list[Callable[[], None]]:
        """Jobs that compare the arrays that strips are made of with their checksums."""
        return self.product.checks(ARRAYS[self.kind])

    def strip(self, start: int, stop: int, arrays: Mapping[str, np.ndarray]) -> Strip:
        """A new strip of what `spans` has read for it.

        Parameters
        ----------
        start, stop : int
            Columns [start, stop) of the full frame.
        arrays : mapping of str to ndarray
            The parts of this span, by the names of the arrays. The strip has them, not copies; planes of an image
            become float32.

        Returns
        -------
        rtools.exposure.frame.Strip
            Of an image with zeros for the read-noise variance, chisq and dumo where the file lacks them.
        """
        strip = _blank(self, start, stop)
        if self.kind == "l2_image":
            strip.image = {
                name: plane if name == "dq" else plane.astype(np.float32, copy=False) for name, plane in arrays.items()
            }
            for name in ("var_rnoise", "chisq", "dumo"):
                strip.image.setdefault(name, np.zeros_like(strip.image["data"]))
            return strip
        strip.data = arrays["data"]
        strip.groupdq = arrays.get("resultantdq" if self.kind == "l1_uncal" else "groupdq")
        strip.reference_read = arrays.get("reference_read")
        strip.pixeldq = arrays.get("pixeldq")
        return strip

    def _reading(self, name, spans, work):
        info = self.product.arrays[name]
        if info.compression in ("", "lz4"):
            return self.product.spans(name, spans)
        if name not in self._arrays:  # slow to decode: once
            self._arrays[name] = self.product.array(name, work=work)
        whole = self._arrays[name]
        shapes = [(*whole.shape[:-1], stop - start) for start, stop in spans]
        return one_by_one(lambda start, stop: whole[..., start:stop], spans, shapes, whole.dtype)


def _blank(source, start, stop):
    return Strip(start, stop, None, None, None, *source.shape[1:])


def _frame_shape(product: Product) -> tuple[int, int, int]:
    """(resultants, rows, columns) of the full frame."""
    if product.kind != "l2_image" and cutout_of(product):
        what = "cut out of a ramp: the steps need whole channels and the border"
        raise InputError(what, mend="calibrate the whole, and cut the image", path=product.path)
    absent = [name for name in NEEDED[product.kind] if not product.has(name)]
    if absent:
        raise InputError(f"arrays missing: {', '.join(absent)}", path=product.path)
    shape = product.arrays["data"].shape
    if product.kind == "l2_image" and len(shape) == 2:
        return len(product.meta["exposure"]["read_pattern"]), shape[0] + 2 * BORDER, shape[1] + 2 * BORDER
    if len(shape) != 3 or shape[2] % CHANNEL or shape[1] <= 2 * BORDER or not all(shape):
        wanted = f"(resultants, rows, a multiple of {CHANNEL} columns)"
        raise InputError(f"data of the full frame are {tuple(shape)}, not {wanted}", path=product.path)
    return shape[0], shape[1], shape[2]


def _check_timing(product, resultants):
    """Refuse a read pattern that is not that of the data."""
    pattern = product.meta["exposure"]["read_pattern"]
    if len(pattern) != resultants:
        found = f"meta.exposure.read_pattern has {len(pattern)} resultants, data have {resultants}"
        raise InputError(found, path=product.path)


def _odd_arrays(product, shape):
    """Names of arrays that are not of the frame, and what is wrong with them."""
    resultants, rows, columns = shape
    ramp, frame = (resultants, rows, columns), (rows, columns)
    wanted = {"resultantdq": ramp, "groupdq": ramp, "pixeldq": frame, "reference_read": frame}
    if product.kind == "l2_image":
        wanted = dict.fromkeys(IMAGE_PLANES, (rows - 2 * BORDER, columns - 2 * BORDER))
    else:
        wanted |= {"amp33": (resultants, rows, CHANNEL), "reference_amp33": (rows, CHANNEL)}
    for name, expected in wanted.items():
        if product.has(name) and tuple(product.arrays[name].shape) != expected:
            found = tuple(product.arrays[name].shape)
            yield name, f"the array {name} is {found}, not {expected}"


def open_exposure(
    source: Source, place: placing.Place, meta: dict[str, Any], log: Callable[[str, str], None]
) -> Exposure:
    """The `Exposure` of a source: its metadata, reference output and borders.

    Parameters
    ----------
    source : Source
        Its strips.
    place : rtools.pipeline.catalog.placing.Place
        Where the image lies in the frame of its detector.
    meta : dict
        Metadata that the steps may change.
    log : callable
        ``log(level, text)``.

    Returns
    -------
    rtools.exposure.frame.Exposure
        It has `meta` itself, and copies of the arrays.
    """
    product = source.product
    exposure = Exposure(meta, source.shape, log=log, raw=source.kind == "l1_uncal")
    exposure.origin = place.origin
    _resultants, rows, columns = source.shape
    placing.record(meta, place, (rows - 2 * BORDER, columns - 2 * BORDER))
    if product.has("amp33"):
        exposure.amp33 = np.array(product.array("amp33"))
    if product.has("reference_amp33"):
        exposure.reference_amp33 = np.array(product.array("reference_amp33"))
    exposure.borders = {name: np.array(product.array(name)) for name in BORDER_ARRAYS if product.has(name)}
    return exposure
