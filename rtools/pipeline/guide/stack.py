"""Stacks, movies and montages of the differences of a stage."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rtools.errors import InputError
from rtools.guide import Stack, flag_pairs, stack_images
from rtools.pipeline.guide.instrument import instrument_of
from rtools.pipeline.guide.pieces import difference_of, flags_of, pieces_of
from rtools.pipeline.guide.request import GuideRequest
from rtools.products.io import Stage, temporary
from rtools.products.io.recording import JOB_OF_IMAGE, KEY, settled_entry
from rtools.products.schema import history
from rtools.wfi.guide import Use

if TYPE_CHECKING:
    from rtools.products.guide import Guide, GuideStage
    from rtools.work import Work

__all__ = ["Images", "images_of", "stack_of", "stage_stack"]

DROPPED = Use.RESET_IMPACTED | Use.SCE | Use.GW_ERROR | Use.MAX_BIND
"""What a file says of its pairs that keeps them out of a stack; no star is needed for it."""


class Images(NamedTuple):
    """Differences of the pairs of a stage.

    Attributes
    ----------
    pairs : ndarray int (n,)
        Their numbers in the stage.
    images : ndarray float32 (n, rows, columns)
        Electrons.
    masked : ndarray bool (n, rows, columns)
        Pixels that do not count.
    lower : ndarray int32 (n, 2)
        Column and row of the first pixel of each.
    dropped : ndarray bool (n,)
        Pairs that do not count.
    """

    pairs: NDArray[np.int64]
    images: NDArray[np.float32]
    masked: NDArray[np.bool_]
    lower: NDArray[np.int32]
    dropped: NDArray[np.bool_]


def images_of(guide: Guide, stage: GuideStage, request: GuideRequest, work: Work) -> Images:
    """The differences of a stage.

    Parameters
    ----------
    guide : rtools.products.guide.Guide
        The file.
    stage : rtools.products.guide.GuideStage
        One of its stages.
    request : GuideRequest
        Which exposures, and how the reference output is used.
    work : rtools.work.Work
        Log.

    Returns
    -------
    Images

    Raises
    ------
    InputError
        The stage has no pixels, or they are damaged.
    """
    instrument = instrument_of(guide, replace(request, centroid="moment"), work.log)  # no star is fitted
    pieces = list(pieces_of(stage, request))
    if not pieces:
        raise InputError(f"no pair in the stage {stage.name}", path=guide.path)
    made = [difference_of(stage, piece, instrument, request) for piece in pieces]
    pairs = np.concatenate([piece.pairs for piece in pieces])
    said = flags_of(stage, pairs)
    use = flag_pairs(said)
    return Images(
        pairs,
        np.concatenate([one.images for one in made]),
        np.concatenate([one.masked for one in made]),
        said.lower,
        (use & request.dropped(DROPPED)) != 0,
    )


def stack_of(images: Images, how: str, cover: str) -> Stack:
    """One image of the pairs that count.

    Parameters
    ----------
    images : Images
        Of a stage.
    how : str
        ``mean`` or ``median``, which is clipped.
    cover : str
        ``union`` or ``intersection`` of the windows.

    Returns
    -------
    rtools.guide.Stack

    Raises
    ------
    InputError
        No pair counts.
    """
    good = ~images.dropped
    return stack_images(images.images[good], images.lower[good], masked=images.masked[good], how=how, cover=cover)


def stage_stack(path: str | Path, stack: Stack, guide: Guide, stage: str) -> Stage:
    """Write a stack under a temporary name.

    Parameters
    ----------
    path : str or Path
        Where it will appear: ASDF or FITS by its extension.
    stack : rtools.guide.Stack
        The image.
    guide : rtools.products.guide.Guide
        Of what it is.
    stage : str
        Name of the stage.

    Returns
    -------
    rtools.products.io.Stage
    """
    said = {
        "guide_window_id": guide.window_id,
        "detector": guide.detector,
        "optical_element": guide.element,
        "stage": stage,
        "x_start": stack.lower[0],
        "y_start": stack.lower[1],
    }
    source = str(guide.product.path)
    inputs = [] if temporary.STREAM in source else [source]
    job = settled_entry(history.entry("rt-gw stack", inputs=inputs), path)[0]
    planes = {"data": stack.image, "err": np.sqrt(stack.variance), "n": stack.counts}
    staged = Stage(path)
    try:
        with staged.open() as file:
            (_write_fits if str(path).lower().endswith((".fits", ".fit")) else _write_asdf)(file, said, job, planes)
    except BaseException:
        staged.discard()
        raise
    return staged


def _write_asdf(file, said, job, planes):
    import asdf

    asdf.AsdfFile({"meta": said | {"unit": "electron", KEY: {"job": job}}} | planes).write_to(file)


def _write_fits(file, said, job, planes):
    from astropy.io import fits

    header = fits.Header([("GWID", said["guide_window_id"], "guide_window_id"),
                          ("DETECTOR", said["detector"], "detector"),
                          ("ELEMENT", said["optical_element"], "optical element"),
                          ("STAGE", said["stage"], "stage of guiding"),
                          ("XSTART", said["x_start"], "first column, 0-based, of 4096"),
                          ("YSTART", said["y_start"], "first row, 0-based, of 4096")])  # fmt: skip
    header[JOB_OF_IMAGE] = json.dumps(job)
    hdus = [fits.PrimaryHDU(header=header)]
    for name, plane in planes.items():
        hdu = fits.ImageHDU(plane, name=name.upper())
        if name != "n":
            hdu.header["BUNIT"] = "electron"
        hdus.append(hdu)
    whole = io.BytesIO()  # astropy takes no file that was opened to be new
    fits.HDUList(hdus).writeto(whole)
    file.write(whole.getvalue())
