"""What is asked of rt-view, and what of it means something for a product."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

from rtools.errors import UsageError

if TYPE_CHECKING:
    from rtools.products.io.face import ProductFace

__all__ = ["CHARTS", "IMAGE", "INTEGRATIONS", "RAMP", "Wishes", "asked", "meant"]


@dataclass(frozen=True)
class Wishes:
    """What is asked for, by the names of the options of rt-view; None and False are what is not.

    Attributes
    ----------
    array, resultant, integration, group, wave, section, frame, flags
        What is shown, as `rtools.show.image.load_image` takes it.
    hdu, row
        Which spectrum, as `rtools.show.spectrum.chart_spectra` takes it.
    stretch, limits, cmap, title
        How, as `rtools.show.plot.plot_image` takes it.
    catalog, segmentation, regions, residuals, grid, compass, wcs
        What lies over an image.
    bare : bool
        Pictures of images have no axes, title and bar of colours.
    side : int or None
        Dots along the longer side of a bare picture, at most; None for as many as serve a screen.
    hist : bool
        The distribution of the values instead of the image.
    ramp : (int, int)
        The pixel whose ramp is drawn instead of an image, and `rate` the image of its line.
    typed : frozenset of str or None
        Which settings are typed, not said by a configuration that serves many calls; None is all.
    """

    array: str | None = None
    resultant: int | None = None
    integration: int | None = None
    group: int | None = None
    wave: float | None = None
    section: str | None = None
    frame: str | None = None
    flags: str | None = field(default=None, metadata={"word": "dq"})
    hdu: str | None = None
    row: int | None = None
    stretch: str = "asinh"
    limits: str | None = None
    cmap: str = "inferno"
    title: str | None = None
    catalog: str | None = None
    segmentation: str | None = None
    regions: str | None = None
    residuals: str | None = None
    grid: bool = False
    compass: bool = False
    wcs: str | None = None
    bare: bool = False
    side: int | None = None
    hist: bool = False
    ramp: tuple[int, int] | None = field(default=None, metadata={"word": "at"})
    rate: str | None = None
    typed: frozenset[str] | None = None

    def of(self, *names: str) -> dict[str, Any]:
        """Some settings by name."""
        return {name: getattr(self, name) for name in names}


RAMP = {"roman": ("ramp", "rate", "frame", "title"), "jwst": ("ramp", "rate", "integration", "title")}
"""Settings of the ramp of a pixel, by mission."""

_OVERLAYS = ("catalog", "segmentation", "regions", "residuals", "grid", "compass", "wcs")

_IMAGE = ("array", "section", "flags", "limits", *_OVERLAYS, "hist", "title", "stretch", "cmap", "bare", "side")

IMAGE = {"roman": (*_IMAGE, "resultant", "frame"), "jwst": (*_IMAGE, "integration", "group", "wave")}
"""Settings of images, by mission; which of the planes a product has is seen when it is read."""

CHARTS = {
    "l1_face": ("title",),
    "x1d": ("array", "hdu", "row", "flags", "title"),
    "c1d": ("array", "hdu", "row", "flags", "title"),
    "x1dints": ("array", "hdu", "row", "flags", "title"),
    "ami-oi": ("integration", "title"),
    "amimulti-oi": ("integration", "title"),
    "aminorm-oi": ("integration", "title"),
    "phot": ("array", "title"),
    "whtlt": ("array", "title"),
    "cat": ("array", "title"),
}
"""Kinds of which a chart is drawn, and the settings that mean something for it."""

INTEGRATIONS = ("array", "hdu", "flags", "limits", "hist", "title", "stretch", "cmap")
"""Settings of the image of a series of spectra."""


def meant(product: ProductFace, wishes: Wishes, known: tuple[str, ...]) -> Wishes:
    """Wishes without those that mean nothing for a product.

    Parameters
    ----------
    product : rtools.products.io.ProductFace
        Opened.
    wishes : Wishes
        What is asked for.
    known : tuple of str
        Settings that mean something.

    Returns
    -------
    Wishes
        Others have their defaults.

    Raises
    ------
    UsageError
        One of the others is typed.
    """
    others = [one for one in fields(wishes) if one.name not in (*known, "typed")]
    wanted = asked(wishes)
    for one in others:
        if one.name in wanted:
            kind = {"l1_face": "face", "l2_image": "cal"}.get(product.kind, product.kind)
            word, first = one.metadata.get("word", one.name), kind.partition("/")[0]
            what = "such a reference file" if first in ("reference", "other") else f"a _{kind} file"
            raise UsageError(f"--{word} does not go with {what}", path=product.path)
    defaults: dict[str, Any] = {one.name: one.default for one in others}
    return replace(wishes, **defaults)


def asked(wishes: Wishes) -> set[str]:
    """Settings that are typed and not what they are by default.

    Parameters
    ----------
    wishes : Wishes
        What is asked for.

    Returns
    -------
    set of str
    """
    known = (one for one in fields(wishes) if one.name != "typed" and getattr(wishes, one.name) != one.default)
    return {one.name for one in known if wishes.typed is None or one.name in wishes.typed}
