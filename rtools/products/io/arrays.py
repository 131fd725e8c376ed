"""ndarray nodes of the tree: dtype, shape and place of an array, in both directions."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rtools.errors import InputError
from rtools.products.io.blocks import LZ4_MOST
from rtools.products.io.header import StoredBlock
from rtools.products.schema.nodes import NDARRAY_TAG, TaggedDict, is_array

__all__ = ["ArrayInfo", "array_info", "array_node", "dtype_of", "inline_array", "lines_of", "unwrap"]

NAMES = {
    **{f"int{bits}": f"i{bits // 8}" for bits in (8, 16, 32, 64)},
    **{f"uint{bits}": f"u{bits // 8}" for bits in (8, 16, 32, 64)},
    **{f"float{bits}": f"f{bits // 8}" for bits in (16, 32, 64)},
    **{f"complex{bits}": f"c{bits // 8}" for bits in (64, 128)},
    "bool8": "?",
}  # fmt: skip
"""ASDF datatype to numpy type code, without byte order."""

MOST = {"": 1, "lz4": LZ4_MOST, "zlib": 1032}
"""Times that a compression can make data smaller; bzip2 knows no limit."""

SLACK = 64
"""Bytes of a block that is nearly nothing."""

REPEATED = 1 << 30
"""Bytes of an array whose strides repeat a smaller block."""


@dataclass(frozen=True)
class ArrayInfo:
    """Where an array is and what it is.

    Attributes
    ----------
    shape : tuple of int
        Slowest axis first.
    dtype : numpy.dtype
        As stored, byte order included.
    compression : str
        Empty for plain and inline arrays.
    block : rtools.products.io.header.StoredBlock or None
        None for an inline array.
    offset : int
        Of the first element in the decompressed block.
    strides : tuple of int
        In bytes.
    unit : str or None
        Of the quantity that wraps it in old files.
    """

    shape: tuple[int, ...]
    dtype: np.dtype
    compression: str = ""
    block: StoredBlock | None = None
    offset: int = 0
    strides: tuple[int, ...] = ()
    unit: str | None = None
    node: TaggedDict | None = field(default=None, repr=False, compare=False)

    @property
    def nbytes(self) -> int:
        """Bytes of the elements."""
        return int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize


def dtype_of(datatype: Any, byteorder: str = "little") -> np.dtype:
    """numpy dtype of an ASDF datatype.

    Parameters
    ----------
    datatype : str or list
        Name of a scalar type, ``["ascii", n]``, ``["ucs4", n]``, or a list of fields.
    byteorder : str
        ``big`` or ``little``; fields may say their own.

    Returns
    -------
    numpy.dtype
        Structured for a list of fields.

    Raises
    ------
    InputError
        There is no such datatype.
    """
    order = ">" if byteorder == "big" else "<"
    if isinstance(datatype, str) and datatype in NAMES:
        return np.dtype(order + NAMES[datatype])
    if isinstance(datatype, list) and len(datatype) == 2 and datatype[0] in ("ascii", "ucs4"):
        return np.dtype(f"{order}{'S' if datatype[0] == 'ascii' else 'U'}{datatype[1]}")
    if isinstance(datatype, list) and datatype:
        return np.dtype([_field(number, entry, byteorder) for number, entry in enumerate(datatype)])
    raise InputError(f"no datatype is called {datatype!r}")


def _field(number, entry, byteorder):
    if not isinstance(entry, dict):
        return f"f{number}", dtype_of(entry, byteorder)
    dtype = dtype_of(entry["datatype"], entry.get("byteorder", byteorder))
    return entry.get("name", f"f{number}"), dtype, tuple(entry.get("shape", ()))


def datatype_of(dtype):
    """ASDF datatype of a numpy dtype, and its byte order."""
    byteorder = "big" if dtype.byteorder == ">" else "little"
    if dtype.names:
        fields = [(name, *dtype.fields[name][0].subdtype) if dtype.fields[name][0].subdtype else
                  (name, dtype.fields[name][0], ()) for name in dtype.names]  # fmt: skip
        described = []
        for name, base, shape in fields:
            datatype, order = datatype_of(base)
            entry = {"name": name, "datatype": datatype, "byteorder": order}
            described.append(entry | ({"shape": list(shape)} if shape else {}))
        return described, byteorder
    if dtype.kind in "SU":
        width = dtype.itemsize // (4 if dtype.kind == "U" else 1)
        return ["ucs4" if dtype.kind == "U" else "ascii", width], byteorder
    return "bool8" if dtype.kind == "b" else dtype.name, byteorder


def array_node(array: np.ndarray, source: int) -> TaggedDict:
    """Node of an array that lies, C-contiguous, in block number `source`.

    Parameters
    ----------
    array : ndarray
        Only its dtype and shape are looked at.
    source : int
        Number of the block in the file.

    Returns
    -------
    rtools.products.schema.nodes.TaggedDict
        With the tag of asdf's ndarray.
    """
    datatype, byteorder = datatype_of(array.dtype)
    node = {"source": source, "datatype": datatype, "byteorder": byteorder, "shape": list(array.shape)}
    return TaggedDict(node, NDARRAY_TAG)


def unwrap(node: Any) -> tuple[TaggedDict | None, str | None]:
    """The array node and the unit of a node that is an array or a quantity around one; twice None for any other.

    Parameters
    ----------
    node : object
        Any node of a tree.

    Returns
    -------
    (TaggedDict or None, str or None)
        The array node, and the unit where there is one.
    """
    if is_array(node):
        return node, None
    if isinstance(node, TaggedDict) and "/quantity-" in (node.tag or "") and is_array(node.get("value")):
        unit = node.get("unit")
        return node["value"], None if unit is None else str(unit)
    return None, None


def array_info(node: TaggedDict, blocks: Sequence[StoredBlock], unit: str | None = None) -> ArrayInfo:
    """`ArrayInfo` of an ndarray node.

    Parameters
    ----------
    node : rtools.products.schema.nodes.TaggedDict
        Describes an array, as the tree has it.
    blocks : sequence of rtools.products.io.header.StoredBlock
        The blocks of the file, in order.
    unit : str, optional
        Unit of the quantity around the node.

    Raises
    ------
    InputError
        It does not fit its block, its block cannot hold what it states, it lies in another file, or it is damaged.
    """
    try:
        return _array_info(node, blocks, unit)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise InputError(f"an array of the tree is damaged ({type(error).__name__}: {error})") from None


def _array_info(node, blocks, unit):
    if "data" in node or "source" not in node:
        array = inline_array(node)
        return ArrayInfo(array.shape, array.dtype, unit=unit, node=node)
    source = node["source"]
    if not isinstance(source, int):
        raise InputError(f"an array lies in another file ({source})")
    block = blocks[source]
    _check_claim(block)
    dtype = dtype_of(node["datatype"], node.get("byteorder", "little"))
    offset = int(node.get("offset", 0))
    shape = list(node["shape"])
    if shape and shape[0] == "*":  # streamed: as many as there are
        shape[0] = (block.size - offset) // max(1, math.prod(shape[1:]) * dtype.itemsize)
    if not all(isinstance(length, int) and length >= 0 for length in shape):
        raise InputError(f"{shape} is not a valid shape of an array")
    strides = tuple(node.get("strides") or _contiguous(shape, dtype.itemsize))
    steps = [(length - 1) * stride for length, stride in zip(shape, strides, strict=True)]
    first, last = (offset + sum(step for step in steps if (step > 0) == up) for up in (False, True))
    if 0 not in shape and (last + dtype.itemsize > block.size or first < 0):
        raise InputError(f"an array of shape {tuple(shape)} does not fit its block of {block.size} bytes")
    nbytes = math.prod(shape) * dtype.itemsize
    if nbytes > max(block.size, REPEATED):  # strides of 0 repeat what is there
        raise InputError(f"an array of shape {tuple(shape)} is {nbytes / 2**30:.0f} GiB, its block {block.size} bytes")
    return ArrayInfo(tuple(shape), dtype, block.compression, block, offset, strides, unit, node)


def _check_claim(block):
    """Refuse a block that cannot have the size that it states; memory would be taken for it."""
    most = MOST.get(block.compression)
    if most is not None and block.size > most * block.used + (SLACK if block.compression else 0):
        raise InputError(f"a block states {block.size} bytes, and {block.used} that are stored cannot hold them")


def _contiguous(shape, itemsize):
    strides, step = [], itemsize
    for length in reversed(shape):
        strides.append(step)
        step *= length
    return tuple(reversed(strides))


def inline_array(node: Any) -> np.ndarray:
    """Array of an ndarray node whose elements stand in the tree.

    Parameters
    ----------
    node : TaggedDict or list
        An ndarray node, or the bare list of its elements.

    Returns
    -------
    ndarray
        Of the dtype that the node states, else of what numpy makes of the elements.
    """
    data = node["data"] if isinstance(node, dict) else node
    datatype = node.get("datatype") if isinstance(node, dict) else None
    if datatype is None:
        return np.array(data)
    dtype = dtype_of(datatype).newbyteorder("=")
    if dtype.names:
        data = _tuples(data)
    array = np.array(data, dtype=dtype)
    shape = node.get("shape")
    return array.reshape(shape) if shape and array.ndim != len(shape) else array


def _tuples(data):
    """Records of an inline structured array as tuples, which numpy wants."""
    if data and isinstance(data[0], list) and data[0] and isinstance(data[0][0], list):
        return [_tuples(row) for row in data]
    return [tuple(row) for row in data]


def lines_of(info: ArrayInfo) -> tuple[int, int, int] | None:
    """An array as equally spaced lines of bytes, or None where it is not that.

    Parameters
    ----------
    info : ArrayInfo
        What the array is and where.

    Returns
    -------
    (int, int, int) or None
        Number of lines (all axes but the last), bytes of a line, and bytes from one to the next.
    """
    itemsize = info.dtype.itemsize
    if not info.shape:
        return 1, itemsize, itemsize
    if 0 in info.shape or (info.shape[-1] > 1 and info.strides[-1] != itemsize):
        return None
    width = info.shape[-1] * itemsize
    pitch = info.strides[-2] if len(info.shape) > 1 else width
    step = pitch
    for length, stride in zip(reversed(info.shape[:-1]), reversed(info.strides[:-1]), strict=True):
        if length > 1 and stride != step:
            return None
        step *= length
    count = int(np.prod(info.shape[:-1], dtype=np.int64))
    if count == 1:
        return 1, width, width
    return (count, width, pitch) if pitch >= width else None
