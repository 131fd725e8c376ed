"""Changing the metadata of a catalog: checked like those of a product, the rows and what is said of columns kept.

A parquet file is copied row group by row group under its new metadata; of an ECSV file the lines of ``meta`` in the
header are replaced, and every other line is copied.
"""

import json
import os
import re
import stat
from collections.abc import Iterable
from pathlib import Path

from rtools.errors import InputError
from rtools.products.edit import edit
from rtools.products.io import serial, staging
from rtools.products.schema import history, keys, layout, nodes, tags
from rtools.products.tables import flat as flatmeta
from rtools.products.tables.metadata import read_table
from rtools.products.tables.parquet_files import parquet_source
from rtools.wfi.metadata import get, put

__all__ = ["CatalogEdit"]

TOP_LEVEL = re.compile(rb"# [A-Za-z_]")
"""How a line of an ECSV header begins that ends what was before it."""


class CatalogEdit(edit.Edit):
    """A parquet or ECSV catalog whose metadata are being changed; as `rtools.products.edit.edit.Edit`."""

    def __init__(self, path: str | Path, form: str) -> None:
        self.path = path
        self.form = form
        self.changes = {}
        self.table = read_table(path, form)
        self.tree = self.table.tree
        kind = self.table.kind
        fields = layout.fields(kind) if kind else ()
        self._types = {("meta", *field.path.split(".")): field.type for field in fields}

    def check(self) -> str | None:
        """As `Edit.check`, by the schema that `meta.model_type` names; what flat metadata lack is not a problem."""
        kind = self.table.kind
        if kind is None:
            return "its model_type is not that of a product: nothing was checked"
        caused = self._problems(kind, self.tree)
        known = self._problems(kind, read_table(self.path, self.form).tree) if caused else []
        self._refuse([problem for problem in caused if problem not in known])
        return None

    def _problems(self, kind, tree):
        profile = layout.DEFAULT_PROFILE if tags.has(layout.DEFAULT_PROFILE, kind) else layout.PROFILES[-1]
        tag = tags.tag(kind, profile)
        meta = _copied(tree.get("meta") or {})
        for field in layout.fields(kind):
            text = get(meta, field.path)
            if "time" in field.type.split("|") and isinstance(text, str):
                put(meta, field.path, nodes.time(text))
        return serial.problems(nodes.TaggedDict({"meta": meta}, tag), tags.manifest_of(tag) or tag)

    def stage(self, path: str | Path, *, tool: str, inputs: Iterable[str]) -> staging.Stage:
        """As `Edit.stage`."""
        stamped = self._stamp(os.path.basename(path))
        changed = {key: new for key, (_old, new) in self.changes.items()}
        entry = history.entry(tool, parameters=changed, inputs=inputs, is_edit=True)
        stage = staging.Stage(path)
        with open(self.path, "rb") as stored, stage.open() as file:
            os.fchmod(file.fileno(), stat.S_IMODE(os.fstat(stored.fileno()).st_mode))
            write = _write_parquet if self.form == "parquet" else _write_ecsv
            write(self.path, file, self._whole_lists(changed) | stamped, entry)
        return stage

    def _whole_lists(self, changed):
        """The changes, those inside a list as that of the list."""
        found = {}
        for key, value in changed.items():
            parts = key.split(".")
            above = (parts[:count] for count in range(1, len(parts)))
            listed = next((path for path in above if isinstance(get(self.tree, ".".join(path)), list)), None)
            name = ".".join(listed or parts)
            found[name] = keys.bare(get(self.tree, name)) if listed else value
        return found


def _copied(node):
    """A tree of plain containers, copied."""
    if isinstance(node, dict):
        return {key: _copied(value) for key, value in node.items()}
    return [_copied(value) for value in node] if isinstance(node, list) else node


# -- parquet ----------------------------------------------------------------------------------------------------------


