"""What catalogs say of themselves: metadata and columns of parquet and ECSV files, without reading their rows.

The archive's parquet files hold flat keys and strings, ``roman.meta.exposure.type``; they become a tree again, with the
types that the product's schema gives them.
"""

from dataclasses import dataclass

import yaml

from rtools.errors import InputError
from rtools.products import layout

__all__ = ["Column", "Table", "read_table"]

ROOT = "roman."
TABLE_KEY = "table_meta_yaml"
NOT_OURS = ("ARROW:schema", "pandas", TABLE_KEY)


@dataclass(frozen=True)
class Column:
    """One column: name, type as the file names it, unit and description or None."""

    name: str
    dtype: str
    unit: str | None = None
    description: str | None = None


@dataclass(frozen=True)
class Table:
    """A catalog's `tree` (as below ``roman`` of an ASDF file), `columns`, number of `rows`, and `compression`."""

    tree: dict
    columns: tuple
    rows: int
    compression: str = ""


def read_table(path, form):
    """Metadata and columns of a catalog.

    Parameters
    ----------
    path : str or os.PathLike
    form : str
        ``parquet`` or ``ecsv``.

    Returns
    -------
    Table

    Raises
    ------
    InputError
        The file is damaged.
    """
    return _parquet(path) if form == "parquet" else _ecsv(path)


def _parquet(path):
    import pyarrow
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path) as file:
            about, schema = file.metadata, file.schema_arrow
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise InputError(f"a damaged or truncated parquet file ({' '.join(str(error).split())})", path=path) from None
    said = {_text(key): _text(value) for key, value in (schema.metadata or {}).items()}
    described = _described(said.get(TABLE_KEY))
    columns = tuple(_parquet_column(field, described.get(field.name, {})) for field in schema)
    tree = _tree({key: value for key, value in said.items() if key not in NOT_OURS})
    compression = ""
    if about.num_row_groups and about.num_columns:
        compression = about.row_group(0).column(0).compression.lower().replace("uncompressed", "")
    return Table(tree, columns, about.num_rows, compression)


def _text(data):
    return data.decode("utf-8", "replace")


def _described(text):
    """Name of each column to astropy's description of it."""
    try:
        listed = yaml.load(text or "", Loader=_Loader)
        return {entry["name"]: entry for entry in listed["datatype"]}
    except (yaml.YAMLError, KeyError, TypeError):
        return {}


def _parquet_column(field, described):
    unit = _text((field.metadata or {}).get(b"unit", b""))
    unit = described.get("unit") if unit in ("", "None") else unit
    return Column(field.name, str(field.type), unit and str(unit), described.get("description"))


def _ecsv(path):
    lines, rows = [], -1  # the line of names is no row
    try:
        with open(path, encoding="utf-8") as file:
            for line in file:
                if line.startswith("#") and rows < 0:
                    lines.append(line[1:].removeprefix(" "))
                elif line.strip():
                    rows += 1
        head = yaml.load("".join(line for line in lines if not line.startswith("%")), Loader=_Loader)
        columns = tuple(
            Column(str(one["name"]), str(one["datatype"]), one.get("unit"), one.get("description"))
            for one in head["datatype"]
        )
    except (yaml.YAMLError, UnicodeDecodeError, KeyError, TypeError, AttributeError) as error:
        problem = getattr(error, "problem", None) or f"{type(error).__name__}: {error}"
        raise InputError(f"a damaged ECSV header ({' '.join(str(problem).split())})", path=path) from None
    if rows < 0:
        raise InputError("truncated: the line of column names is missing", path=path)
    meta = head.get("meta") or {}
    meta = {} if not isinstance(meta, dict) else meta
    roman = meta.pop("roman", {})
    tree = _tree({str(key): value for key, value in meta.items()})
    return Table(tree | (roman if isinstance(roman, dict) else {}), columns, rows)


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    """A safe loader that drops tags which it does not know and keeps times as they are written."""


def _untagged(loader, _suffix, node):
    if isinstance(node, yaml.ScalarNode):
        return node.value
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_mapping(node, deep=True)


def _omap(loader, node):
    """A list of pairs, or of mappings with one key, as one mapping; it keeps their order."""
    return {key: value for pair in loader.construct_sequence(node, deep=True) for key, value in pair.items()}


_Loader.add_constructor("tag:yaml.org,2002:timestamp", lambda _loader, node: node.value)
_Loader.add_constructor("tag:yaml.org,2002:omap", _omap)
_Loader.add_multi_constructor(None, _untagged)


def _tree(flat):
    """Nested dicts and lists of flat dotted keys; what stands below ``roman`` comes first and is typed."""
    tree = {}
    for key, value in sorted(flat.items(), key=lambda item: not item[0].startswith(ROOT)):
        _put(tree, key.removeprefix(ROOT).split("."), value)
    tree = _lists(tree)
    if isinstance(tree.get("meta"), dict):
        _retype(tree["meta"])
    return tree


def _put(tree, parts, value):
    *blocks, last = parts
    for name in blocks:
        tree = tree.setdefault(name, {})
        if not isinstance(tree, dict):
            return  # a key that is a value and a block at once: the value, which came first, stays
    tree.setdefault(last, value)


def _lists(node):
    """Dicts whose keys are 0, 1, 2 … as lists."""
    if not isinstance(node, dict):
        return node
    made = {name: _lists(child) for name, child in node.items()}
    if made and all(name.isdecimal() for name in made) and {int(name) for name in made} == set(range(len(made))):
        return [made[name] for name in sorted(made, key=int)]
    return made


TYPES = {"integer": int, "number": float, "boolean": {"True": True, "False": False}.__getitem__}


def _retype(meta):
    """Give the strings of a product's metadata the types of its schema, in place."""
    from rtools.products.metadata import get, put

    kind = next((name for name, entry in layout.facts()["products"].items()
                 if entry.get("model") == meta.get("model_type")), None)  # fmt: skip
    if kind is None:
        return
    for field in layout.fields(kind):
        convert = TYPES.get(field.type.split("|")[0])
        text = get(meta, field.path)
        if convert and isinstance(text, str):
            try:
                put(meta, field.path, convert(text))
            except (KeyError, ValueError):
                continue
    pattern = get(meta, "exposure.read_pattern")
    if isinstance(pattern, list):
        numbers = [[int(read) if str(read).isdecimal() else read for read in reads] for reads in pattern]
        put(meta, "exposure.read_pattern", numbers)
