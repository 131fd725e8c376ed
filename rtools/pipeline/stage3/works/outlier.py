"""rt-outlier on series of integrations, _calints to _crfints; and on exposures of spectra, _cal to _crf."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.declare import Option, ProductStep
from rtools.errors import InputError, UsageError
from rtools.jwst.dq import PIXEL_FLAGS
from rtools.jwst.modes import is_time_series
from rtools.mosaic.steps.outlier import STEP as OF_IMAGES
from rtools.pipeline.stage3.compared import check_compared, flag_compared, foresee_compared, is_sliced
from rtools.pipeline.stage3.slit_images import is_spectral
from rtools.pipeline.stage3.work import ProductWork
from rtools.products.jwst import HduChange, room_for
from rtools.timeseries.outliers import find_outliers
from rtools.work.loops import in_rows

if TYPE_CHECKING:
    from rtools.pipeline.stage3.making import ProductMaking
    from rtools.products.jwst import JwstProduct

__all__ = ["WORK"]


def _of_jwst(option: Option) -> Option:
    """An option with the default that it has for the mission."""
    return replace(option, default=option.default_for("jwst"), elsewhere=())


STEP = ProductStep(
    name=OF_IMAGES.name,
    cal_step=OF_IMAGES.cal_step,
    suffix="crfints",
    summary=OF_IMAGES.summary,
    description=OF_IMAGES.description,
    options=tuple(_of_jwst(one) for one in OF_IMAGES.options if one.name not in ("backg", "resample-data")),
    repeatable=True,
)
"""The step on images, with those of its options that integrations and spectra have; the tool is one for all."""

OF_SLITS = ("gradient", "maskpt", "kernel", "pixfrac", "weight_type", "good_bits", "fillval")
OF_SLICES = ("kernel_size", "threshold_percent")
OF_SERIES = ("window",)
"""Options that say something of one kind of file alone."""

WINDOW = 25
"""Integrations whose median those of a time series are compared with."""

BLOCK = 2**24
"""Bytes of the values of a block of rows, with all integrations."""

NAN_TOO = ("data", "err", "var_poisson", "var_rnoise", "var_flat")
"""What is NaN where a pixel is not to be used."""


def _make(making: ProductMaking) -> None:
    if making.products[0].kind == "calints":
        _make_series(making)
    else:
        flag_compared(making, "crf", STEP.cal_step)


def _make_series(making):
    product, options = making.products[0], making.options
    number, height, width = product.arrays["data"].shape
    window = _window(product, options)
    limit, keeps = _limit(options), options["keep_values"]
    cleared = [] if keeps else [name for name in NAN_TOO if _is_series(product, name)]
    changes = [_room(product, name) for name in ("dq", *cleared)]
    file = making.lay_out_changed("crfints", changes, tree={f"meta.cal_step.{STEP.cal_step}": "COMPLETE"})
    names = {name: product.hdu(name).name for name in ("dq", *cleared)}
    counts = []

    def flag(rows: slice) -> None:
        dq = product.section("dq", rows, slice(None))
        data, err = (product.section(name, rows, slice(None)) for name in ("data", "err"))
        unusable = dq & PIXEL_FLAGS["DO_NOT_USE"] != 0
        found = find_outliers(data, err, unusable, window=window, limit=limit)
        counts.append(np.count_nonzero(found))
        dq[found] |= np.uint32(PIXEL_FLAGS["DO_NOT_USE"] | PIXEL_FLAGS["OUTLIER"])
        unusable |= found
        file.write(names["dq"], dq, rows.start)
        for name in cleared:
            pixels = {"data": data, "err": err}.get(name)
            pixels = product.section(name, rows, slice(None)) if pixels is None else pixels
            pixels[unusable] = np.nan
            file.write(names[name], pixels, rows.start)
        shown.advance(rows.stop - rows.start)

    with making.work.progress("outliers", height) as shown:
        in_rows(making.work, flag, height, height=max(1, BLOCK // max(1, 4 * number * width)))
    share = sum(counts) / max(1, number * height * width)
    about = f"the {window} integrations about each" if 0 < window < number else f"all {number} integrations"
    making.log("info", f"{sum(counts)} outliers ({share:.2%}) beside the median of {about}")


def _window(product, options):
    """Integrations of a window; 0 for all."""
    if options["window"] is not None:
        return int(options["window"])
    return WINDOW if is_time_series(product.meta) else 0


def _limit(options: Mapping[str, Any]) -> float:
    """How many errors are too many: the first number of ``--snr``; the second is for the neighbours of images."""
    words = str(options["snr"]).replace(",", " ").split()
    try:
        numbers = [float(word) for word in words]
    except ValueError:
        numbers = []
    if not 1 <= len(numbers) <= 2 or not all(0 < number < float("inf") for number in numbers):
        raise UsageError(f"--snr {options['snr']}: a positive number expected, or two as images have them")
    return numbers[0]


def _is_series(product, name):
    return product.has(name) and product.arrays[name].shape == product.arrays["data"].shape


def _room(product, name):
    info, hdu = product.arrays[name], product.hdu(name)
    return HduChange(hdu.name, hdu.version, array=room_for(hdu.name, info.dtype, info.shape).data)


def _foresee(kind: str, products: Sequence[JwstProduct], options: Mapping[str, Any]) -> None:
    if kind != "calints":
        foresee_compared(products, options)
        return
    _limit(options)
    if options["window"] in (1, 2):
        raise UsageError(f"--window {options['window']}: nothing stands out among so few integrations",
                         mend="at least 3, or 0 for all")  # fmt: skip


def _check(products: Sequence[JwstProduct], options: Mapping[str, Any]) -> None:
    if products[0].kind != "calints":
        check_compared(products)
        return
    for product in products:
        for name in ("data", "err", "dq"):
            if not product.has(name):
                several = product.versions("SCI")[1:]
                raise InputError("has several sets of images" if several else f"has no {name}", path=product.path)
            if len(product.arrays[name].shape) != 3 or not _is_series(product, name):
                raise InputError(f"its {name} is no series of images of one shape", path=product.path)


def _is_its_own(product: JwstProduct) -> bool:
    """Whether a file is no image of the sky."""
    return product.kind == "calints" or is_sliced(product) or is_spectral(product)


def _idle(products: Sequence[JwstProduct], _options: Mapping[str, Any]) -> dict[str, str]:
    """Options that do nothing for these files, and what is said of them."""
    if products[0].kind == "calints":
        return dict.fromkeys((*OF_SLITS, *OF_SLICES), "is about images, slits or slices, and this is a series")
    if is_sliced(products[0]):
        return dict.fromkeys((*OF_SLITS, *OF_SERIES), "is not about slices, which are compared with their neighbours")
    return dict.fromkeys((*OF_SLICES, *OF_SERIES), "is not about slits")


WORK = ProductWork(
    step=STEP,
    takes=("calints", "cal"),
    gives=lambda kind, options: ("crfints" if kind == "calints" else "crf",),
    make=_make,
    foresee=_foresee,
    check=_check,
    idle=_idle,
    of=_is_its_own,
    compares=("cal",),
    copies=0.3,
)