def _write_parquet(path, file, values, entry):
    """The row groups of a parquet file under other metadata, compressed as they were."""
    import pyarrow
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(parquet_source(path)) as stored:
            flat = _flat_changed(_decoded(stored.schema_arrow.metadata), values, entry)
            schema = stored.schema_arrow.with_metadata({key: _bytes(value) for key, value in flat.items()})
            with parquet.ParquetWriter(file, schema, compression=_codecs(stored.metadata)) as writer:
                for number in range(stored.num_row_groups):
                    rows = stored.read_row_group(number).cast(schema)
                    writer.write_table(rows, row_group_size=max(1, len(rows)))
    except (pyarrow.ArrowException, ValueError) as error:
        raise InputError(f"cannot be copied ({' '.join(str(error).split())})", path=path) from None


def _decoded(stored):
    return {key.decode("utf-8", "surrogateescape"): value.decode("utf-8", "surrogateescape")
            for key, value in (stored or {}).items()}  # fmt: skip


def _bytes(text):
    return text.encode("utf-8", "surrogateescape")


def _codecs(about):
    """Compression of each column, as that of the first row group."""
    if not about.num_row_groups:
        return "none"
    chunks = [about.row_group(0).column(number) for number in range(about.num_columns)]
    return {chunk.path_in_schema: chunk.compression.replace("UNCOMPRESSED", "NONE") for chunk in chunks}


def _flat_changed(flat, values, entry):
    for key, value in values.items():
        flat = flatmeta.replace(flat, key.split("."), value)
    return flatmeta.record(flat, entry)


# -- ECSV -------------------------------------------------------------------------------------------------------------


def _write_ecsv(path, file, values, entry):
    """An ECSV file with other lines of ``meta`` in its header."""
    with open(path, "rb") as stored:
        head, rest = [], b""
        for line in stored:
            if not line.startswith(b"#"):
                rest = line
                break
            head.append(line)
        first = next((n for n, line in enumerate(head) if line.startswith(b"# meta:")), len(head))
        stop = next((n for n in range(first + 1, len(head)) if TOP_LEVEL.match(head[n])), len(head))
        made = _meta_lines(_ecsv_changed(_ecsv_meta(head), values, entry))
        file.writelines([*head[:first], *made, *head[stop:], rest])
        while data := stored.read(edit.WINDOW):
            file.write(data)


def _ecsv_meta(head):
    from astropy.table.meta import get_header_from_yaml

    lines = (line.decode("utf-8").rstrip("\r\n").removeprefix("#").removeprefix(" ") for line in head)
    found = get_header_from_yaml([line for line in lines if not line.startswith("%")]).get("meta")
    return found if isinstance(found, dict) else {}


def _ecsv_changed(meta, values, entry):
    """Metadata of an ECSV file, where they are a tree or flat keys, with other values."""
    if not isinstance(meta.get("roman"), dict):
        flat = {key: value for key, value in meta.items() if isinstance(value, str)}
        return _merged(meta, flat, _flat_changed(flat, values, entry))
    for key, value in values.items():
        path = tuple(key.split("."))
        inside = path[0] == "meta" or path[0] in meta["roman"] or path[0] not in meta
        keys.assign(meta["roman"] if inside else meta, path, value)
    listed = meta.get(flatmeta.HISTORY)
    listed = listed if isinstance(listed, list) else []
    return {**meta, flatmeta.HISTORY: [*listed, nodes.readable(json.dumps(entry, ensure_ascii=False))]}


def _merged(meta, before, after):
    """Metadata whose flat part has become another."""
    return {key: after.get(key, value) for key, value in meta.items() if key in after or key not in before} | after


def _meta_lines(meta):
    """Lines ``meta: …`` of an ECSV header, as astropy writes them."""
    from collections import OrderedDict

    from astropy.table.meta import get_yaml_from_header

    lines = get_yaml_from_header({"cols": [], "meta": OrderedDict(meta)})
    first = next(n for n, line in enumerate(lines) if line.startswith("meta:"))
    return [f"# {line}\n".encode() for line in lines[first:]]
