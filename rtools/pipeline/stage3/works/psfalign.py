"""rt-psfalign on files: _calints of a target and _psfstack to _psfalign."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.coronagraphy.alignment import Shift, fit_shifts, moved_back
from rtools.coronagraphy.repair import repaired
from rtools.coronagraphy.steps.psfalign import STEP
from rtools.errors import InputError
from rtools.pipeline.stage3.coronagraph_files import (
    BAD,
    BLANK,
    TARGETS,
    is_bad,
    refuse_other_frames,
    refuse_other_images,
)
from rtools.pipeline.stage3.making import passed_on
from rtools.pipeline.stage3.work import ProductWork
from rtools.products.jwst import NewHdu, room_for

if TYPE_CHECKING:
    from rtools.pipeline.stage3.making import ProductMaking
    from rtools.products.jwst import JwstProduct

__all__ = ["WORK"]

NOTED = {"SCI": np.float32, "DQ": np.uint32, "ERR": np.float32}


def _make(making: ProductMaking) -> None:
    target, stack = making.products
    flags, images = stack.pixels("DQ"), stack.pixels("SCI")
    flags[~np.isfinite(images)] |= np.uint32(BAD)
    bad, blank = is_bad(flags), flags & np.uint32(BLANK) != 0
    references = repaired(images, bad, blank)
    errors = repaired(stack.pixels("ERR"), bad, blank)
    weights = _weights(making, references.shape[-2:])
    if making.options["exclude_bad"]:
        weights = weights * ~bad
    with making.work.progress("shifts", None):
        found = [
            fit_shifts(image, references, weights, work=making.work)
            for image in _images(target, all_of_them=making.options["all_ints"])
        ]
    _write(making, found, references, errors, flags)


def _images(target, *, all_of_them):
    """Integrations with which to align, without bad pixels."""
    for number in range(target.hdu("SCI").shape[0] if all_of_them else 1):
        image, flags = target.plane("data", number), target.plane("dq", number)
        bad = is_bad(flags) | ~np.isfinite(image)
        if bad.all():
            raise InputError(f"integration {number + 1} has no good pixel", path=target.path)
        yield repaired(image, bad, flags & np.uint32(BLANK) != 0)


def _weights(making, shape):
    """1 where a pixel counts."""
    source = making.references.get("psfmask")
    if source is None:
        return np.ones(shape)
    mask = np.nan_to_num(np.asarray(source.array("data"), np.float64))
    if mask.shape != shape:
        raise InputError(f"this mask has {mask.shape[1]} x {mask.shape[0]} pixels, the images {shape[1]} x {shape[0]}",
                         path=source.label)  # fmt: skip
    weights = np.clip(1 - mask if making.options["mask_invert"] else mask, 0, 1)
    if not weights.any():
        raise InputError("this mask leaves no pixel", mend="--mask-invert takes 0 for pixels that count",
                         path=source.label)  # fmt: skip
    return weights


def _write(making, found, references, errors, flags):
    """Planes one by one, so that memory does not grow with the integrations."""
    target, stack = making.products
    shape = references.shape if not making.options["all_ints"] else (len(found), *references.shape)
    units = {name: stack.hdu(name).unit for name in ("SCI", "ERR")}
    rooms = [room_for(name, dtype, shape, unit=units.get(name)) for name, dtype in NOTED.items()]
    meta = passed_on(target, "wcs", align_psfs="COMPLETE", stack_psfs="COMPLETE")
    source = making.references.get("psfmask")
    tree = {"meta": {"ref_file": {"psfmask": {"name": source.label}}}} if source else None
    table = NewHdu("SHIFTS", _table(found), units={"DX": "pixel", "DY": "pixel"})
    file = making.lay_out("psfalign", meta, [*rooms, table], tree=tree)

    def write(plane: int) -> None:
        number = plane % len(references)
        shift = found[plane // len(references)][number]
        moved = moved_back(references[number], errors[number], flags[number], shift, outside=BAD | BLANK)
        for name, pixels in (("SCI", moved.data), ("DQ", moved.dq), ("ERR", moved.err)):
            file.write(name, pixels.astype(NOTED[name]), 0, plane)

    making.work.map(write, range(len(found) * len(references)))


def _table(found: Sequence[Sequence[Shift]]) -> np.ndarray:
    rows = [(integration, plane, *shift) for integration, shifts in enumerate(found, 1)
            for plane, shift in enumerate(shifts, 1)]  # fmt: skip
    numbers = [(name, np.float64) for name in ("DX", "DY", "BETA", "RMS")]
    return np.array(rows, [("INTEGRATION", np.int32), ("PLANE", np.int32), *numbers])


def _foresee(_kind: str, products: Sequence[JwstProduct], options: Mapping[str, Any]) -> None:
    refuse_other_frames(products)


def _check(products: Sequence[JwstProduct], options: Mapping[str, Any]) -> None:
    refuse_other_images(products)


WORK = ProductWork(
    step=STEP,
    takes=TARGETS,
    gives=lambda kind, options: ("psfalign",),
    make=_make,
    beside=("psfstack",),
    beside_called="the stack of reference stars (_psfstack)",
    foresee=_foresee,
    check=_check,
    copies=3,
)
