"""Outliers of exposures of spectra: slits compared on one rectified frame, slices with their neighbours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.errors import InputError, UsageError
from rtools.jwst.dq import PIXEL_FLAGS
from rtools.mosaic.arrays import find_outliers
from rtools.mosaic.grid.pixmap import exact_map
from rtools.mosaic.options import OutlierOptions, parse_outlier
from rtools.pipeline.stage3.making import refuse_other
from rtools.pipeline.stage3.slit_images import frame_of, place_slit, refuse_no_slits, same_slits
from rtools.pipeline.stage3.slits import Slit
from rtools.products.jwst import HduChange
from rtools.spectra.slicer_outliers import find_sharp_pixels
from rtools.wfi import metadata

if TYPE_CHECKING:
    from rtools.pipeline.stage3.making import ProductMaking
    from rtools.products.jwst import JwstProduct

__all__ = ["INTEGRAL_FIELD", "check_compared", "flag_compared", "foresee_compared", "is_sliced"]

INTEGRAL_FIELD = {"MIR_MRS": 2, "NRS_IFU": 1}
"""Exposure types of integral fields, and the axis along which their wavelengths change."""

BAD = np.uint32(PIXEL_FLAGS["DO_NOT_USE"] | PIXEL_FLAGS["NON_SCIENCE"])
OUTLIER = np.uint32(PIXEL_FLAGS["DO_NOT_USE"] | PIXEL_FLAGS["OUTLIER"])

NAN_TOO = ("SCI", "ERR", "VAR_POISSON", "VAR_RNOISE", "VAR_FLAT")
"""What is NaN where a pixel is not to be used."""

ONE_DETECTOR = ("instrument.detector", "instrument.channel", "instrument.band", "instrument.grating",
                "instrument.filter")  # fmt: skip
"""In what exposures agree that are compared pixel by pixel."""

Found = dict[tuple[int, int], np.ndarray]
"""Outliers of whole images, by number of the file and EXTVER."""


def is_sliced(product: JwstProduct) -> bool:
    """Whether a file is of an integral field.

    Parameters
    ----------
    product : JwstProduct
        Opened.
    """
    return str(product.value("EXP_TYPE") or "").upper() in INTEGRAL_FIELD


def foresee_compared(products: Sequence[JwstProduct], options: Mapping[str, Any]) -> None:
    """Refuse exposures of spectra that cannot be compared, by metadata and options alone.

    Parameters
    ----------
    products : sequence of JwstProduct
        The exposures, or what they are made of.
    options : mapping of str to object
        Of rt-outlier.

    Raises
    ------
    InputError
        They are of different kinds.
    UsageError
        An option says something that cannot be.
    """
    _options(options)
    if options["kernel_size"] < 3 or options["kernel_size"] % 2 == 0:
        raise UsageError(f"--kernel-size {options['kernel_size']}: an odd number from 3 on expected")
    if not 0 < options["threshold_percent"] < 100:
        raise UsageError(f"--threshold-percent {options['threshold_percent']:g}: a number between 0 and 100 expected")
    refuse_other(products, "instrument.name", "exposure.type")


def check_compared(products: Sequence[JwstProduct]) -> None:
    """Refuse exposures of spectra that lack what is needed to compare them, before any work.

    Parameters
    ----------
    products : sequence of JwstProduct
        The exposures.

    Raises
    ------
    InputError
        One has another unit, or lacks something.
    """
    refuse_other(products, "bunit_data")
    for product in products:
        if is_sliced(product):
            _refuse_no_image(product)
        else:
            refuse_no_slits(product)


def _refuse_no_image(product):
    for name in ("data", "err", "dq"):
        if not product.has(name):
            raise InputError(f"has no {name}", path=product.path)
        shape = product.arrays[name].shape
        if len(shape) != 2 or shape != product.arrays["data"].shape:
            raise InputError(f"its {name} is no image of the shape of the others", path=product.path)


def flag_compared(making: ProductMaking, suffix: str, cal_step: str) -> None:
    """Write every exposure again, with its outliers flagged.

    Parameters
    ----------
    making : ProductMaking
        Exposures of slits, or of an integral field, and options.
    suffix : str
        Of what is written.
    cal_step : str
        Name of the step below ``meta.cal_step``.
    """
    products, options = making.products, making.options
    sliced = is_sliced(products[0])
    alone = not sliced and len(products) == 1
    if alone:
        making.log("warning", "there is one exposure only: nothing to compare it with, and no pixel is flagged")
        found: Found = {}
    else:
        found = _of_slices(making) if sliced else _of_slits(making)
    for number, product in enumerate(products):
        ours = {version: image for (file, version), image in found.items() if file == number}
        count = sum(np.count_nonzero(image) for image in ours.values())
        size = sum(image.size for image in ours.values())
        if not alone:
            making.log("info", f"{product.path.name}: {count} outliers ({count / max(1, size):.3%})")
        changes = [one for version, image in ours.items() for one in _changes(product, version, image, options)]
        told = {f"meta.cal_step.{cal_step}": "SKIPPED" if alone else "COMPLETE"}
        making.write_changed(suffix, changes, tree=told, number=number)


def _of_slits(making) -> Found:
    """Each slit of all exposures on one frame: further from the median there than errors and its steps allow."""
    products, options, found = making.products, _options(making.options), {}
    numbers = {id(product): number for number, product in enumerate(products)}
    slits = same_slits(products)
    with making.work.progress("outliers", len(slits)) as shown:
        for same in slits:
            places = [place_slit(slit) for slit in same]
            if len(places) > 1:
                images = [place.image() for place in places]
                flagged = find_outliers(images, frame_of(places), options, making.work, ratio=1.0, mapped=exact_map)  # type: ignore[arg-type]
                for slit, place, part in zip(same, places, flagged, strict=True):
                    whole = np.zeros(slit.shape[-2:], bool)
                    whole[place.cut] = part
                    found[numbers[id(slit.product)], slit.version] = whole
            else:
                making.log("warning", f"{same[0].name}: is in {same[0].product.path.name} alone, and not compared")
            shown.advance(1)
    return found


def _of_slices(making) -> Found:
    """Exposures of each detector and setting together: pixels that are sharp in all of them."""
    products, options = making.products, making.options
    sets: dict[tuple[Any, ...], list[int]] = {}
    for number, product in enumerate(products):
        key = (*(metadata.get(product.meta, name) for name in ONE_DETECTOR), product.arrays["data"].shape)
        sets.setdefault(key, []).append(number)
    found = {}
    limits = options["threshold_percent"], _options(options).limits.snr[0]
    for numbers in sets.values():
        first = Slit(products[numbers[0]], 1)
        along = first.dispersion(INTEGRAL_FIELD[first.exposure_type])
        images = (_usable(products[number]) for number in numbers)
        axis = 1 if along == 2 else 0
        sharp = find_sharp_pixels(images, axis, limits, options["kernel_size"], making.work)
        for number in numbers:
            found[number, 1] = sharp
    return found


def _usable(product):
    """Values and errors, NaN where a pixel is not to be used."""
    data, err = product.array("data"), product.array("err")
    bad = ~np.isfinite(data + err)
    if product.has("dq"):
        bad |= product.array("dq") & BAD != 0
    return np.where(bad, np.nan, data), np.where(bad, np.nan, err)


def _options(options: Mapping[str, Any]) -> OutlierOptions:
    return parse_outlier({"backg": 0.0, "resample_data": True} | dict(options), PIXEL_FLAGS)


def _changes(product, version, found, options):
    """Flags of outliers; and no values where a pixel is not to be used, unless they are to be kept."""
    dq = product.pixels("DQ", version).copy()
    dq[found] |= OUTLIER
    changes = [HduChange("DQ", version, array=dq)]
    if options["keep_values"]:
        return changes
    unusable = dq & PIXEL_FLAGS["DO_NOT_USE"] != 0
    for name in NAN_TOO:
        if version in product.versions(name) and product.hdu(name, version).shape == dq.shape:
            pixels = product.pixels(name, version).copy()
            pixels[unusable] = np.nan
            changes.append(HduChange(name, version, array=pixels))
    return changes
