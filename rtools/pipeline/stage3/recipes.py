"""What associations of the third stage, and of spectra of the second, ask for: which steps, on which files.

The recipes follow the mission's pipelines calwebb_tso3, calwebb_coron3, calwebb_ami3, calwebb_spec2 and calwebb_spec3.
Each step is a job of its own, which waits for those that make what it needs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from rtools.errors import InputError
from rtools.pipeline.mosaic import FutureImage, MosaicRequest, WantedGrid
from rtools.pipeline.mosaic.job import plan_future_mosaic
from rtools.pipeline.stage3.chain import Chain, MemberFile
from rtools.products.jwst import open_jwst
from rtools.wfi import metadata

__all__ = ["RECIPES"]


def _resample(chain: Chain, pieces: Sequence[MemberFile]) -> None:
    """The job of a mosaic of images with north up, which are made in the same run."""
    settings = {name: chain.request.settings[name] for name in ("resample",) if name in chain.request.settings}
    request = MosaicRequest(
        tool="rt-resample",
        single="resample",
        mission="jwst",
        settings=settings,
        wanted=WantedGrid(pa=0.0),
        output=str(chain.folder / f"{chain.product}_i2d.fits"),
        overwrite=chain.request.overwrite,
        resume=chain.request.resume,
    )
    images = [FutureImage(piece.path, piece.path, piece.key) for piece in pieces]
    like = [open_jwst(piece.like) for piece in pieces]
    chain.add(plan_future_mosaic(str(request.output), images, request, like))


Members = Mapping[str, Sequence[MemberFile]]
"""Files of the members of a product, by exptype."""


def _without_outliers(chain: Chain, pieces: Sequence[MemberFile]) -> list[MemberFile]:
    """Exposures with their outliers flagged, each in a file of its own; as they are, where that is not wanted."""
    done = [chain.do("outlier", [piece], chain.of_exposure(piece)) for piece in pieces]
    return [found.get("crfints", piece) for found, piece in zip(done, pieces, strict=True)]


IMAGES_IN_TIME = ("NRC_TSIMAGE", "MIR_IMAGE")
"""Types of time series that are images; the others are spectra."""


def _series(chain: Chain, members: Members) -> None:
    """tso3: outliers, and a light curve: of images by an aperture, of spectra in white light."""
    pieces = _without_outliers(chain, members["science"])
    if chain.exposure_type in IMAGES_IN_TIME:
        chain.do("phot", pieces, chain.product)
        return
    spectra = chain.do("x1d", pieces, chain.product)
    chain.do("whtlt", [spectra.get("x1dints")], chain.product)


def _coronagraphs(chain: Chain, members: Members) -> None:
    """coron3: outliers; reference stars together, aligned with each exposure, subtracted from it; the mosaic of all."""
    if not members.get("psf"):
        raise InputError("no member is a reference star (exptype psf)", path=chain.path)
    targets = _without_outliers(chain, members["science"])
    stack = chain.do("psfstack", _without_outliers(chain, members["psf"]), chain.product).get("psfstack")
    left: list[MemberFile] = []
    for target in targets:
        root = chain.of_exposure(target)
        aligned = chain.do("psfalign", [target, stack], root).get("psfalign")
        left += chain.do("psfsub", [target, aligned], root).values()
    if left and not chain.skips("resample"):
        _resample(chain, left)


def _interferometry(chain: Chain, members: Members) -> None:
    """ami3: observables of each exposure; those of targets divided by those of reference stars.

    A target is divided by the star that was seen at the same place of the dither pattern, where there is exactly one;
    else by the mean of all.
    """
    targets, stars = (
        [chain.do("ami", [piece], chain.of_exposure(piece)).get("ami-oi") for piece in members.get(exptype, ())]
        for exptype in ("science", "psf")
    )
    places = [_dither_position(piece) for piece in members.get("psf", ())]
    for piece, target in zip(members["science"], targets, strict=True):
        root = chain.product if len(targets) == 1 else chain.of_exposure(piece)
        place = _dither_position(piece)
        same = [star for star, other in zip(stars, places, strict=True) if place is not None and other == place]
        chosen = same if len(same) == 1 else stars
        if chosen:
            chain.do("aminorm", [target, *chosen], root)


def _dither_position(piece: MemberFile) -> int | None:
    """Number of an exposure in the dither pattern (PATT_NUM)."""
    return metadata.get(open_jwst(piece.like).meta, "dither.position_number")


INTEGRAL_FIELD = ("MIR_MRS", "NRS_IFU")


BANDS = ("SHORT", "MEDIUM", "LONG")


def _cubes(chain: Chain, pieces: Sequence[MemberFile]) -> None:
    """A cube and its spectrum; of MIRI's spectrometer, whose detectors have two channels each, one of each channel."""
    told = [open_jwst(piece.like).meta.get("instrument") or {} for piece in pieces]
    channels = sorted({letter for one in told for letter in str(one.get("channel") or "") if letter.isdecimal()})
    asked = chain.request.settings.get("cube", {}).get("channel")
    if len(channels) < 2:
        chain.do("x1d", [chain.do("cube", pieces, chain.product).get("s3d")], chain.product)
        return
    for channel in channels if asked is None else (str(asked),):
        ours = [number for number, one in enumerate(told) if channel in str(one.get("channel"))]
        bands = "".join(band.lower() for band in BANDS if any(told[number].get("band") == band for number in ours))
        root = re.sub(r"(_ch\d+(-[a-z]+)?)?$", f"_ch{channel}-{bands}", chain.product, count=1)
        cube = chain.do("cube", [pieces[number] for number in ours], root, {"channel": channel}).get("s3d")
        chain.do("x1d", [cube], root)


