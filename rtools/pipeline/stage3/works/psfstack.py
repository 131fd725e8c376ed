"""rt-psfstack on files: _calints of reference stars to _psfstack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.coronagraphy.steps.psfstack import STEP
from rtools.pipeline.stage3.coronagraph_files import TARGETS, refuse_other_frames, refuse_other_images
from rtools.pipeline.stage3.making import passed_on
from rtools.pipeline.stage3.work import ProductWork
from rtools.products.jwst import NewHdu

if TYPE_CHECKING:
    from rtools.pipeline.stage3.making import ProductMaking
    from rtools.products.jwst import JwstProduct

__all__ = ["WORK"]

DTYPES = {"SCI": np.float32, "DQ": np.uint32, "ERR": np.float32}


def _make(making: ProductMaking) -> None:
    first, hdus = making.products[0], []
    for name, dtype in DTYPES.items():
        planes = np.concatenate([product.pixels(name) for product in making.products])
        unit = first.hdu(name).unit if name != "DQ" else None
        hdus.append(NewHdu(name, planes.astype(dtype, copy=False), unit=unit))
    meta = passed_on(first, "wcs", stack_psfs="COMPLETE")
    making.write_new("psfstack", meta, hdus, told=_origins(making.products))


def _origins(products):
    """Where each plane is from: numbers count from 1."""
    named = [(product.path.name, number + 1) for product in products for number in range(product.hdu("SCI").shape[0])]
    return [f"plane {plane} is {name}:{number}" for plane, (name, number) in enumerate(named, 1)]


def _foresee(_kind: str, products: Sequence[JwstProduct], options: Mapping[str, Any]) -> None:
    refuse_other_frames(products)


def _check(products: Sequence[JwstProduct], options: Mapping[str, Any]) -> None:
    refuse_other_images(products)


WORK = ProductWork(
    step=STEP,
    takes=TARGETS,
    gives=lambda kind, options: ("psfstack",),
    make=_make,
    foresee=_foresee,
    check=_check,
    together=True,
    copies=2,
)
