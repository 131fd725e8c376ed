"""Between our trees and asdf: dumping YAML with the schemas checked, converting tagged nodes, unusual arrays.

The only module that imports asdf. Block arrays never pass through it: the tree that asdf dumps has their nodes with
``source`` filled in already.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import PurePath
from typing import Any

import numpy as np
import yaml

from rtools.errors import InputError, RtoolsError, UsageError
from rtools.products.io.arrays import array_node
from rtools.products.io.extensions import find_extensions, manifest_from_uri, schemas_read_once
from rtools.products.io.header import BLOCK_HEADER, BLOCK_MAGIC, StoredBlock
from rtools.products.schema import nodes
from rtools.wfi.times import iso_time

__all__ = ["INLINE", "block_by_asdf", "convert", "dump", "manifest", "problem", "problems", "to_asdf"]

INLINE = 512
"""Arrays with fewer elements stand in the tree, as other writers of Roman files do."""

VERSION = "1.6.0"
"""ASDF standard."""


@cache
def manifest(name: str) -> Any:
    """The asdf extension of a manifest (``datamodels-2.1.0``): tags to schemas.

    Parameters
    ----------
    name : str
        Of the manifest, without its address.

    Returns
    -------
    asdf.extension.Extension
        Of asdf's ``ManifestExtension``.

    Raises
    ------
    UsageError
        The installed rad has no such manifest.
    """
    from asdf.extension import ManifestExtension

    try:
        return manifest_from_uri(ManifestExtension, f"asdf://stsci.edu/datamodels/roman/manifests/{name}")
    except KeyError:
        raise UsageError(f"the installed rad has no manifest {name}", mend="install rad 1.2 or newer") from None


def to_asdf(node: Any, store: Callable[[np.ndarray], Any] | None, *, raw: bool = False) -> Any:
    """A tree of plain, light and foreign nodes as asdf dumps it.

    Parameters
    ----------
    node : object
        Any part of a tree.
    store : callable or None
        ``store(array)``: the node of an array in a block, or the array itself, which then stands in the tree. None for
        a tree without arrays.
    raw : bool
        Keep the tree as it was read: Roman tags and array nodes, too.

    Returns
    -------
    object
        Plain containers, asdf.tagged nodes, arrays, foreign objects. Roman tags are dropped, numpy scalars, paths and
        times converted; a node that occurs twice stays one node.
    """
    return _Converter(store, raw).convert(node, "")


class _Converter:
    def __init__(self, store, raw):
        from asdf import tagged

        self.raw = raw
        self.tagged = tagged
        self.store = store
        self.done = {}

    def convert(self, node, path):
        if isinstance(node, bool | int | float | complex | None) and not isinstance(node, np.generic):
            return node
        if id(node) in self.done:
            return self.done[id(node)][0]
        made = self._convert(node, path)
        self.done[id(node)] = (made, node)  # the node is kept, so that its id stays its own
        return made

    def _convert(self, node, path):
        tag = getattr(node, "tag", None) if isinstance(node, str | dict | list) else None
        if tag and tag.startswith(nodes.ROMAN_TAG) and path and not self.raw:
            tag = None
        if nodes.is_array(node) and node.load is not None and not self.raw:
            return self._array(node.load(), path)
        if isinstance(node, str | PurePath):
            text = nodes.readable(str(node))
            return self.tagged.tag_object(tag, text) if tag else text
        if isinstance(node, dict):
            mapping = {_key(key): self.convert(value, f"{path}.{key}") for key, value in node.items()}
            return self.tagged.TaggedDict(mapping, tag) if tag else mapping
        if isinstance(node, list | tuple):
            made = [self.convert(value, f"{path}.{place}") for place, value in enumerate(node)]
            return self.tagged.TaggedList(made, tag) if tag else made
        if isinstance(node, np.generic) and not isinstance(node, np.void):
            return node.item()
        if isinstance(node, np.ndarray):
            return self._array(node, path)
        if hasattr(node, "isot") and hasattr(node, "scale"):
            return self.tagged.tag_object(nodes.TIME_TAG, iso_time(node))
        return node

    def _array(self, array, path):
        if type(array) not in (np.ndarray, np.memmap):
            raise InputError(f"{path.lstrip('.')}: a {type(array).__name__}, not a plain array")
        node = self.store(array)
        if isinstance(node, dict):
            return self.tagged.TaggedDict(dict(node), getattr(node, "tag", None))
        return node


def _key(key):
    return key.item() if isinstance(key, np.generic) else str(key) if isinstance(key, str) else key


def dump(
    roman: Any,
    *,
    profile: str | None = None,
    history: Iterable[Mapping[str, Any]] = (),
    extensions: Iterable[Mapping[str, Any]] = (),
    beside: Mapping[str, Any] | None = None,
    standard: str = VERSION,
    root: str = "roman",
) -> tuple[bytes, bytes]:
    """YAML of a tree, with the schemas of a profile checked.

    Parameters
    ----------
    roman : object
        As `to_asdf` makes it; stands under the key `root`.
    profile : str, optional
        Without it only asdf's own schemas are checked.
    history : iterable of mapping
        Entries, oldest first.
    extensions : iterable of mapping
        What the history of a file says of the extensions that its nodes need, as read.
    beside : mapping, optional
        What stands next to it in the tree.
    standard : str
        Version of the ASDF standard, which decides the versions of tags.
    root : str
        Key of the root.

    Returns
    -------
    (bytes, bytes)
        The file up to the end of the tree, and the blocks of arrays inside foreign objects.

    Raises
    ------
    InputError
        The tree does not fit the schema; the message names the key.
    """
    from asdf.exceptions import ValidationError

    buffer = io.BytesIO()
    with _settings(profile):
        file = _ordered_file()({root: roman} | dict(beside or {}), version=standard)
        if history or extensions:
            file["history"] = {
                "entries": [_history_entry(entry) for entry in history],
                "extensions": [to_asdf(one, None, raw=True) for one in extensions],
            }
        try:
            file.write_to(buffer)
        except ValidationError as error:
            raise InputError(describe(error)) from None
        except (TypeError, ValueError, RecursionError, yaml.YAMLError) as error:
            reason = " ".join(str(error.args[0] if error.args else error).split())
            raise RtoolsError(f"the tree cannot be written ({reason})") from error
    data = buffer.getvalue()
    end = data.index(b"\n...\n") + 5
    return data[:end], data[end:].split(b"#ASDF BLOCK INDEX")[0]


@cache
def _ordered_file():
    """asdf's file, which lists the extensions that it used in their order and not in that of a set.

    The order of a set differs from process to process, and so would the bytes of a product.
    """
    from asdf import AsdfFile

    class OrderedFile(AsdfFile):
        def _update_extension_history(self, tree, *args, **settings):
            super()._update_extension_history(tree, *args, **settings)
            tree["history"]["extensions"].sort(key=lambda one: sorted(map(str, one.items())))

    return OrderedFile


def _settings(profile):
    """asdf's settings that differ between its versions, the same everywhere, and the profile's schemas."""
    from contextlib import ExitStack

    import asdf

    stack = ExitStack()
    stack.enter_context(warnings.catch_warnings())
    warnings.filterwarnings("ignore", module="asdf.*")
    warnings.filterwarnings("ignore", category=asdf.exceptions.AsdfWarning)
    find_extensions()
    stack.enter_context(schemas_read_once())
    config = stack.enter_context(asdf.config_context())
    config.validate_on_read = False
    config.default_array_save_base = False
    config.array_inline_threshold = INLINE
    if profile is not None:
        config.add_extension(manifest(f"datamodels-{profile}"))
    return stack


def describe(error):
    """One line of a validation error: where in the tree, and what is wrong."""
    place = ".".join(str(key) for key in error.absolute_path)
    message = " ".join(error.message.split())
    return f"{place or 'the tree'}: {message if len(message) < 300 else message[:300] + ' …'}"


def _history_entry(entry):
    """An entry with a time and software in the form of the core schema; further keys are kept."""
    from asdf.tags.core import HistoryEntry, Software

    # What writes a product has put these into their place.
    entry = {key: one for key, one in entry.items() if key not in ("job", "companions", "main")}
    entry = to_asdf(entry, lambda array: array.tolist())
    software = entry.get("software", [])
    software = [Software(dict(one)) for one in (software if isinstance(software, list) else [software])]
    return HistoryEntry({**entry, "time": _datetime(entry.get("time")), "software": software})


def _datetime(value):
    from datetime import UTC, datetime

    if isinstance(value, datetime):
        return value
    found = datetime.fromisoformat(str(value)) if value else datetime.now(UTC)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def convert(node: Any) -> Any:
    """What asdf makes of a tagged node read without it: a gwcs, an astropy model, a table.

    Parameters
    ----------
    node : object
        A tagged node, its arrays able to load themselves (`rtools.products.io.product.Product.attach`).

    Returns
    -------
    object
        An object of whatever type asdf has for the tag.

    Raises
    ------
    InputError
        asdf cannot convert it.
    """
    import asdf
    from asdf.yamlutil import tagged_tree_to_custom_tree

    with _settings(None):
        return tagged_tree_to_custom_tree(to_asdf(node, lambda array: array), asdf.AsdfFile(version=VERSION))


def block_by_asdf(stored: bytes, block: StoredBlock) -> np.ndarray:
    """Bytes of a block whose compression only asdf (with a plugin) knows.

    Parameters
    ----------
    stored : bytes
        The block as it is in the file.
    block : rtools.products.io.header.StoredBlock
        What its header says of it.

    Returns
    -------
    ndarray uint8, (block.size,)

    Raises
    ------
    InputError
        asdf does not know it either.
    """
    import asdf

    node = array_node(np.empty(0, np.uint8), 0) | {"shape": [block.size]}
    tree, _blocks = dump(to_asdf(nodes.TaggedDict(node, nodes.NDARRAY_TAG), None))
    head = BLOCK_HEADER.pack(0, block.compression.encode("latin1"), block.used, block.used, block.size, bytes(16))
    single = io.BytesIO(tree + BLOCK_MAGIC + BLOCK_HEADER.size.to_bytes(2, "big") + head + stored)
    with _settings(None):
        try:
            with asdf.open(single, memmap=False) as file:
                return np.array(file["roman"])
        except (ValueError, RuntimeError, ImportError, OSError) as error:
            reason = " ".join(str(error).split())
            raise InputError(f"{block.compression} compression cannot be read ({reason})") from None


def problem(roman: Any, name: str) -> str | None:
    """The first of `problems`, or None.

    Parameters
    ----------
    roman : TaggedDict
        As in `problems`.
    name : str
        As in `problems`.

    Returns
    -------
    str or None
        One line.
    """
    return next(iter(problems(roman, name)), None)


def problems(roman: Any, name: str) -> list[str]:
    """What the schema of its own tag says against a tree, as it was read.

    Parameters
    ----------
    roman : TaggedDict
        The root, below ``roman``.
    name : str
        Of the manifest that has its tag (`tags.manifest_of`).

    Returns
    -------
    list of str
        One line each, as `describe` writes it.
    """
    import asdf

    with _settings(None):
        asdf.get_config().add_extension(manifest(name))
        tree = {"roman": to_asdf(roman, None, raw=True)}
        validator = asdf.schema.get_validator({}, asdf.AsdfFile(version=VERSION))
        return [describe(error) for error in validator.iter_errors(tree)]
