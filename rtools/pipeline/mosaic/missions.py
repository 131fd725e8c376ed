"""What differs by mission on the way to a mosaic: how images are opened, what their metadata mean, what is made."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from rtools.errors import UsageError
from rtools.jwst.dq import PIXEL_FLAGS
from rtools.mosaic.grid.scale import native_scale
from rtools.pipeline.mosaic import jwst_images, roman_images
from rtools.products.mosaic.metadata import group_of
from rtools.products.opening import mission_of
from rtools.wfi.dq import PIXEL

__all__ = ["IMAGES", "JWST", "ROMAN", "MosaicMission", "mission_named", "mission_of_images"]


@dataclass(frozen=True, kw_only=True)
class MosaicMission:
    """The words and rules of one mission.

    Attributes
    ----------
    name : str
        As `rtools.products.opening.mission_of` says it.
    title : str
        What text calls it.
    steps : tuple of str
        Of the chain to a mosaic but the catalog, in order.
    suffix, extension : str
        Of a mosaic, and of all files.
    suffixes : mapping of str to str
        Suffix of the images of a step, where it is not that of the step's declaration.
    named_by_association : str or None
        Suffix of images in whose names the identifier of their association stands.
    in_skycells : bool
        Whether associations say which skycell they are of.
    catalog : mapping of str to str
        Suffixes of the catalog's products and the forms that they have, that of the catalog last.
    planes : frozenset of str
        What a mosaic may have.
    bits : mapping of str to int
        Names of DQ bits.
    weight : str
        Weights of a mosaic where nothing else says them.
    times : (str, str)
        Below meta.exposure: the time that an exposure counts by, and the one that stands in for it.
    sums_in : str
        Where a mosaic says the exposure time.
    pixel_area : str
        Where metadata state the area of a pixel, sr.
    nominal_scale : bool
        Whether a scale in arcsec is compared with that area, not with one that is measured.
    cells_follow : bool
        Whether the sky is compared in cells that are as wide in pixels for any detector.
    nearest : bool
        Whether a grid that covers all images has the nearest number of pixels, so that outer halves may be cut off.
    packed : bool
        Whether arrays in files are compressed: then images are kept as they are decoded, where there is room for all.
    check_times, element_of, factor_of, group_of, open_image, outline_of, profile_of, scale_at, wcs_of, why_left_out
        As in `rtools.pipeline.mosaic.roman_images` and `jwst_images`.
    """

    name: str
    title: str
    steps: tuple[str, ...]
    suffix: str
    extension: str
    suffixes: Mapping[str, str] = field(default_factory=dict)
    named_by_association: str | None = None
    in_skycells: bool
    catalog: Mapping[str, str]
    planes: frozenset[str]
    bits: Mapping[str, int]
    weight: str
    times: tuple[str, str]
    sums_in: str
    pixel_area: str
    nominal_scale: bool
    cells_follow: bool
    nearest: bool
    packed: bool
    check_times: Callable[[Mapping[str, Any], str | Path], None]
    element_of: Callable[[Mapping[str, Any]], str]
    factor_of: Callable[[dict[str, Any]], float | None]
    group_of: Callable[[Mapping[str, Any], int, str | None], str]
    open_image: Callable[[str | Path], Any]
    outline_of: Callable[[Mapping[str, Any], Any, Sequence[int]], np.ndarray]
    profile_of: Callable[[str | None, Sequence[Any]], tuple[str, list[str]]]
    scale_at: Callable[[Any, tuple[float, float] | None], float]
    wcs_of: Callable[[Any], Any]
    why_left_out: Callable[[Mapping[str, Any]], str]

    @property
    def outlier_bits(self) -> np.uint32:
        """What an outlier is flagged with: DO_NOT_USE and OUTLIER."""
        return np.uint32(self.bits["DO_NOT_USE"] | self.bits["OUTLIER"])


ROMAN = MosaicMission(
    name="roman",
    title="Roman",
    steps=("flux", "skymatch", "outlier", "resample"),
    suffix="coadd",
    extension="asdf",
    in_skycells=True,
    catalog={"segm": "asdf", "cat": "parquet"},
    planes=frozenset(
        ("data", "err", "weight", "context", "var_poisson", "var_rnoise", "var_sky", "var_flat", "dq"),
    ),
    bits=PIXEL,
    weight="exptime",
    times=("exposure_time", "effective_exposure_time"),
    sums_in="meta.coadd_info",
    pixel_area="photometry.pixel_area",
    nominal_scale=False,
    cells_follow=False,
    nearest=False,
    packed=True,
    check_times=roman_images.check_times,
    element_of=roman_images.element_of,
    factor_of=roman_images.factor_of,
    group_of=group_of,
    open_image=roman_images.open_image,
    outline_of=roman_images.outline_of,
    profile_of=roman_images.profile_of,
    scale_at=native_scale,
    wcs_of=roman_images.wcs_of,
    why_left_out=roman_images.why_left_out,
)

JWST = MosaicMission(
    name="jwst",
    title="JWST",
    steps=("skymatch", "outlier", "resample"),
    suffix="i2d",
    extension="fits",
    suffixes={"outlier": "crf"},
    named_by_association="crf",
    in_skycells=False,
    catalog={"segm": "fits", "cat": "ecsv"},
    planes=frozenset(("data", "err", "weight", "context", "var_poisson", "var_rnoise", "var_flat")),
    bits=PIXEL_FLAGS,
    weight="ivm",
    times=("measurement_time", "exposure_time"),
    sums_in="the header",
    pixel_area="photometry.pixelarea_steradians",
    nominal_scale=True,
    cells_follow=True,
    nearest=True,
    packed=False,
    check_times=jwst_images.check_times,
    element_of=jwst_images.element_of,
    factor_of=jwst_images.factor_of,
    group_of=jwst_images.group_of,
    open_image=jwst_images.open_image,
    outline_of=jwst_images.outline_of,
    profile_of=jwst_images.profile_of,
    scale_at=jwst_images.scale_at,
    wcs_of=jwst_images.wcs_of,
    why_left_out=jwst_images.why_left_out,
)


IMAGES = ("l2_image", *jwst_images.KINDS)
"""Kinds of products that mosaics are made of."""


def mission_named(name: str) -> MosaicMission:
    """The mission of a name.

    Parameters
    ----------
    name : str
        ``roman`` or ``jwst``.
    """
    return {"roman": ROMAN, "jwst": JWST}[name]


def mission_of_images(files: Iterable[str | Path]) -> str:
    """The mission of the images of one mosaic.

    Parameters
    ----------
    files : iterable of str or Path
        The images, whatever they are.

    Returns
    -------
    str
        Its name.

    Raises
    ------
    UsageError
        They are of several.
    """
    found: dict[str, str] = {}
    for file in files:
        found.setdefault(mission_of(file), str(file))
    if len(found) > 1:
        shown = " and ".join(f"{mission_named(name).title} ({file})" for name, file in sorted(found.items()))
        raise UsageError(f"images of {shown} make no mosaic", mend="rt-resample --like puts each on one grid")
    return next(iter(found), "roman")
