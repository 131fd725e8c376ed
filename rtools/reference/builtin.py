"""The built-in nominal instrument as a source of references: generated in memory as it is asked for, never cached.

It is deterministic and covers every detector and element. It is not for science, and its labels say where it came from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import md5
from typing import TYPE_CHECKING, Any

from rtools.errors import UsageError
from rtools.products.schema.history import BUILT_IN
from rtools.reference import nominal
from rtools.reference.types import APPLIED, TYPES
from rtools.wfi.frame import BORDER, CHANNEL, FRAME
from rtools.wfi.instrument import ELEMENTS, detector
from rtools.work import ALONE, Work

if TYPE_CHECKING:
    import numpy as np

    from rtools.products.io.reading import Reading

__all__ = ["Builtin"]

COEFFICIENTS = {"linearity": 3, "inverselinearity": 6}
UINT32 = ("dq",)
PSF_SHAPE = (1, 3, 9, 361, 361)


@dataclass(frozen=True)
class Builtin:
    """One nominal reference.

    Parameters
    ----------
    type : str
        Reference type.
    detector, element : str
        ``WFI01``, ``F158``; counts only for types that are selected on it.
    frame : tuple of int
        Rows and columns of the full frame; multiples of 128 columns. A smaller frame is the corner of the real one.
    seed : int
        0 for the nominal set, else a seeded variation of it.

    Raises
    ------
    UsageError
        No such type, detector or element; a type that no tool applies.
    """

    type: str
    detector: str
    element: str = "F158"
    frame: tuple[int, int] = (FRAME, FRAME)
    seed: int = 0

    origin = "builtin"

    def __post_init__(self):
        detector(self.detector)
        if self.type not in TYPES:
            raise UsageError(f"no reference type is called {self.type!r}", mend=f"types: {' '.join(TYPES)}")
        if self.type not in APPLIED:
            raise UsageError(f"the nominal instrument has no {self.type}: no tool applies one")
        if self.element not in ELEMENTS:
            raise UsageError(f"no optical element is called {self.element!r}", mend=f"they are {' '.join(ELEMENTS)}")

    @property
    def name(self) -> str:
        """What distinguishes it: ``gain_wfi01``, ``flat_wfi01_f158``."""
        kind = TYPES[self.type]
        words = [self.type, *([self.detector] if kind.detector else []), *([self.element] if kind.element else [])]
        return "_".join(words).lower()

    @property
    def label(self) -> str:
        """For `meta.ref_file`: ``builtin:nominal2/gain_wfi01``; the number is the version of the set."""
        variation = f"-seed{self.seed}" if self.seed else ""
        return f"{BUILT_IN}nominal{nominal.VERSION}{variation}/{self.name}"

    @property
    def checksum(self) -> str:
        """MD5 of the label and frame size, of which the contents are a function."""
        return md5(f"{self.label} {self.frame}".encode(), usedforsecurity=False).hexdigest()

    def describe(self) -> str:
        """One line for a table."""
        return f"{self.label} (nominal instrument, not for science)"

    def has(self, array: str) -> bool:
        """Whether it has an array of this name."""
        return array in TYPES[self.type].arrays

    def shape(self, array: str) -> tuple[int, ...]:
        """Shape of an array."""
        self._check(array)
        rows, columns = self.frame
        if self.type == "flat":
            return rows - 2 * BORDER, columns - 2 * BORDER
        if self.type == "refpix":
            from rtools.reference.tables import CHANNELS, refpix_frequencies

            return CHANNELS, refpix_frequencies(rows)
        if self.type == "epsf":
            return PSF_SHAPE
        if array == "coeffs":
            return COEFFICIENTS[self.type], rows, columns
        return rows, columns

    def dtype(self, array: str) -> np.dtype:
        """numpy dtype of an array."""
        import numpy as np

        self._check(array)
        if self.type == "refpix":
            return np.dtype(np.complex128)
        return np.dtype(np.uint32 if array in UINT32 else np.float32)

    def columns(self, array: str, start: int, stop: int, work: Work = ALONE) -> np.ndarray:
        """``array[..., start:stop]``, own and contiguous.

        Parameters
        ----------
        array : str
            Name of a plane of the reference.
        start, stop : int
            First column, and the one behind the last.
        work : rtools.work.Work
            Its threads draw the channels; the answer is the same for any number of them.

        Returns
        -------
        ndarray
            Of the dtype that `dtype` says.
        """
        import numpy as np

        from rtools.reference import planes

        shape = self.shape(array)
        start, stop, _ = slice(start, stop).indices(shape[-1])
        if (self.type, array) not in planes.PLANES:
            if array in UINT32:
                return np.zeros((*shape[:-1], stop - start), np.uint32)
            return np.ascontiguousarray(self._whole(array)[..., start:stop])
        margin = BORDER if self.type == "flat" else 0
        start, stop = start + margin, stop + margin
        out = np.empty((*shape[:-1], stop - start), self.dtype(array))
        setting = self._setting()

        def draw(channel):
            first, last = max(start, channel * CHANNEL), min(stop, (channel + 1) * CHANNEL)
            block = planes.plane(setting, self.type, array, channel)
            rows = slice(margin, setting.rows - margin)
            out[..., first - start : last - start] = block[..., rows, first % CHANNEL : first % CHANNEL + last - first]

        channels = range(start // CHANNEL, -(-stop // CHANNEL))
        work.map(draw, channels)
        return out

    def rows(self, array: str, start: int, stop: int, work: Work = ALONE) -> np.ndarray:
        """``array[start:stop]`` along the leading axis."""
        if self.type == "refpix":
            from rtools.reference.tables import refpix

            start, stop, _ = slice(start, stop).indices(self.shape(array)[0])
            return refpix(self._setting(), array, start, stop)
        return self.array(array, work)[start:stop]

    def spans(self, array: str, spans: Sequence[tuple[int, int]]) -> Reading:
        """A `rtools.products.io.reading.Reading` of the columns [start, stop) of each span."""
        from rtools.products.io.reading import one_by_one

        leading = self.shape(array)[:-1]
        shapes = [(*leading, stop - start) for start, stop in spans]
        return one_by_one(partial(self.columns, array), spans, shapes, self.dtype(array))

    def row_spans(self, array: str, spans: Sequence[tuple[int, int]]) -> Reading:
        """Likewise along the leading axis."""
        from rtools.products.io.reading import one_by_one

        shapes = [(stop - start, *self.shape(array)[1:]) for start, stop in spans]
        return one_by_one(partial(self.rows, array), spans, shapes, self.dtype(array))

    def array(self, array: str, work: Work = ALONE) -> np.ndarray:
        """The whole array."""
        return self.columns(array, 0, self.shape(array)[-1], work)

    def part(self, array: str, index: tuple[int, ...]) -> np.ndarray:
        """``array[index]`` for a tuple of leading indices; of an epsf no more than that is made."""
        if self.type == "epsf" and index[0] == 0 and len(index) > 1:  # its only defocus
            from rtools.reference.psf import stamps

            self._check(array)
            return stamps(self.detector, self.element, index[1])[index[2:]]
        return self.array(array)[index]

    def checks(self, _arrays: Iterable[str]) -> list[Callable[[], None]]:
        """Nothing: arrays that are computed have no checksums."""
        return []

    def node(self, path: str) -> Any:
        """Part of the tree by its dotted path: a plain value, an array, or the astropy model of the distortion."""
        keys = path.split(".")
        value = self.tree(elements=keys[1:2] or None)
        for key in keys:
            value = value[key]
        return value

    def tree(self, elements: Sequence[str] | None = None) -> dict[str, Any]:
        """Everything but the arrays: ``meta`` entries of this type's own, and its `nodes`; apcorr of these elements."""
        from rtools.reference import psf, tables
        from rtools.wfi import distortion

        setting = self._setting()
        match self.type:
            case "darkdecaysignal":
                return {"decay_table": tables.decay_table(self.seed)}
            case "integralnonlinearity":
                meta = {"n_channels": tables.CHANNELS, "n_pixels_per_channel": CHANNEL}
                return {"meta": meta, "value": tables.inl_values(), "inl_table": tables.inl_table(setting)}
            case "photom":
                return {"phot_table": tables.phot_table(setting)}
            case "apcorr":
                return {"data": tables.apcorr(elements)}
            case "distortion":
                return {"coordinate_distortion_transform": distortion.distortion(self.detector)}
            case "epsf":
                return {"meta": psf.epsf_meta()}
        return {}

    def _setting(self):
        from rtools.reference.planes import Setting

        return Setting(self.detector, self.element, self.seed, *self.frame)

    def _whole(self, array):
        """An array that is not drawn by channels."""
        if self.type == "epsf":
            from rtools.reference.psf import epsf

            return epsf(self.detector, self.element)[0]
        return self.rows(array, 0, self.shape(array)[0])

    def _check(self, array):
        if not self.has(array):
            raise KeyError(f"{self.type} has no array {array!r}")
