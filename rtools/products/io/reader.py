"""Opening a product of any age: metadata at once, arrays when asked for, by columns or rows where that is enough."""

import math
import os
import threading
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property, partial

import numpy as np

from rtools.errors import InputError
from rtools.products.io import arrays, blocks, checksums, header
from rtools.products.io.reading import Reading, one_by_one, run_all
from rtools.products.schema import layout, nodes

__all__ = ["Product", "open_product"]


def open_product(path, kinds=None, *, others=False):
    """Open a Roman product or reference file.

    Parameters
    ----------
    path : str or os.PathLike
    kinds : iterable of str, optional
        Kinds that are wanted (`Product.kind`), ``reference`` for any reference file; any by default.
    others : bool
        Open ASDF files that are no Roman product, too: the kind is ``truth`` or ``other``, the tree the whole one.

    Returns
    -------
    Product

    Raises
    ------
    InputError
        Missing, a directory, empty, truncated, not ASDF, without a ``roman`` tree, of an unknown tag, or of a kind
        that is not wanted.
    """
    tree, about, table = header.read_header(path)
    kind, profile, root, problem = _root(tree)
    if problem and not others:
        raise InputError(problem, path=path)
    product = Product(path, kind, profile, root, about, table)
    product.problem = problem
    if kinds is not None and product.kind not in kinds:
        raise InputError(f"is {_described(product)}, wanted {' or '.join(_words(kind) for kind in kinds)}", path=path)
    return product


def _root(tree):
    """Kind, profile and root of a tree, and why it is none of a Roman product, if it is none."""
    roman, whole = tree.get("roman"), nodes.TaggedDict(tree, getattr(tree, "tag", None))
    if not isinstance(roman, dict):
        kind = layout.kind_of_tree(tree)
        what = "the truth of an rt-sim exposure" if kind == "truth" else "an ASDF file without a roman tree"
        return kind, layout.DEFAULT_PROFILE, whole, f"no Roman product: {what}"
    tag = getattr(roman, "tag", None)
    kind, profile = layout.kind_of(tag or "")
    if kind is None:
        return "other", profile, whole, f"no Roman product: an unknown kind of product (tag {tag or 'missing'})"
    if not isinstance(roman.get("meta"), dict):
        return "other", profile, whole, "no Roman product: the tree has no roman.meta"
    return kind, profile, roman, None


def _described(product):
    words = product.reftype or _words(product.kind)
    words = f"{words} reference" if product.reftype else words
    article = "an" if words[0] in "aeioul" else "a"
    return f"{article} {words}"


def _words(kind):
    """``l2_image (_cal)``: a kind with the suffix that one knows it by."""
    if kind == "reference" or kind.startswith("reference/"):
        return kind
    known = layout.suffixes(kind)
    if "cal" in known or len(known) < 2:
        return f"{kind} (_{'cal' if 'cal' in known else known[0]})"
    return f"{kind} (_{known[0]} … _{known[-1]})"


