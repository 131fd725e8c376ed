"""An opened file: metadata at once, arrays when asked for, by columns or rows where that is enough."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.errors import InputError
from rtools.products.io import arrays
from rtools.products.io.reading import Reading, run_all
from rtools.products.io.stored import StoredArrays
from rtools.products.schema import nodes
from rtools.wfi import dq
from rtools.work import ALONE, Work

if TYPE_CHECKING:
    from rtools.products.io.header import StoredBlock

__all__ = ["Product"]


class Product:
    """One opened file.

    Attributes
    ----------
    path : str or Path
        The file.
    kind : str
        ``l1_uncal``, ``ramp``, ``l2_image`` … as products.json names them; ``reference`` for a reference file.
    reftype : str or None
        Reference type, in lower case.
    profile : str
        The profile whose tags the file has, or the nearest.
    tag : str
        Of the root.
    tree : TaggedDict
        Below ``roman``, as it is in the file.
    about : dict
        ``asdf_library`` and ``history``.
    problem : str or None
        Why the file is not a Roman product.
    mission : str
        ``roman``; this and what `rtools.products.io.face` lists is the same for products of other missions.
    """

    problem = None
    mission = "roman"

    def __init__(
        self,
        path: str | Path,
        kind: str,
        profile: str,
        tree: nodes.TaggedDict,
        about: Mapping[str, Any],
        table: list[StoredBlock],
    ) -> None:
        self.path = path
        self.reftype = kind.partition("/")[2] or None
        self.kind = "reference" if self.reftype else kind
        self.profile = profile
        self.tag = tree.tag or ""
        self.tree = tree
        self.about = about
        self._table = table
        self._stored = StoredArrays(path, is_reference=self.reftype is not None)

    @cached_property
    def meta(self) -> dict[str, Any]:
        """Metadata below ``roman.meta`` in today's form: plain but for times, WCS and other tagged nodes."""
        meta = self.tree.get("meta")
        self.attach(meta)
        return nodes.normalise(meta) if isinstance(meta, dict) else {}

    @cached_property
    def content(self) -> dict[str, Any]:
        """The whole tree below ``roman``, as `meta`; its arrays are nodes that load themselves."""
        self.attach(self.tree)
        return nodes.normalise(self.tree)

    @cached_property
    def arrays(self) -> dict[str, arrays.ArrayInfo]:
        """Dotted path below ``roman`` to `ArrayInfo`, of every array outside ``meta``."""
        found: dict[str, arrays.ArrayInfo] = {}
        try:
            self._collect({key: value for key, value in self.tree.items() if key != "meta"}, "", found)
        except (InputError, KeyError, TypeError, ValueError) as error:
            raise InputError(f"an array of the tree is damaged ({error})", path=self.path) from None
        for path, info in found.items():
            if info.block is not None:
                self._stored.owners.setdefault(info.block.offset, path)
        return found

    @property
    def history(self) -> list[dict[str, Any]]:
        """History entries of the file, plain dicts, oldest first."""
        history = self.about.get("history") or {}
        entries = history.get("entries", []) if isinstance(history, dict) else history
        return [nodes.plain(entry) for entry in entries]

    @property
    def blocks(self) -> list[StoredBlock]:
        """`rtools.products.io.header.StoredBlock` of every block of the file, in order."""
        return self._table

    def has(self, name: str) -> bool:
        """Whether there is an array of this name."""
        return name in self.arrays

    def flag_bits(self, name: str) -> dict[str, int] | None:
        """Names of the bits of an array of flags; None for any other array."""
        return dq.bits_of(name)

    def leave_out(self, name: str) -> None:
        """Take the array `name` for one that the file does not have."""
        del self.arrays[name]
        del self.tree[name]

    def checks(self, names: Iterable[str]) -> list[Callable[[], None]]:
        """Jobs that compare the blocks of some arrays with their checksums.

        Whatever reads whole arrays (`array`, and spans that cover one) does this itself; this is for those who read
        them piece by piece. A block is compared once.

        Parameters
        ----------
        names : iterable of str
            Arrays; those that the product does not have are passed over.

        Returns
        -------
        list of callable
            To be called once each, on any thread. They raise InputError, naming the array, if its bytes are others.
        """
        found = [self.arrays[name].block for name in names if name in self.arrays]
        return [job for block in found if block is not None for job in self._stored.check_jobs(block)]

    def array(self, name: str, work: Work = ALONE, *, part: bool = False) -> np.ndarray:
        """A whole array.

        Parameters
        ----------
        name : str
            Dotted path.
        work : rtools.work.Work
            Its threads decode.
        part : bool
            Only a part of it is looked at: where it is mapped its checksum is of no interest.

        Returns
        -------
        ndarray
            A read-only map of the file where it is plain, else decoded; native byte order where decoded.

        Raises
        ------
        InputError
            It is missing or damaged.
        """
        info = self._info(name)
        if info.block is not None and info.compression == "" and info.dtype.isnative and arrays.lines_of(info):
            for job in () if part else self._stored.check_jobs(info.block):
                job()
            return self._stored.mapped(info)
        lines = info.shape[0] if info.shape else 1
        return self._stored.read(info, 0, lines, None, work)

    def columns(self, name: str, start: int, stop: int, work: Work = ALONE) -> np.ndarray:
        """Columns of an array, ``array[..., start:stop]``; the whole array is never in memory.

        Parameters
        ----------
        name : str
            Dotted path.
        start, stop : int
            First column, and the one behind the last.
        work : rtools.work.Work
            Its threads decode.

        Returns
        -------
        ndarray
            ``(..., stop - start)``, native byte order.
        """
        return self.spans(name, [(start, stop)]).finish(work)[0]

    def rows(self, name: str, start: int, stop: int, work: Work = ALONE) -> np.ndarray:
        """Items of the leading axis, ``array[start:stop]``; only the chunks that hold them are decoded.

        Parameters
        ----------
        name : str
            Dotted path.
        start, stop : int
            First item, and the one behind the last.
        work : rtools.work.Work
            Its threads decode.

        Returns
        -------
        ndarray
            ``(stop - start, ...)``, native byte order.
        """
        return self.row_spans(name, [(start, stop)]).finish(work)[0]

    def section(self, name: str, rows: slice, columns: slice, work: Work = ALONE) -> np.ndarray:
        """A section of the last two axes, ``array[..., rows, columns]``; what holds none of it is not decoded.

        Parameters
        ----------
        name : str
            Dotted path; the array has two axes or more.
        rows, columns : slice
            Of the last axis but one, and of the last; without a step.
        work : rtools.work.Work
            Its threads decode.

        Returns
        -------
        ndarray
            ``(..., rows, columns)``, its own.
        """
        info = self._info(name)
        if info.block is None or 0 in info.shape:
            return np.array(self.array(name, part=True)[..., rows, columns])
        (first, last, _), (start, stop, _) = rows.indices(info.shape[-2]), columns.indices(info.shape[-1])
        if info.compression not in ("", "lz4") or not info.dtype.isnative or arrays.lines_of(info) is None:
            return np.ascontiguousarray(self.columns(name, start, stop, work)[..., rows, :])
        height, width = info.shape[-2:]
        if (last - first, stop - start) == (height, width):
            run_all(self._stored.check_jobs(info.block), work)
        count = math.prod(info.shape[:-2])
        stacked = replace(info, shape=(count * height, width), strides=info.strides[-2:])
        lines = range(first, count * height, height)
        planes = [self._stored.read(stacked, line, line + last - first, (start, stop), work) for line in lines]
        return np.stack(planes).reshape(*info.shape[:-2], last - first, stop - start)

    def plane(self, name: str, number: int, rows: slice = slice(None)) -> np.ndarray:
        """Rows of one plane of a cube, ``array[number, rows]``.

        Nothing else of the cube is decoded where it is stored in lines.

        Parameters
        ----------
        name : str
            Dotted path; the array has three axes.
        number : int
            Of the plane, from 0.
        rows : slice
            Rows of the plane; all by default.

        Returns
        -------
        ndarray
            Two axes, its own.
        """
        info = self._info(name)
        if info.block is None or len(info.shape) != 3 or arrays.lines_of(info) is None:
            return self.rows(name, number, number + 1)[0][rows]
        count, height, width = info.shape
        first, last, _step = rows.indices(height)
        stacked = replace(info, shape=(count * height, width), strides=info.strides[-2:])
        start = number * height
        return self._stored.read(stacked, start + first, start + max(first, last), None)

    def spans(self, name: str, spans: Iterable[tuple[int, int]]) -> Reading:
        """Columns of an array that are being read, ``array[..., start:stop]`` for each (start, stop).

        Every chunk of the array is decoded once.

        Parameters
        ----------
        name : str
            Dotted path.
        spans : iterable of (int, int)
            First column, and the one behind the last.

        Returns
        -------
        rtools.products.io.reading.Reading
            One part for each of `spans`.
        """
        info = self._info(name)
        columns = [slice(*span).indices(info.shape[-1]) for span in spans]
        cuts = [(0, info.shape[0], (start, max(start, stop))) for start, stop, _step in columns]
        return self._stored.reading(info, cuts)

    def row_spans(self, name: str, spans: Iterable[tuple[int, int]]) -> Reading:
        """Items of the leading axis that are being read, ``array[start:stop]`` for each (start, stop).

        Parameters
        ----------
        name : str
            Dotted path.
        spans : iterable of (int, int)
            First item, and the one behind the last.

        Returns
        -------
        rtools.products.io.reading.Reading
            One part for each of `spans`.
        """
        info = self._info(name)
        rows = [slice(*span).indices(info.shape[0]) for span in spans]
        return self._stored.reading(info, [(start, max(start, stop), None) for start, stop, _step in rows])

    def node(self, path: str) -> Any:
        """Part of the tree, converted: containers of plain values and arrays, or what asdf makes of a tagged node.

        Parameters
        ----------
        path : str
            Dotted, below ``roman``: ``meta.wcs``, ``decay_table``.

        Raises
        ------
        KeyError
            There is nothing there.
        """
        node = self.tree
        for key in path.split("."):
            node = node[int(key)] if isinstance(node, list) and key.isdigit() else node[key]
        self.attach(node)
        try:
            return nodes.plain(node, array=lambda found: found.load())
        except TypeError:
            made = self._converted(node, path)
        if hasattr(made, "forward_transform") or hasattr(made, "param_names"):
            from rtools.products.io.unitless import plain_transform

            with self._stored.named():
                return plain_transform(made)
        return made

    def _converted(self, node, path):
        """What asdf makes of a tagged node; what converters of other packages raise is not known."""
        from rtools.products.io.serial import convert

        try:
            return convert(node)
        except (InputError, MemoryError):
            raise
        except Exception as error:
            text = " ".join(str(error).split())
            raise InputError(f"{path} cannot be read ({type(error).__name__}: {text})", path=self.path) from error

    def attach(self, node: Any) -> None:
        """Give each array node the means to load itself.

        Parameters
        ----------
        node : object
            Part of the file's tree; what it holds is changed in place.
        """
        stack, seen = [node], set()
        while stack:
            node = stack.pop()
            if id(node) in seen:
                continue
            seen.add(id(node))
            if nodes.is_array(node):
                node.load = partial(self._stored.load, node, self._table)
            elif isinstance(node, dict):
                stack.extend(value for value in node.values() if isinstance(value, dict | list))
            elif isinstance(node, list):
                stack.extend(value for value in node if isinstance(value, dict | list))

    def close(self) -> None:
        """Close the file; maps handed out stay valid."""
        self._stored.close()

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self.close()

    def _collect(self, node, path, found):
        inner, unit = arrays.unwrap(node)
        if inner is not None:
            found[path] = arrays.array_info(inner, self._table, unit)
        elif isinstance(node, dict) and not nodes.is_foreign(node):
            for key, value in node.items():
                self._collect(value, f"{path}.{key}" if path else str(key), found)

    def _info(self, name):
        try:
            return self.arrays[name]
        except KeyError:
            raise InputError(f"the array {name} is missing", path=self.path) from None
