"""Where strips come from: an L1 file, a ramp, or an image, opened once and read by columns.

An uncompressed array is mapped, a compressed one is decoded once and kept (302 MB for nine resultants of L1).
"""

import numpy as np

from rtools.errors import InputError
from rtools.exposure.frame import BORDER, CHANNEL, Exposure, Strip

__all__ = ["BORDER_ARRAYS", "IMAGE_PLANES", "Source", "open_exposure"]

BORDER_ARRAYS = tuple(
    f"{kind}_{side}" for kind in ("border_ref_pix", "dq_border_ref_pix") for side in ("left", "right", "top", "bottom")
)

IMAGE_PLANES = ("data", "dq", "err", "var_poisson", "var_rnoise", "var_flat", "chisq", "dumo")


class Source:
    """Strips of one product.

    Parameters
    ----------
    product : rtools.products.reader.Product
        L1, ramp or L2 image.
    threads : int
        Threads for decoding.
    """

    def __init__(self, product, threads=1):
        self.product = product
        self.kind = product.kind
        self.threads = threads
        self._arrays = {}
        shape = product.arrays["data"].shape
        if self.kind == "l2_image":
            resultants = len(product.meta["exposure"]["read_pattern"])
            shape = (resultants, shape[0] + 2 * BORDER, shape[1] + 2 * BORDER)
        self.shape = tuple(shape)
        _check_shape(product, self.shape)

    def load(self, start, stop):
        """Full-frame columns [start, stop) as a new `Strip`."""
        rows, columns = self.shape[1:]
        if self.kind == "l2_image":
            return self._load_image(start, stop)
        strip = Strip(start, stop, self._columns("data", start, stop), None, None, rows, columns)
        if self.kind == "l1_uncal":
            strip.groupdq = self._columns("resultantdq", start, stop)
            strip.reference_read = self._columns("reference_read", start, stop)
        else:
            strip.groupdq = self._columns("groupdq", start, stop)
            strip.pixeldq = self._columns("pixeldq", start, stop)
        return strip

    def _load_image(self, start, stop):
        strip = Strip(start, stop, None, None, None, *self.shape[1:])
        span = strip.trimmed
        strip.image = {}
        for name in IMAGE_PLANES:
            if self.product.has(name):
                plane = self._columns(name, span.start, span.stop)
                strip.image[name] = plane if name == "dq" else plane.astype(np.float32, copy=False)
        for name in ("var_rnoise", "chisq", "dumo"):
            strip.image.setdefault(name, np.zeros_like(strip.image["data"]))
        return strip

    def _columns(self, name, start, stop):
        if not self.product.has(name):
            return None
        if name not in self._arrays:
            self._arrays[name] = self.product.array(name, threads=self.threads)
        return np.ascontiguousarray(self._arrays[name][..., start:stop])


def _check_shape(product, shape):
    resultants, rows, columns = shape
    if columns % CHANNEL or rows <= 2 * BORDER or not resultants:
        raise InputError(
            f"data are {shape}, not (resultants, rows, a multiple of {CHANNEL} columns)", path=product.path
        )
    pattern = product.meta["exposure"]["read_pattern"]
    if len(pattern) != resultants:
        raise InputError(
            f"meta.exposure.read_pattern has {len(pattern)} resultants, data have {resultants}", path=product.path
        )


def open_exposure(source, meta, log):
    """The `Exposure` of a source: its metadata, reference output and borders.

    Parameters
    ----------
    source : Source
    meta : dict
        Metadata that the steps may change.
    log : callable
        ``log(level, text)``.
    """
    product = source.product
    exposure = Exposure(meta=meta, shape=source.shape, log=log)
    if product.has("amp33"):
        exposure.amp33 = np.array(product.array("amp33"))
    if product.has("reference_amp33"):
        exposure.reference_amp33 = np.array(product.array("reference_amp33"))
    exposure.borders = {name: np.array(product.array(name)) for name in BORDER_ARRAYS if product.has(name)}
    return exposure