class Product:
    """One opened file.

    Attributes
    ----------
    path : str or os.PathLike
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
        Why the file is no Roman product.
    """

    problem = None

    def __init__(self, path, kind, profile, tree, about, table):
        self.path = path
        self.reftype = kind.partition("/")[2] or None
        self.kind = "reference" if self.reftype else kind
        self.profile = profile
        self.tag = tree.tag or ""
        self.tree = tree
        self.about = about
        self._table = table
        self._file = None
        self._vouched = set()
        self._lock = threading.Lock()

    @cached_property
    def meta(self):
        """Metadata below ``roman.meta`` in today's form: plain but for times, WCS and other tagged nodes."""
        meta = self.tree.get("meta")
        self._attach(meta)
        return nodes.normalise(meta) if isinstance(meta, dict) else {}

    @cached_property
    def content(self):
        """The whole tree below ``roman``, as `meta`; its arrays are nodes that load themselves."""
        self._attach(self.tree)
        return nodes.normalise(self.tree)

    @cached_property
    def arrays(self):
        """Dotted path below ``roman`` to `ArrayInfo`, of every array outside ``meta``."""
        found = {}
        try:
            self._collect({key: value for key, value in self.tree.items() if key != "meta"}, "", found)
        except (InputError, KeyError, TypeError, ValueError) as error:
            raise InputError(f"an array of the tree is damaged ({error})", path=self.path) from None
        return found

    @property
    def history(self):
        """History entries of the file, plain dicts, oldest first."""
        history = self.about.get("history") or {}
        entries = history.get("entries", []) if isinstance(history, dict) else history
        return [nodes.plain(entry) for entry in entries]

    @property
    def blocks(self):
        """`rtools.products.io.header.Block` of every block of the file, in order."""
        return self._table

    def has(self, name):
        """Whether there is an array of this name."""
        return name in self.arrays

    def leave_out(self, name):
        """Take the array `name` for one that the file does not have."""
        del self.arrays[name]
        del self.tree[name]

    def checks(self, names):
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
        return [job for block in found if block is not None for job in self._check_jobs(block)]

    def array(self, name, threads=1, *, part=False):
        """A whole array.

        Parameters
        ----------
        name : str
            Dotted path.
        threads : int
            For decoding.
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
            for job in () if part else self._check_jobs(info.block):
                job()
            return self._mapped(info)
        lines = info.shape[0] if info.shape else 1
        return self._read(info, 0, lines, None, threads)

    def columns(self, name, start, stop, threads=1):
        """``array[..., start:stop]``, contiguous and its own; the whole array is never in memory."""
        return self.spans(name, [(start, stop)]).finish(threads)[0]

    def rows(self, name, start, stop, threads=1):
        """``array[start:stop]`` along the leading axis; only the chunks that hold it are decoded."""
        return self.row_spans(name, [(start, stop)]).finish(threads)[0]

    def section(self, name, rows, columns, threads=1):
        """``array[..., rows, columns]`` of the last two axes, its own; what holds none of it is not decoded."""
        info = self._info(name)
        if info.block is None or 0 in info.shape:
            return np.array(self.array(name, part=True)[..., rows, columns])
        (first, last, _), (start, stop, _) = rows.indices(info.shape[-2]), columns.indices(info.shape[-1])
        if info.compression not in ("", "lz4") or not info.dtype.isnative or arrays.lines_of(info) is None:
            return np.ascontiguousarray(self.columns(name, start, stop, threads)[..., rows, :])
        height, width = info.shape[-2:]
        if (last - first, stop - start) == (height, width):
            run_all(self._check_jobs(info.block), threads)
        count = math.prod(info.shape[:-2])
        stacked = replace(info, shape=(count * height, width), strides=info.strides[-2:])
        lines = range(first, count * height, height)
        planes = [self._read(stacked, line, line + last - first, (start, stop), threads) for line in lines]
        return np.stack(planes).reshape(*info.shape[:-2], last - first, stop - start)

    def plane(self, name, number, rows=slice(None)):
        """``array[number, rows]`` of a cube, its own; nothing else of it is decoded."""
        info = self._info(name)
        if info.block is None or len(info.shape) != 3 or arrays.lines_of(info) is None:
            return self.rows(name, number, number + 1)[0][rows]
        count, height, width = info.shape
        first, last, _step = rows.indices(height)
        stacked = replace(info, shape=(count * height, width), strides=info.strides[-2:])
        start = number * height
        return self._read(stacked, start + first, start + max(first, last), None, 1)

    def spans(self, name, spans):
        """A `Reading` of ``array[..., start:stop]`` for each (start, stop); every chunk is decoded once."""
        info = self._info(name)
        columns = [slice(*span).indices(info.shape[-1]) for span in spans]
        cuts = [(0, info.shape[0], (start, max(start, stop))) for start, stop, _step in columns]
        return self._reading(info, cuts)

    def row_spans(self, name, spans):
        """A `Reading` of ``array[start:stop]`` for each (start, stop)."""
        info = self._info(name)
        rows = [slice(*span).indices(info.shape[0]) for span in spans]
        return self._reading(info, [(start, max(start, stop), None) for start, stop, _step in rows])

    def node(self, path):
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
        self._attach(node)
        try:
            return nodes.plain(node, array=lambda found: found.load())
        except TypeError:
            from rtools.products.io.serial import convert

            made = convert(node)
        if hasattr(made, "forward_transform") or hasattr(made, "param_names"):
            from rtools.products.io.unitless import plain_transform

            with self._named():
                return plain_transform(made)
        return made

    def close(self):
        """Close the file; maps handed out stay valid."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self.close()

    # -- inside ---------------------------------------------------------------------------------------------------

    def _collect(self, node, path, found):
        inner, unit = arrays.unwrap(node)
        if inner is not None:
            found[path] = arrays.array_info(inner, self._table, unit)
        elif isinstance(node, dict) and not nodes.is_foreign(node):
            for key, value in node.items():
                self._collect(value, f"{path}.{key}" if path else str(key), found)

    def _attach(self, node):
        """Give each ndarray node below `node` the means to load itself."""
        stack, seen = [node], set()
        while stack:
            node = stack.pop()
            if id(node) in seen:
                continue
            seen.add(id(node))
            if nodes.is_array(node):
                node.load = self._loader(node)
            elif isinstance(node, dict):
                stack.extend(value for value in node.values() if isinstance(value, dict | list))
            elif isinstance(node, list):
                stack.extend(value for value in node if isinstance(value, dict | list))

    def _loader(self, node):
        def load():
            info = arrays.array_info(node, self._table)
            return self._read(info, 0, info.shape[0] if info.shape else 1, None, 1)

        return load

    def _info(self, name):
        try:
            return self.arrays[name]
        except KeyError:
            raise InputError(f"the array {name} is missing", path=self.path) from None

    def _descriptor(self):
        # A file object closes itself where nobody closes the product. A __del__ here could do that, too, but Python
        # drops what is raised in it, and a Ctrl-C may be.
        with self._lock:
            if self._file is None:
                self._file = open(self.path, "rb", buffering=0)  # noqa: SIM115
            return self._file.fileno()

    def _mapped(self, info):
        flat = np.memmap(self.path, np.uint8, "r", offset=info.block.offset, shape=(info.block.size,))
        return np.ndarray(info.shape, info.dtype, buffer=flat, offset=info.offset, strides=info.strides)

    def _read(self, info, first, last, span, threads):
        """Items [first, last) of the leading axis, and columns `span` of the last one."""
        return self._reading(info, [(first, last, span)]).finish(threads)[0]

    def _reading(self, info, cuts):
        """A `Reading` of (first, last, span) each: items of the leading axis, columns of the last one or None."""
        shapes = [_cut_shape(info.shape, *cut) for cut in cuts]
        native = info.dtype if info.dtype.names else info.dtype.newbyteorder("=")
        lines = None if info.block is None else arrays.lines_of(info)
        if lines is None or 0 in info.shape or info.compression not in blocks.KNOWN or native != info.dtype:
            return one_by_one(lambda *cut: self._unusual(info, *cut), cuts, shapes, native)
        reading = Reading([], shapes, info.dtype)
        kept = [number for number, shape in enumerate(shapes) if 0 not in shape]
        wanted = [_cut_lines(info, lines, *cuts[number]) for number in kept]

        def outs():
            flat = (reading.parts[number].reshape(-1).view(np.uint8) for number in kept)
            return [out.reshape(cut.count, cut.width) for cut, out in zip(wanted, flat, strict=True)]

        if kept:
            reading.jobs = self._jobs(info.block, wanted, outs)
            if _is_whole(info.shape, cuts):
                reading.jobs += self._check_jobs(info.block)
        return reading

    def _check_jobs(self, block):
        """A job that compares a block with its checksum; none where it has none, or was compared already."""
        reference = self.reftype is not None
        with self._lock:
            if block.offset in self._vouched or block.checksum == checksums.NO_CHECKSUM or not checksums.checking():
                return []
            self._vouched.add(block.offset)
        if reference and checksums.is_remembered(self.path, block):
            return []

        def check():
            if checksums.md5_of(self._descriptor(), block) != block.checksum:
                mend = "fetch the file again, or take it as it is with --no-checksum"
                raise InputError(f"{self._holds(block)} is damaged: its MD5 is another", mend=mend, path=self.path)
            if reference:
                checksums.remember(self.path, block)

        return [check]

    def _unusual(self, info, first, last, span):
        """As `_reading` of one cut, of an inline array, odd strides, other byte orders, unknown compression."""
        if info.block is None:
            whole = arrays.inline_array(info.node)
        else:
            for job in self._check_jobs(info.block):
                job()
            whole = np.ndarray(info.shape, info.dtype, self._block(info.block), info.offset, info.strides)
        if whole.ndim == 0:
            return whole
        if span is not None and whole.ndim == 1:
            return whole[slice(*span)]
        return whole[first:last] if span is None else whole[first:last, ..., slice(*span)]

    def _block(self, block):
        """All bytes of a block: for arrays with odd strides, and for compressions that only asdf knows."""
        if block.compression not in blocks.KNOWN:
            from rtools.products.io.serial import block_by_asdf

            return block_by_asdf(os.pread(self._descriptor(), block.used, block.offset), block)
        out = np.empty((1, block.size), np.uint8)
        for job in self._jobs(block, [blocks.Lines(0, 1, block.size, block.size)], lambda: [out]):
            job()
        return out

    def _jobs(self, block, wanted, outs):
        """`blocks.line_jobs`, whose errors name this file."""

        def named(job):
            with self._named(block):
                job()

        with self._named(block):
            return [partial(named, job) for job in blocks.line_jobs(self._descriptor(), block, wanted, outs)]

    def _holds(self, block):
        """What a block holds, in words."""
        name = next((key for key, info in self.arrays.items() if info.block == block), None)
        return "an array of the metadata" if name is None else f"the array {name}"

    @contextmanager
    def _named(self, block=None):
        """Let errors name this file, and what the block holds where it is one that is damaged."""
        try:
            yield
        except InputError as error:
            if block is not None and error.message.startswith("damaged: "):
                error.message = f"{self._holds(block)} is {error.message}"
            error.path = self.path
            raise


