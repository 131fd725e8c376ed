"""Changing the metadata of a file: new values in its tree, checked against its own schema, the blocks as they were.

Blocks are copied as they are stored, never decoded, so memory does not grow with the file.
"""

import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rtools.errors import InputError, UsageError
from rtools.products.io import encode, header, open_product, serial, staging
from rtools.products.schema import history, keys, layout, tags

__all__ = ["WINDOW", "Edit"]

WINDOW = 16 << 20
"""Bytes that are copied at a time."""


class Edit:
    """A file whose metadata are being changed.

    Parameters
    ----------
    path : str or Path
        ASDF product or reference file.

    Attributes
    ----------
    changes : dict of str to (object, object)
        By key, old and new value, plain; old is None for a new key.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = path
        self.changes: dict[str, tuple[Any, Any]] = {}
        with open_product(path) as product:
            self.product = product
        self.tree = product.tree
        kind = f"reference/{product.reftype}" if product.reftype else product.kind
        fields = layout.fields(kind, product.profile)
        self._types = {("meta", *field.path.split(".")): field.type for field in fields}

    def set(self, key: str, value: Any, *, new: bool = False) -> None:
        """Set a key of the tree.

        Parameters
        ----------
        key : str
            As `keys.resolve` takes it.
        value : object
            Plain, as `parse_assignment` gives it.
        new : bool
            Take a key that neither the schema nor the file has.

        Raises
        ------
        UsageError
            There is no such key, or it cannot be set.
        """
        tree = self.tree
        path = keys.resolve(tree, key)
        known = keys.exists(tree, path) or any(path == field[: len(path)] for field in self._types)
        if not known and not new:
            near = keys.nearest(tree, key)
            mend = f"did you mean {near}? --new adds it" if near else "--new adds it"
            raise UsageError(f"neither the file nor its schema has the key {key}", mend=mend, path=self.path)
        old = keys.bare(keys.find(tree, ".".join(path))[0][1]) if keys.exists(tree, path) else None
        try:
            made = keys.assign(tree, path, value, is_time="time" in self._types.get(path, "").split("|"))
        except UsageError as error:
            error.path = self.path
            raise
        self.changes[".".join(path)] = (old, keys.bare(made))

    def check(self) -> str | None:
        """Check the tree against the schema of its own tag.

        Returns
        -------
        str or None
            What was wrong with the file before it was changed, and still is.

        Raises
        ------
        UsageError
            The changes do not fit the schema.
        """
        manifest = tags.manifest_of(self.product.tag)
        if manifest is None:
            return f"the installed rad does not know {self.product.tag}: nothing was checked"
        problems = serial.problems(self.product.tree, manifest)
        if not problems:
            return None
        with open_product(self.path) as before:
            known = serial.problems(before.tree, manifest)
        self._refuse([problem for problem in problems if problem not in known])
        return f"does not fit its schema, before and after the change: {problems[0]}"

    def _refuse(self, problems):
        """Raise the first of the problems that the changes caused, if there are any."""
        if not problems:
            return
        text = "is not of type 'string'" in problems[0] and not problems[0].split(": ")[1].startswith("None")
        mend = """quote what shall be a string: KEY='"2027"'""" if text else None
        raise UsageError(problems[0], mend=mend, path=self.path)

    def stage(self, path: str | Path, *, tool: str, inputs: Iterable[str]) -> staging.Stage:
        """Write the changed file under a temporary name.

        Parameters
        ----------
        path : str or Path
            The name that it will have; `meta.filename` unless that was set.
        tool : str
            The command that changes the file, for its history.
        inputs : iterable of str
            For the entry of the history.

        Returns
        -------
        rtools.products.io.staging.Stage
        """
        self._stamp(os.path.basename(path))
        parameters = {key: new for key, (_old, new) in self.changes.items()}
        entries = [*self.product.history, history.entry(tool, parameters=parameters, inputs=inputs, is_edit=True)]
        whole, about, blocks = header.read_header(self.path)
        kept = about.get("history")
        extensions = kept.get("extensions", ()) if isinstance(kept, dict) else ()
        tree = serial.to_asdf(whole | {"roman": self.product.tree}, None, raw=True)
        head, _none = serial.dump(tree.pop("roman"), history=entries, extensions=extensions, beside=tree)
        stage = staging.Stage(path)
        with open(self.path, "rb") as stored, stage.open() as file:
            os.fchmod(file.fileno(), stat.S_IMODE(os.fstat(stored.fileno()).st_mode))
            file.write(head)
            offsets = []
            for block in blocks:
                offsets.append(file.tell())
                file.write(encode.block_head(block.compression, block.used, block.size, block.checksum))
                _copy(stored, file, block)
            file.write(encode.block_index(offsets))
        return stage

    def _stamp(self, filename):
        """Name and date of the new file, set where the file has them and they were not set; returns them by key."""
        stamped = {}
        for key, value in (("filename", filename), ("file_date", history.stamp())):
            path = ("meta", key)
            if keys.exists(self.tree, path) and f"meta.{key}" not in self.changes:
                keys.assign(self.tree, path, value, is_time=key == "file_date")
                stamped[f"meta.{key}"] = value
        return stamped


def _copy(stored, file, block):
    """The stored bytes of a block."""
    place, end = block.offset, block.offset + block.used
    while place < end:
        data = os.pread(stored.fileno(), min(end - place, WINDOW), place)
        if not data:
            raise InputError("truncated while it was copied", path=stored.name)
        file.write(data)
        place += len(data)
