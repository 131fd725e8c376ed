"""What made a product: the record of its job in `meta.rtools.job`, and the fingerprint by which it is known again.

A record says the tool, its inputs, options, references, and the number `results` of each step; nothing of the run
around it, and no version. Files stand in it by their place relative to the product, and by a digest of their content.
The fingerprint covers all of that but places: it is the same wherever the files lie, and another one where any number
of the product may be another.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import md5
from pathlib import Path
from typing import Any, NamedTuple

from rtools.products.schema.nodes import readable
from rtools.remote import marks

__all__ = ["STREAM", "JobRecord", "JobWord", "ReadFile", "changes", "plain", "reference_entry", "relative"]

STREAM = "-"
"""Stands for a file that was read from a pipe."""

OF_PLACES = ("--ref", "--refdir", "--builtin", "--no-builtin", "--save-steps", "--strict", "--again", "--asn-id")
"""Words that say where references are, what files are called, what else is written or refused: no number of the product
depends on them."""


class ReadFile(NamedTuple):
    """A file that a job read.

    Attributes
    ----------
    path : str
        Absolute, or `STREAM`.
    digest : str
        Of its content (`rtools.products.io.digest`); empty where it is not known.
    """

    path: str
    digest: str = ""

    def beside(self, folder: str | Path) -> dict[str, str]:
        """Plain values, the path relative to a directory."""
        return {"file": relative(self.path, folder), "digest": self.digest}


class JobWord(NamedTuple):
    """A word of a command line, ``NAME=VALUE``.

    Attributes
    ----------
    name : str
        The option with its dashes; empty for a word that is no option.
    value : str or None
        What is said; None for an option without a value.
    names_file : bool
        Whether the value is a path.
    before : str
        What stands before a path: ``TYPE=``.
    """

    name: str
    value: str | None = None
    names_file: bool = False
    before: str = ""

    def text(self, folder: str | Path) -> str:
        """The word as it is typed in a directory."""
        if self.value is None:
            return self.name
        value = self.before + (relative(self.value, folder) if self.names_file else self.value)
        return f"{self.name}={value}" if self.name else value


@dataclass(frozen=True, kw_only=True)
class JobRecord:
    """What made a product.

    Attributes
    ----------
    tool : str
        The command.
    inputs : tuple of ReadFile
        In the order in which they are named.
    words : tuple of JobWord
        What else is said, options of steps apart.
    files : mapping of str to ReadFile
        Further files that are read: what an option names, by that option, ``tweakreg.refcat``; members of an
        association, catalogs of images.
    options : mapping of str to mapping
        Step to all its options.
    references : mapping of str to mapping
        Type to ``name`` and ``digest``.
    results : mapping of str to int
        Step to its number `rtools.declare.Step.results`.
    folder : str
        Where the product will be, if that is not where it is written first.
    """

    tool: str
    inputs: tuple[ReadFile, ...] = ()
    words: tuple[JobWord, ...] = ()
    files: Mapping[str, ReadFile] = field(default_factory=dict)
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    references: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    results: Mapping[str, int] = field(default_factory=dict)
    folder: str = ""

    @cached_property
    def parts(self) -> dict[str, Any]:
        """What the fingerprint covers: plain values under dotted keys, in order."""
        words = [word for word in self.words if word.name not in OF_PLACES]
        said: dict[str, Any] = {
            "tool": self.tool,
            "inputs": [one.digest or one.path for one in self.inputs],
            "arguments": [word.name if word.names_file else word.text(".") for word in words],
            "files": {name: one.digest or one.path for name, one in self.files.items()},
        }
        for step, values in self.options.items():
            said |= {f"{step}.{key}": value for key, value in values.items() if f"{step}.{key}" not in self.files}
        said |= {f"reference {kind}": one.get("digest") or one.get("name") for kind, one in self.references.items()}
        said |= {f"results of {step}": number for step, number in self.results.items()}
        return plain(said)

    @cached_property
    def fingerprint(self) -> str:
        """32 hexadecimal digits."""
        text = json.dumps(self.parts, sort_keys=True, ensure_ascii=True)
        return md5(text.encode(), usedforsecurity=False).hexdigest()

    def arguments(self, folder: str | Path) -> list[str]:
        """Inputs and words as they are typed in a directory."""
        return [relative(one.path, folder) for one in self.inputs] + [word.text(folder) for word in self.words]

    def beside(self, folder: str | Path) -> dict[str, Any]:
        """Plain values for a product in a directory, new ones each time."""
        options = plain(self.options)
        for name, one in self.files.items():
            step, _dot, key = name.partition(".")
            if key in options.get(step, {}):
                options[step][key] = relative(one.path, folder)
        told = {
            "tool": self.tool,
            "fingerprint": self.fingerprint,
            "inputs": [one.beside(folder) for one in self.inputs],
            "arguments": [word.text(folder) for word in self.words],
            "files": {name: one.beside(folder) for name, one in self.files.items()},
            "options": options,
            "references": plain(self.references),
            "results": dict(self.results),
        }
        return _readable({key: value for key, value in told.items() if value or key in ("inputs", "options")})


def relative(path: str, folder: str | Path) -> str:
    """A path as it is typed in a directory; a file that lies elsewhere by its whole name.

    Parameters
    ----------
    path : str
        Absolute, or `STREAM`.
    folder : str or Path
        The directory; to one that lies elsewhere nothing leads from here but whole names.

    Returns
    -------
    str
    """
    if not os.path.isabs(path):
        return path
    elsewhere, there = marks.source_of(path), marks.source_of(os.path.join(folder, "-"))
    if there is not None and os.path.dirname(path) == os.path.abspath(folder):
        return os.path.basename(path)
    return elsewhere or (path if there is not None else os.path.relpath(path, folder))


def reference_entry(source: Any) -> dict[str, str]:
    """What a record says of a reference.

    Parameters
    ----------
    source : ReferenceSource
        With `label` and `checksum`.

    Returns
    -------
    dict
        ``name`` and ``digest``.
    """
    return {"name": str(source.label), "digest": str(source.checksum)}


def plain(value: Any) -> Any:
    """Values that any file can hold, in new containers.

    Parameters
    ----------
    value : object
        Mappings, sequences and sets of numbers and texts; of anything else its text is taken.

    Returns
    -------
    object
    """
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(map(plain, value), key=str)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(one) for one in value]
    if hasattr(value, "item") and not getattr(value, "shape", ()):
        return value.item()
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _readable(value):
    """Texts that any file can hold: names of files are bytes."""
    if isinstance(value, dict):
        return {readable(key): _readable(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_readable(one) for one in value]
    return readable(value) if isinstance(value, str) else value


def changes(stored: Mapping[str, Any], record: JobRecord, folder: str | Path) -> list[str]:
    """Why a product is out of date: in what the job that would make it differs from the one that made it.

    Parameters
    ----------
    stored : mapping
        What the product says, as `JobRecord.beside` made it.
    record : JobRecord
        Of the job that would make it.
    folder : str or Path
        The product's directory.

    Returns
    -------
    list of str
        One phrase each; none where the fingerprints agree.
    """
    if stored.get("fingerprint") == record.fingerprint:
        return []
    new, told = record.beside(folder), []
    if stored.get("tool") != new["tool"]:
        told.append(f"{stored.get('tool')} made it")
    old_inputs = stored.get("inputs") or []
    if len(old_inputs) != len(new["inputs"]):
        told.append(f"{len(new['inputs'])} inputs, it was made of {len(old_inputs)}")
    else:
        told += [f"{one['file']} has changed" for old, one in zip(old_inputs, new["inputs"], strict=True)
                 if old.get("digest") != one["digest"]]  # fmt: skip
    told += _renewed("", stored.get("files"), new.get("files"), "digest")
    told += _renewed(" reference", stored.get("references"), new.get("references"), "digest")
    told += _reset(stored.get("options") or {}, new["options"], set(record.files))
    told += _said_otherwise(stored.get("arguments") or (), new.get("arguments", ()), record.files)
    old_results, results = stored.get("results") or {}, new.get("results", {})
    told += [f"{step} makes other numbers now" for step, number in results.items()
             if old_results.get(step, number) != number]  # fmt: skip
    return told or ["another job"]


def _renewed(what, old, new, key):
    """Files or references that are others now."""
    old, new = old or {}, new or {}
    both = [name for name in new if name in old]
    return [
        *(f"{name}{what} has changed" for name in both if old[name].get(key) != new[name].get(key)),
        *(f"{name}{what} is new" for name in new if name not in old),
        *(f"{name}{what} is not there any more" for name in old if name not in new),
    ]


def _said_otherwise(old, new, files):
    """Words that are said now, or are not any more; files that they name count by their content."""
    before, now = ({str(word) for word in words if str(word).partition("=")[0] not in (*OF_PLACES, *files)}
                   for words in (old, new))  # fmt: skip
    return [*(f"{word} is new" for word in sorted(now - before)), *(f"{word} is gone" for word in sorted(before - now))]


def _reset(old, new, files):
    """Options that have other values now."""
    told = []
    for step, values in new.items():
        before = old.get(step)
        if before is None:
            told.append(f"{step} is done now")
            continue
        told += [
            f"{step}.{key.replace('_', '-')} was {before.get(key)}, is {value}"
            for key, value in values.items()
            if before.get(key) != value and f"{step}.{key}" not in files
        ]
    return told + [f"{step} is not done any more" for step in old if step not in new]
