"""rt-psfsub on files: _calints of a target and _psfalign to _psfsub."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.coronagraphy.companions import companion_image, throughput_of
from rtools.coronagraphy.steps.psfsub import STEP
from rtools.coronagraphy.subtraction import annuli, subtract, usable_pixels
from rtools.errors import InputError, UsageError
from rtools.jwst.pupil import psf
from rtools.pipeline.stage3.coronagraph_files import BAD, TARGETS, is_bad, refuse_other_frames, refuse_other_images
from rtools.pipeline.stage3.work import ProductWork
from rtools.products.jwst import HduChange, NewHdu
from rtools.wfi import metadata

if TYPE_CHECKING:
    from rtools.coronagraphy.subtraction import Subtraction
    from rtools.pipeline.stage3.making import ProductMaking
    from rtools.products.jwst import JwstProduct

__all__ = ["WORK"]

OVERSAMPLE, SIZE = 4, 81
"""Samples in a pixel, and pixels on a side, of the image of a companion."""


def _make(making: ProductMaking) -> None:
    target, aligned = making.products
    images, flags = target.pixels("SCI").astype(np.float64), target.pixels("DQ")
    references = aligned.pixels("SCI")
    good = _good(images, flags, references, aligned.pixels("DQ"))
    companion = _companion(target, making.options["inject"])
    if companion is not None:
        images = images + companion
    settings = {"truncate": making.options["truncate"], "work": making.work}
    regions = _regions(target, making.options)
    found = subtract(images, references, good, regions, errors=aligned.pixels("ERR"), **settings)
    if not np.isfinite(found.data).any():
        raise InputError("no pixel is good in both target and references", path=target.path)
    added = [NewHdu("MODEL", found.model.astype(np.float32))] if making.options["model"] else []
    if companion is not None:
        alone = subtract(np.broadcast_to(companion, images.shape), references, good, regions, **settings)
        added.append(_throughput(making, companion, alone.data))
    _write(making, found, flags, added)


def _good(images, flags, references, their_flags):
    """Pixels of each integration that are good in it and in the references."""
    good = np.isfinite(images) & ~is_bad(flags)
    if references.ndim == 3:
        return good & usable_pixels(references, is_bad(their_flags))
    usable = [usable_pixels(one, is_bad(bad)) for one, bad in zip(references, their_flags, strict=True)]
    return good & np.array(usable)


def _write(making: ProductMaking, found: Subtraction, flags: np.ndarray, added: list[NewHdu]) -> None:
    target, nothing = making.products[0], ~np.isfinite(found.data)
    error = np.hypot(found.scatter, target.pixels("ERR").astype(np.float64))
    changes = [
        HduChange("SCI", array=found.data.astype(np.float32)),
        HduChange("ERR", array=np.where(nothing, np.nan, error).astype(np.float32)),
        HduChange("DQ", array=flags | np.where(nothing, BAD, 0).astype(np.uint32)),
    ]
    for name in ("VAR_POISSON", "VAR_RNOISE", "VAR_FLAT"):
        if target.versions(name) and target.hdu(name).shape == found.data.shape:
            variance = target.pixels(name)
            variance[nothing] = np.nan
            changes.append(HduChange(name, array=variance))
    making.write_changed("psfsub", changes, tree={"meta.cal_step.klip": "COMPLETE"}, added=added)
    making.log("info", f"{' '.join(map(str, found.modes))} modes subtracted")


def _regions(target, options):
    shape = target.hdu("SCI").shape[-2:]
    radii = _radii(options["region"])
    if radii is None:
        return [np.ones(shape, bool)]
    found = annuli(shape, _center(target, options["center"]), radii)
    if not any(region.any() for region in found):
        raise UsageError(f"--region {options['region']}: no pixel lies there")
    return found


def _numbers(word: str, name: str, count: int | None, what: str) -> list[float]:
    """Numbers with commas between."""
    try:
        found = [float(part) for part in str(word).split(",")]
    except ValueError:
        found = []
    if not found or not np.isfinite(found).all() or (count is not None and len(found) != count):
        raise UsageError(f"{name} {word}: {what} expected")
    return found


def _radii(word):
    if word is None:
        return None
    radii = _numbers(word, "--region", None, "rising radii with commas between")
    if len(radii) < 2 or radii[0] < 0 or not (np.diff(radii) > 0).all():
        raise UsageError(f"--region {word}: rising radii with commas between expected")
    return radii


def _center(target, word):
    """Column and row of the star, 0-based."""
    if word is not None:
        return _numbers(word, "--center", 2, "X,Y")
    place = [metadata.get(target.meta, f"wcsinfo.crpix{axis}") for axis in (1, 2)]
    if not all(isinstance(one, int | float) for one in place):
        raise InputError("no CRPIX1 and CRPIX2 say where the star is", mend="say --center X,Y", path=target.path)
    return [one - 1 for one in place]


def _companion(target, word):
    """The image of a companion that is put in, or None."""
    if word is None:
        return None
    x, y, flux = _numbers(word, "--inject", 3, "X,Y,FLUX")
    rows, columns = target.hdu("SCI").shape[-2:]
    if not (-0.5 <= x < columns - 0.5 and -0.5 <= y < rows - 0.5):
        raise UsageError(f"--inject {word}: the images have {columns} x {rows} pixels")
    instrument = target.meta.get("instrument") or {}
    detector, element = (str(instrument.get(key)) for key in ("detector", "filter"))
    stop = "MASKRND" if instrument.get("pupil") == "MASKRND" else "CLEAR"
    stamp = psf(detector.lower(), element, oversample=OVERSAMPLE, size=SIZE, mask=stop)
    return companion_image((rows, columns), (x, y), flux, stamp, OVERSAMPLE)


def _throughput(making, companion, left):
    """The table of what is left of a companion in each integration."""
    x, y, flux = _numbers(making.options["inject"], "--inject", 3, "X,Y,FLUX")
    found = [throughput_of(companion, one) for one in left]
    making.log("note", f"throughput {np.nanmean(found):.4f} at {x:g},{y:g}")
    rows = [(number, x, y, flux, one) for number, one in enumerate(found, 1)]
    numbers = [(name, np.float64) for name in ("X", "Y", "FLUX", "THROUGHPUT")]
    return NewHdu("INJECTED", np.array(rows, [("INTEGRATION", np.int32), *numbers]))


def _foresee(_kind: str, products: Sequence[JwstProduct], options: Mapping[str, Any]) -> None:
    refuse_other_frames(products)
    _radii(options["region"])
    if options["inject"] is not None:
        _numbers(options["inject"], "--inject", 3, "X,Y,FLUX")


def _check(products: Sequence[JwstProduct], options: Mapping[str, Any]) -> None:
    refuse_other_images(products)
    target, aligned = products
    integrations, stacks = target.hdu("SCI").shape[0], aligned.hdu("SCI").shape[:-3]
    if stacks and stacks[0] != integrations:
        raise InputError(f"is aligned with {stacks[0]} integrations, {target.path} has {integrations}",
                         path=aligned.path)  # fmt: skip
    _regions(target, options)
    _companion(target, options["inject"])


WORK = ProductWork(
    step=STEP,
    takes=TARGETS,
    gives=lambda kind, options: ("psfsub",),
    make=_make,
    beside=("psfalign",),
    beside_called="the aligned stack of reference stars (_psfalign)",
    foresee=_foresee,
    check=_check,
    copies=3,
)