def _is_whole(shape, cuts):
    """Whether cuts (first, last, span) along one axis, the leading or the last one, are together all of an array."""
    leading = [(first, last) for first, last, _span in cuts]
    columns = [(0, shape[-1]) if span is None else span for _first, _last, span in cuts]
    rows = (0, shape[0]) if shape else (0, 1)
    across = set(leading) == {rows} and _joined(columns, shape[-1] if shape else 1)
    along = set(columns) == {(0, shape[-1])} and _joined(leading, rows[1]) if shape else True
    return across or along


def _joined(spans, length):
    """Whether spans that rise cover [0, length)."""
    reached = 0
    for start, stop in spans:
        if start > reached:
            return False
        reached = max(reached, stop)
    return reached >= length


def _cut_shape(shape, first, last, span):
    """Shape of items [first, last) and columns `span` of an array."""
    if not shape:
        return ()
    if span is None:
        return (last - first, *shape[1:])
    start, stop = span
    return (stop - start,) if len(shape) == 1 else (last - first, *shape[1:-1], stop - start)


def _cut_lines(info, lines, first, last, span):
    """The `blocks.Lines` of a cut that is not empty."""
    count, _width, pitch = lines
    itemsize = info.dtype.itemsize
    if len(info.shape) < 2:
        first, last = span or (first, last)
        width = (last - first) * itemsize
        return blocks.Lines(info.offset + first * itemsize, 1, width, width)
    start, stop = span or (0, info.shape[-1])
    per_item = count // info.shape[0]
    offset = info.offset + first * per_item * pitch + start * itemsize
    count, width = per_item * (last - first), (stop - start) * itemsize
    if width == pitch:
        count, width, pitch = 1, count * width, count * width
    return blocks.Lines(offset, count, width, pitch)
