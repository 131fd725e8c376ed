"""What rt-view draws of a product: an image, the distribution of its values, ramps of a pixel, or a chart."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from rtools.errors import InputError, UsageError
from rtools.show.wishes import CHARTS, IMAGE, INTEGRATIONS, RAMP, Wishes, asked, meant

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from rtools.products.io.face import ProductFace
    from rtools.show.chart import Chart
    from rtools.show.image import ShownPlane
    from rtools.show.terminal import Style

__all__ = ["Drawing", "Wishes", "drawing_of", "load_overlays", "load_shown"]

Tell = Callable[[str, str], None]
"""Level and text of a message."""


class Drawing(NamedTuple):
    """Something that can be drawn either way.

    Attributes
    ----------
    plot : callable
        Makes a figure.
    draw : callable
        Makes lines of text in a style of the terminal.
    """

    plot: Callable[[], Figure]
    draw: Callable[[Style], list[str]]


def drawing_of(product: ProductFace, wishes: Wishes, tell: Tell) -> Drawing:
    """What is drawn of a product.

    Parameters
    ----------
    product : rtools.products.io.ProductFace
        Opened.
    wishes : Wishes
        What is asked for.
    tell : callable
        Takes level and text of a message.

    Returns
    -------
    Drawing
        All of the file that is needed has been read.

    Raises
    ------
    UsageError
        Something is asked for that means nothing for such a file.
    InputError
        There is nothing to be drawn, or not what is asked for.
    """
    if wishes.ramp:
        return _ramps(product, meant(product, wishes, RAMP[product.mission]))
    one_array = product.kind == "l1_face" and wishes.array is not None
    if product.kind in CHARTS and not one_array and not (product.kind == "x1dints" and wishes.row is None):
        return _chart(product, meant(product, wishes, CHARTS[product.kind]), tell)
    if wishes.array is None and wishes.resultant is None:
        found = _reference(product, wishes, tell)
        if found is not None:
            return found
    known = INTEGRATIONS if product.kind == "x1dints" else IMAGE[product.mission]
    return _image(product, meant(product, wishes, known), tell)


def _reference(product, wishes, tell):
    """What is drawn of a reference file that is no image; None for one that is."""
    from rtools.show import reference_pictures, terminal
    from rtools.show.reference_charts import REFERENCE_CHARTS, chart_reference
    from rtools.show.reference_charts_jwst import JWST_CHARTS, chart_jwst_reference, jwst_reference_type

    jwst = jwst_reference_type(product)
    if product.kind != "reference" and jwst is None:
        return None
    if product.reftype in REFERENCE_CHARTS or jwst in JWST_CHARTS:
        wishes = meant(product, wishes, ("title",))
        return _charted(chart_jwst_reference(product, jwst) if jwst else chart_reference(product), wishes)
    if "distortion" in (product.reftype, jwst):
        wishes = meant(product, wishes, ("title", "cmap"))
        field = reference_pictures.load_distortion(product)
        look = {"stretch": "linear", "limits": "minmax", "cmap": wishes.cmap}
        return Drawing(
            lambda: reference_pictures.plot_distortion(field, cmap=wishes.cmap, title=wishes.title),
            lambda style: terminal.draw_image(field.area, style, **look),
        )
    if product.reftype == "epsf" and not _is_of_one_plane(wishes):
        image = _image(product, meant(product, wishes, IMAGE["roman"]), tell)
        planes = reference_pictures.load_epsf(product)
        look = {"cmap": wishes.cmap, "title": wishes.title}
        return Drawing(lambda: reference_pictures.plot_epsf(planes, **look), image.draw)
    return None


def _is_of_one_plane(wishes):
    """Whether something is asked for that means an image, which is not a picture of many of them."""
    names = set(IMAGE["roman"]) - {"title", "cmap", "side"}
    return bool(asked(wishes) & names)


def _ramps(product, wishes):
    from rtools.show import ramp_drawing

    ramps = _load_ramps(product, wishes)
    if wishes.title is not None:
        ramps[0].title = wishes.title
    return Drawing(lambda: ramp_drawing.plot_ramps(ramps), lambda style: ramp_drawing.draw_ramps(ramps, style))


def _load_ramps(product, wishes):
    if product.mission == "jwst":
        from rtools.show.ramp_jwst import load_groups

        return load_groups(product, *wishes.ramp, **wishes.of("integration", "rate"))
    from rtools.show.ramp import load_ramp

    return [load_ramp(product, *wishes.ramp, **wishes.of("frame", "rate"))]


def _chart(product, wishes, tell):
    found, notes = _load_chart(product, wishes)
    for note in notes:
        tell("note", f"{product.path}: {note}")
    return _charted(found, wishes)


def _charted(found, wishes):
    from rtools.show import chart

    found = found if wishes.title is None else found._replace(title=wishes.title)
    return Drawing(lambda: chart.plot_chart(found), lambda style: chart.draw_chart(found, style))


def _load_chart(product: Any, wishes: Wishes) -> tuple[Chart, list[str]]:
    """The chart of a kind of product, and what is to be said of it."""
    if product.kind == "l1_face":
        from rtools.show.guide_view import load_rotations

        return load_rotations(product), []
    if product.kind in ("phot", "whtlt"):
        from rtools.show.light_curve import chart_light_curve

        return chart_light_curve(product, array=wishes.array), []
    if product.kind == "cat":
        from rtools.show.star_map import chart_sources

        return chart_sources(product, array=wishes.array), []
    if product.kind.endswith("-oi"):
        from rtools.show.observables import chart_observables

        return chart_observables(product, integration=wishes.integration), []
    from rtools.show.spectrum import chart_spectra

    return chart_spectra(product, **wishes.of("array", "hdu", "row", "flags"))


def _image(product, wishes, tell):
    from rtools.show import plot, terminal
    from rtools.show.histogram import plot_histogram

    image = load_shown(product, wishes, tell)
    if wishes.title is not None:
        image.title = wishes.title
    if image.look and wishes.limits is None and wishes.stretch == Wishes.stretch:
        wishes = replace(wishes, stretch=image.look[0], limits=image.look[1])
    titled = {"limits": wishes.limits, "title": wishes.title}
    if wishes.hist:
        return Drawing(
            lambda: plot_histogram(image, **titled),
            lambda style: terminal.draw_histogram(image, style, limits=wishes.limits),
        )
    over = load_overlays(product, image, wishes, tell)
    look = wishes.of("stretch", "cmap")
    text = {name: over[name] for name in ("compass", "sources")} | {"limits": wishes.limits}
    text["outlines"] = _painted(image, over)
    return Drawing(
        lambda: plot.plot_image(image, **titled, **look, **over, grid=wishes.grid, bare=wishes.bare, side=wishes.side),
        lambda style: terminal.draw_image(image, style, **look, **text),
    )


def _painted(image, over):
    """Pixels that text paints: edges of segments, and lines of regions."""
    if not over["regions"]:
        return over["outlines"]
    from rtools.show.region_shapes import paint_regions

    lines = paint_regions(over["regions"], image)
    return lines if over["outlines"] is None else lines | over["outlines"]


def load_shown(product: Any, wishes: Wishes, tell: Tell) -> ShownPlane:
    """The image that is shown of a product.

    Parameters
    ----------
    product : rtools.products.io.ProductFace
        Opened.
    wishes : Wishes
        What is asked for.
    tell : callable
        Takes level and text of a message.

    Returns
    -------
    rtools.show.image.ShownPlane
    """
    from rtools.show import guide_view
    from rtools.show.image import load_image

    if product.kind == "x1dints":
        from rtools.show.spectrum import load_integrations

        image, notes = load_integrations(product, **wishes.of("array", "hdu", "flags"))
        for note in notes:
            tell("note", f"{product.path}: {note}")
        return image
    if wishes.array is None and guide_view.has_windows(product):
        if wishes.frame:
            raise UsageError("--frame does not go with a _gw file", path=product.path)
        return guide_view.load_difference(product, pair=wishes.resultant, section=wishes.section)
    shown = wishes.of("array", "resultant", "integration", "group", "wave", "section", "frame", "flags")
    image = load_image(product, **shown)
    sets = len(product.versions("SCI")) if product.mission == "jwst" else 1
    if wishes.array is None and sets > 1:
        tell("note", f"{product.path}: the first of {sets} sets: --array slits.1.data is the second")
    if wishes.hist and image.kind != "image":
        raise UsageError(f"--hist: {image.name} holds {image.kind}, no values", mend="rt-dq counts flags")
    return image


def load_overlays(product: Any, image: ShownPlane, wishes: Wishes, tell: Tell) -> Mapping[str, Any]:
    """What lies over an image.

    Parameters
    ----------
    product : rtools.products.io.ProductFace
        Opened.
    image : rtools.show.image.ShownPlane
        What is shown of it.
    wishes : Wishes
        What is asked for.
    tell : callable
        Takes level and text of a message.

    Returns
    -------
    dict
        wcs, compass, sources, classes, outlines, regions and residuals as `rtools.show.plot.plot_image` takes them;
        each None where not asked for.
    """
    from rtools.products.edit.wcs import load_wcs
    from rtools.show import overlay

    found: dict[str, Any] = dict.fromkeys(("wcs", "compass", "sources", "classes", "outlines", "regions", "residuals"))
    needed = wishes.grid or wishes.compass or wishes.wcs
    if needed or wishes.catalog or wishes.regions or wishes.residuals:
        try:
            found["wcs"] = load_wcs(product, wishes.wcs)
        except InputError:
            if needed:
                raise
    rows, columns = image.data.shape
    if wishes.compass:
        found["compass"] = overlay.compass(found["wcs"], image.x + columns / 2, image.y + rows / 2)
    if wishes.catalog:
        found["sources"], found["classes"] = overlay.load_classed(wishes.catalog, product, wcs=found["wcs"])
        x, y = found["sources"]
        inside = (abs(x - image.x - columns / 2) <= columns / 2) & (abs(y - image.y - rows / 2) <= rows / 2)
        level = "info" if inside.any() else "warning"
        tell(level, f"{Path(wishes.catalog)}: {inside.sum()} of {len(x)} sources in the picture")
    if wishes.segmentation:
        found["outlines"] = overlay.load_outlines(wishes.segmentation, product, image)
    if wishes.regions:
        from rtools.show.region_shapes import load_regions

        messages: list[str] = []
        found["regions"] = load_regions(wishes.regions, found["wcs"], messages)
        for text in messages:
            tell("warning", f"{Path(wishes.regions)}: {text}")
    if wishes.residuals:
        from rtools.show.residuals import load_residuals

        found["residuals"] = load_residuals(wishes.residuals, product, found["wcs"], wishes.catalog)
        tell("info", f"{Path(wishes.residuals)}: {found['residuals'].note}")
    return found
