"""A JWST product cut out together with its coordinates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from rtools.astrometry.cutout_wcs import cutout_wcs
from rtools.astrometry.wcs import footprint
from rtools.errors import InputError
from rtools.products.io.edges import within
from rtools.products.jwst import ImageSky, moved_sky, sky_of
from rtools.products.jwst.cutting import JwstRegion, main_image, pixel_changes, pixel_metadata
from rtools.wfi.gwcs_frames import inputs_of
from rtools.wfi.sphere import s_region

if TYPE_CHECKING:
    from rtools.products.jwst import HduChange, JwstProduct

__all__ = ["JwstCutout", "cut_jwst"]


class JwstCutout(NamedTuple):
    """What `rtools.products.jwst.stage_jwst` takes to write a cutout.

    Attributes
    ----------
    changes : list of HduChange
        Pixels, rows, and keywords of single images.
    tree : dict
        Dotted path from the root to value: metadata, and the coordinates.
    """

    changes: list[HduChange]
    tree: dict[str, Any]


def cut_jwst(product: JwstProduct, region: JwstRegion) -> JwstCutout:
    """What becomes different in a cutout.

    Parameters
    ----------
    product : JwstProduct
        What is cut, opened; of FITS.
    region : JwstRegion
        What is kept; start and stop of its slices are numbers in the product, of rows and columns also beyond it.

    Returns
    -------
    JwstCutout

    Raises
    ------
    InputError
        There is nothing that could be cut so, or the coordinates cannot be moved: they have transforms that only
        stdatamodels knows.
    UsageError
        Columns that would tear a column of REFOUT apart.
    """
    tree = dict(pixel_metadata(product, region))
    if region.rows is not None and region.columns is not None:
        tree |= _of_sky(product, region.rows, region.columns)
    tree["meta.rtools.cutout"] = _place(product, region)
    return JwstCutout(pixel_changes(product, region), tree)


def _of_sky(product, rows, columns):
    """The gwcs and the region on the sky of a cutout, where the product has them."""
    tree: dict[str, Any] = {}
    try:
        wcs = product.node("meta.wcs")
    except KeyError:
        wcs = None
    if wcs is not None:
        if inputs_of(wcs) != (3 if product.kind == "s3d" else 2):
            raise InputError("its WCS needs more than a pixel, and cannot be moved", path=product.path)
        tree["meta.wcs"] = wcs = cutout_wcs(wcs, rows, columns)
    if product.value("wcsinfo.s_region") is not None:
        region = s_region(footprint(sky)) if (sky := _sky(product, wcs, rows, columns)) is not None else None
        if region is not None:
            tree["meta.wcsinfo.s_region"] = region
    return tree


def _sky(product, wcs, rows, columns):
    """Celestial coordinates of the pixels of a cutout with their edges; None for a spectrum, whose region stays."""
    if wcs is not None and inputs_of(wcs) == wcs.forward_transform.n_outputs == 2:
        return wcs
    try:
        sky = moved_sky(sky_of(product), columns.start, rows.start)
    except InputError:
        return None
    if not isinstance(sky, ImageSky):
        return sky
    lengths = main_image(product).shape[-2:]
    box = tuple(_edges(span, length) for span, length in zip((columns, rows), lengths[::-1], strict=True))
    return sky._replace(bounding_box=box)


def _edges(span, length):
    """Edges of what the image has of a span, in pixels of the cutout."""
    inside = within(span, length)
    return inside.start - span.start - 0.5, inside.stop - span.start - 0.5


def _place(product, region):
    """Where the cutout is from, in the pixels and integrations of the whole product."""
    known = (product.meta.get("rtools") or {}).get("cutout") or {}
    place: dict[str, Any] = {
        "filename": known.get("filename") or str(product.meta.get("filename") or product.path.name)
    }
    place |= {key: value for key, value in known.items() if key != "filename"}
    for name, span in (("columns", region.columns), ("rows", region.rows), ("integrations", region.integrations)):
        if span is not None:
            first = known.get(name, [0])[0]
            place[name] = [first + span.start, first + span.stop]
    if region.rows is not None:
        place.setdefault("shape", list(main_image(product).shape[-2:]))
    return place
