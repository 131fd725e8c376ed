"""Changing the metadata of a FITS file of JWST: keyword, tree and the hash that the tree keeps go together."""

from __future__ import annotations

import math
import os
import re
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from rtools.errors import UsageError
from rtools.jwst import REFERENCE_KEYWORDS, MetadataKeyword, choices_of, keyword_at
from rtools.jwst.models import keywords_of_path, path_of_keyword
from rtools.products.io import staging
from rtools.products.jwst import (
    HduChange,
    hdu_of_keyword,
    model_state,
    model_tree,
    nearest_keyword,
    open_jwst,
    stage_jwst,
)
from rtools.products.jwst.agreement import STRUCTURE, typed
from rtools.products.schema import history, keys, nodes

__all__ = ["JwstEdit"]

KEYWORD = re.compile(r"[A-Z0-9_-]{1,8}")

NEVER_GONE = ("telescope", "instrument.name", "model_type")
"""Without these nobody would know what the file is."""


class _Place(NamedTuple):
    """Where a value is set: a card of an HDU, or else a node of the tree, and what is known of it."""

    hdu: tuple[str, int] | None
    key: str
    known: MetadataKeyword | None
    old: Any

    @property
    def told(self):
        """How the change is called: by the path of the data model, else by the keyword and its HDU."""
        if self.known is not None:
            return self.known.path
        if self.hdu is None:
            return self.key
        name, version = self.hdu
        return self.key if name == "PRIMARY" else f"{name if version == 1 else f'{name},{version}'}.{self.key}"