def _spectra_of_exposures(chain: Chain, members: Members) -> None:
    """spec2: of one exposure a rectified image and a spectrum; of a series spectra of each integration."""
    (piece,) = members["science"]
    if piece.kind == "calints":
        chain.do("x1d", [piece], chain.product)
    elif chain.exposure_type in INTEGRAL_FIELD:
        _cubes(chain, [piece])
    else:
        chain.do("x1d", [chain.do("resample", [piece], chain.product).get("s2d", piece)], chain.product)


def _spectra_of_targets(chain: Chain, members: Members) -> None:
    """spec3: outliers; of all exposures of a target one image or cube and its spectrum; their spectra combined."""
    science = chain.compare("outlier", members["science"])
    if chain.exposure_type in INTEGRAL_FIELD:
        _cubes(chain, science)
        return
    chain.do("x1d", [chain.do("resample", science, chain.product).get("s2d")], chain.product)
    if len(science) > 1 and not chain.skips("c1d"):
        roots = [piece.root.removesuffix(f"_{chain.asn_id}") for piece in science]  # spectra of exposures have no more
        spectra = [chain.do("x1d", [piece], root).get("x1d") for piece, root in zip(science, roots, strict=True)]
        chain.do("c1d", spectra, chain.product)


class Stage3Recipe(NamedTuple):
    """What an association of one type asks for.

    Attributes
    ----------
    plan : callable
        ``plan(chain, members)`` plans all jobs.
    steps : tuple of str
        Tool names of the steps that it may have.
    out_of_reach : mapping of str to str
        EXP_TYPE of what is not done here, and why.
    """

    plan: Callable[[Chain, Members], None]
    steps: tuple[str, ...]
    out_of_reach: Mapping[str, str] = {}


OVERLAPPING = "spectra of overlapping orders (ATOCA) are not extracted here"
NO_SLITS = "spectra without slits are not cut out and extracted here"

RECIPES: Mapping[str, Stage3Recipe] = {
    "tso3": Stage3Recipe(_series, ("outlier", "phot", "x1d", "whtlt"), {"NIS_SOSS": OVERLAPPING}),
    "coron3": Stage3Recipe(_coronagraphs, ("outlier", "psfstack", "psfalign", "psfsub", "resample")),
    "ami3": Stage3Recipe(_interferometry, ("ami", "aminorm")),
    "spec2": Stage3Recipe(
        _spectra_of_exposures,
        ("resample", "cube", "x1d"),
        {"NIS_SOSS": OVERLAPPING, "NIS_WFSS": NO_SLITS, "NRC_WFSS": NO_SLITS},
    ),
    "spec3": Stage3Recipe(
        _spectra_of_targets, ("outlier", "resample", "cube", "x1d", "c1d"), {"NIS_WFSS": NO_SLITS, "NRC_WFSS": NO_SLITS}
    ),
}
"""Recipes by the type of their associations."""
