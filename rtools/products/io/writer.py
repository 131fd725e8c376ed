"""Writing products: checked against the schemas of a profile, to a temporary file, synced, then renamed.

`stage_product` writes everything and leaves the renaming to the caller, so that several products appear together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from rtools.errors import InputError, RtoolsError
from rtools.products.io.ramp import RampWriter
from rtools.products.io.recording import recorded
from rtools.products.io.staging import Stage, build_tree, serialise, write_file
from rtools.products.schema import layout, profiles
from rtools.products.schema.blocks import stamp_file
from rtools.work import ALONE, Work

__all__ = ["RampWriter", "Stage", "stage_product", "write_product"]


def write_product(
    path: str | Path, kind: str, meta: Mapping[str, Any], arrays: Mapping[str, Any], **settings: Any
) -> Stage:
    """Write a product under its name; as `stage_product`, and then renamed.

    Parameters
    ----------
    path : str or Path
        Where the product will appear.
    kind : str
        A product of `layout`, or ``reference/TYPE``.
    meta : mapping
        Below ``roman.meta``.
    arrays : mapping of str to ndarray
        By dotted path below ``roman``.
    **settings
        The keywords of `stage_product`.

    Returns
    -------
    Stage
        Committed; its `overflows` and `messages` are for the caller to tell.

    Raises
    ------
    InputError
        As in `stage_product`.
    RtoolsError
        As in `stage_product`.
    """
    stage = stage_product(path, kind, meta, arrays, **settings)
    stage.commit()
    return stage


def stage_product(
    path: str | Path,
    kind: str,
    meta: Mapping[str, Any],
    arrays: Mapping[str, Any],
    *,
    profile: str = layout.DEFAULT_PROFILE,
    compression: str = "lz4",
    history: Iterable[Mapping[str, Any]] = (),
    extra: Mapping[str, Any] | None = None,
    work: Work = ALONE,
    as_is: bool = False,
) -> Stage:
    """Write a product to a temporary file next to its place.

    Parameters
    ----------
    path : str or Path
        Where the product will appear.
    kind : str
        A product of `layout`, or ``reference/TYPE``.
    meta : mapping
        Below ``roman.meta``, of any profile; what a file says of itself is set here (`metadata.stamp_file`).
    arrays : mapping of str to ndarray
        By dotted path below ``roman``; cast to the profile's dtypes. Lists of times or strings may stand here, too.
    profile, compression : str
        Whose tags it gets, and how its blocks are stored.
    history : iterable of mapping
        Entries (`rtools.products.schema.history.entry`), oldest first.
    extra : mapping, optional
        Further nodes below ``roman``, by dotted path: gwcs objects, tables of numbers.
    work : rtools.work.Work
        Its threads compress and write.
    as_is : bool
        All is from a file of this profile, so nothing is added, dropped or spelled differently.

    Returns
    -------
    Stage

    Raises
    ------
    InputError
        The tree does not fit the profile's schema; no file is left.
    RtoolsError
        The file cannot be written.
    """
    stage = Stage(path)
    if not as_is:
        meta, arrays, stage.messages = profiles.convert(kind, meta, arrays, profile)
    meta, history = recorded(meta, history, path)
    meta = stamp_file(kind, meta, path)
    arrays = {name: _cast(name, array, kind, profile, stage) for name, array in arrays.items()}
    tree = build_tree(kind, meta, {**arrays, **(extra or {})}, profile)
    try:
        head, inner, sources = serialise(tree, profile, history)
        with stage.open() as file:
            write_file(file, head, inner, sources, compression=compression, work=work)
    except RtoolsError as error:
        error.path = error.path or stage.path
        raise
    return stage


def _cast(name, array, kind, profile, stage):
    """An array in the dtype of its profile; only casts that keep the kind of number, and integers that fit."""
    wanted = layout.dtypes(kind, profile).get(name)
    if wanted is None or not isinstance(array, np.ndarray) or array.dtype == wanted:
        return array
    target = np.dtype(wanted)
    both = array.dtype.kind + target.kind
    if both in ("ff", "if", "uf"):
        with np.errstate(over="ignore"):
            cast = array.astype(target)
        if target.itemsize < array.dtype.itemsize:
            lost = int(np.count_nonzero(np.isinf(cast) & np.isfinite(array)))
            stage.overflows |= {name: lost} if lost else {}
        return cast
    if both in ("iu", "ui", "ii", "uu") and array.size:
        limits = np.iinfo(target)
        if array.min() < limits.min or array.max() > limits.max:
            raise InputError(f"{name}: values beyond {wanted}", path=stage.path)
    fits = both in ("iu", "ui", "ii", "uu") or (both == "UU" and array.dtype.itemsize < target.itemsize)
    return array.astype(target) if fits else array