class JwstEdit:
    """A FITS file of JWST whose metadata are being changed; as `rtools.products.edit.edit.Edit`.

    Parameters
    ----------
    path : str or Path
        A product or a reference file.
    hdu : str, optional
        Set keywords of this HDU: ``SCI``, ``SCI,2``.

    Attributes
    ----------
    changes : dict of str to (object, object)
        By key, old and new value; None for one that is not there.
    """

    def __init__(self, path: str | Path, hdu: str | None = None) -> None:
        self.path = path
        self.hdu = hdu
        self.product = open_jwst(path, others=True)
        self.tree = model_tree(self.product)
        self.model = str(self.product.hdus[0].values.get("DATAMODL") or "").strip()
        self.changes: dict[str, tuple[Any, Any]] = {}
        self._cards: dict[tuple[str, int], dict[str, Any]] = {}
        self._nodes: dict[str, Any] = {}
        self._called: dict[str, str] = {}
        if hdu is not None:
            self.product.hdu(hdu)  # refused at once

    def set(self, key: str, value: Any, *, new: bool = False) -> None:
        """Set a keyword, or a node of the data model and its keyword.

        Parameters
        ----------
        key : str
            A keyword (``EXP_TYPE``), or a path (``exposure.type``, ``meta.exposure.type``).
        value : object
            Plain; None takes it away.
        new : bool
            Take a key that neither the data model nor the file has.

        Raises
        ------
        UsageError
            There is no such key, it cannot be set, or the value does not fit it.
        """
        try:
            place = self._place(key, new=new)
            value = self._fitting(place, value)
        except UsageError as error:
            error.path = self.path
            raise
        if place.hdu is None:
            self._nodes[place.key] = value
        else:
            self._cards.setdefault(place.hdu, {})[place.key] = value
        self.changes[place.told] = (place.old, value)
        self._called[place.told] = place.known.keyword if place.known else place.told

    def _place(self, key: str, *, new: bool) -> _Place:
        """Where a key is set, by keyword or by path."""
        keyword = key.upper()
        if key.isupper() or self.hdu is not None:
            _refuse_structure(keyword)
        if self.hdu is not None:
            found = self.product.hdu(self.hdu)
            if keyword in found.values or path_of_keyword(self.model, found.name, found.version, keyword) or new:
                return self._card((found.name, found.version), keyword)
            raise self._unknown(key)
        places = (self._by_keyword, self._by_path) if key.isupper() else (self._by_path, self._by_keyword)
        self._refuse_inside(key)
        for place in places:
            if (made := place(key)) is not None:
                return made
        if not new:
            raise self._unknown(key)
        if KEYWORD.fullmatch(key):
            return self._card(("PRIMARY", 1), keyword)
        return _Place(None, ".".join(keys.resolve(self.tree, key)), None, None)

    def _card(self, hdu: tuple[str, int], keyword: str) -> _Place:
        _refuse_structure(keyword)
        if not KEYWORD.fullmatch(keyword):
            raise UsageError(f"{keyword} is not a keyword of FITS", mend="up to eight letters, digits, - and _")
        values = self.product.hdu(*hdu).values
        known = path_of_keyword(self.model, *hdu, keyword)
        reference = next((one for one in REFERENCE_KEYWORDS if one.keyword == keyword), None)
        if known is None and reference is not None and hdu[0] == "PRIMARY":
            known = reference._replace(path=f"meta.{reference.path}")
        return _Place(hdu, keyword, known, values.get(keyword))

    def _by_keyword(self, key: str) -> _Place | None:
        """The card of a keyword that the file has, or that the data model has for an HDU of the file."""
        keyword = key.upper()
        holder = hdu_of_keyword(self.product, keyword)
        if holder is not None:
            return self._card((holder.name, holder.version), keyword)
        known = keyword_at(keyword)
        if known is None or known.keyword != keyword or not any(hdu.name == known.hdu for hdu in self.product.hdus):
            return None
        return self._card((known.hdu, 1), keyword)

    def _by_path(self, key: str) -> _Place | None:
        """The node of a path that the data model has, or the tree alone."""
        path = ".".join(keys.resolve(self.tree, key))
        exists = keys.exists(self.tree, tuple(path.split(".")))
        old = keys.bare(keys.find(self.tree, path)[0][1]) if exists else None
        found = {(hdu.name, hdu.version) for hdu in self.product.hdus}
        for known, version in keywords_of_path(path, self.model):
            if (known.hdu, version) in found:
                return _Place(None, path, known._replace(path=path), old)
        reference = next((one for one in REFERENCE_KEYWORDS if f"meta.{one.path}" == path), None)
        if reference is not None and reference.keyword in self.product.hdus[0].values:
            return self._card(("PRIMARY", 1), reference.keyword)
        if not exists:
            return None
        node = keys.find(self.tree, path)[0][1]
        if nodes.is_array(node) or nodes.is_foreign(node) or isinstance(node, dict):
            raise UsageError(f"{path} is not a single value, so it cannot be set")
        return _Place(None, path, None, old)

    def _refuse_inside(self, key):
        """Nothing can be set in an array, in a gwcs, or below a single value."""
        parts = keys.resolve(self.tree, key)
        for count in range(1, len(parts)):
            above = parts[:count]
            held = [keys.find(tree, ".".join(above))[0][1] for tree in (self.product.tree, self.tree)
                    if keys.exists(tree, above)]  # fmt: skip
            if any(nodes.is_array(one) or nodes.is_foreign(one) or not isinstance(one, dict | list) for one in held):
                raise UsageError(f"{'.'.join(above)} is no block of metadata, so nothing below it can be set")

    def _unknown(self, key):
        near = nearest_keyword(self.product, key, self.hdu)
        if self.hdu is None and not key.isupper():
            near = keys.nearest(self.tree, key) or near
        where = "the HDU" if self.hdu else "the file"
        mend = f"did you mean {near}? --new adds it" if near else "--new adds it"
        return UsageError(f"neither {where} nor the data model has the key {key}", mend=mend)

    def _fitting(self, place: _Place, value: Any) -> Any:
        """A value as it is stored; UsageError where it does not fit."""
        path = place.known.path.removeprefix("meta.") if place.known else ""
        if value is None:
            if path in NEVER_GONE:
                raise UsageError(f"{path} cannot be taken away")
            return None
        if place.known is not None:
            try:
                value = typed(value, place.known)
            except UsageError as error:
                if place.known.type == "string" and isinstance(value, int | float):
                    error.mend = f"""quote what shall be a string: {place.told.rpartition(".")[2]}='"{value}"'"""
                raise
        elif place.hdu is not None and not isinstance(value, str | int | float | bool):
            raise UsageError(f"{place.key}: a keyword has a single value, not {value!r}")
        if place.known is not None or place.hdu is not None:
            _refuse_unwritable(place.told, value)
        choices = choices_of(path, self.product.kind)
        if choices and value not in choices:
            raise UsageError(f"{path} cannot be {value!r}", mend=f"it is one of {' '.join(choices)}")
        return value

    def check(self) -> str | None:
        """What was wrong with the file before it was changed, and no longer is.

        Returns
        -------
        str or None
            None where nothing was.
        """
        if model_state(self.product).state != "edited":
            return None
        return "its headers had been edited without its tree: the result's tree says what the headers say"

    def stage(self, path: str | Path, *, tool: str, inputs: Iterable[str]) -> staging.Stage:
        """Write the changed file under a temporary name.

        Parameters
        ----------
        path : str or Path
            The name that it will have; FILENAME and DATE follow unless they were set.
        tool : str
            The command that changes the file, for its history.
        inputs : iterable of str
            For the entries of the history.

        Returns
        -------
        rtools.products.io.staging.Stage
        """
        inputs = list(inputs)
        cards = {hdu: dict(changed) for hdu, changed in self._cards.items()}
        primary = self.product.hdus[0].values
        for keyword, value in (("FILENAME", os.path.basename(path)), ("DATE", history.stamp())):
            known = keyword_at(keyword)
            if keyword in primary and known is not None and f"meta.{known.path}" not in self.changes:
                cards.setdefault(("PRIMARY", 1), {})[keyword] = value
        changes = [HduChange(name, version, cards=changed) for (name, version), changed in cards.items()]
        entries = [
            history.entry(tool, parameters={key: value}, inputs=inputs, is_edit=True)
            | {"description": f"{tool}: {self._called[key]} was {_said(old)}, is {_said(value)}"}
            for key, (old, value) in self.changes.items()
        ]
        stage = stage_jwst(path, self.product, changes, tree=self._nodes, history=entries)
        os.chmod(stage.temporary, stat.S_IMODE(os.stat(self.path).st_mode))
        return stage


def _refuse_structure(keyword):
    if STRUCTURE.fullmatch(keyword):
        raise UsageError(f"{keyword} says how the data are stored, or is no keyword with a value: it cannot be set")


def _refuse_unwritable(name, value):
    """What a card cannot hold."""
    if isinstance(value, str) and not (value.isascii() and value.isprintable()):
        raise UsageError(f"{name}: FITS has only printable ASCII characters")
    if isinstance(value, float) and not math.isfinite(value):
        raise UsageError(f"{name}: FITS has no form for {value}")


def _said(value):
    return "not there" if value is None else repr(value)
