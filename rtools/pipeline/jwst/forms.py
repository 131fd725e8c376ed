"""Which HDUs each product of the chain has, and the files that they are written to."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rtools.exposure.jwst.block import RampBlock
from rtools.exposure.jwst.images import RatePlanes
from rtools.products.jwst import HduChange, JwstProduct, LaidOutJwst, room_for

__all__ = ["Form", "Place", "ProductFile", "form_of"]

Place = tuple[slice, slice]
"""Rows and columns of an image."""

RAMP_ONLY = ("GROUP", "ZEROFRAME", "REFOUT", "PIXELDQ", "GROUPDQ", "AVDRKCUR")
"""HDUs of ramps that images do not have."""

IMAGE_NAMES = {
    "data": "SCI", "err": "ERR", "dq": "DQ", "var_poisson": "VAR_POISSON", "var_rnoise": "VAR_RNOISE",
    "var_flat": "VAR_FLAT", "area": "AREA",
}  # fmt: skip
"""Attributes of `RatePlanes` and their HDUs."""


class Form(NamedTuple):
    """What a product is made of.

    Attributes
    ----------
    model : str
        DATAMODL.
    images : mapping of str to (dtype, tuple of int)
        Its images by EXTNAME.
    removed : tuple of str
        HDUs of what it is made of that it does not have.
    """

    model: str
    images: Mapping[str, tuple[str, tuple[int, ...]]]
    removed: tuple[str, ...] = ()


def form_of(what: str, shape: Sequence[int], further: Collection[str] = ()) -> Form:
    """The form of a product.

    Parameters
    ----------
    what : str
        ``ramp``, ``image`` or ``integrations``.
    shape : sequence of int
        (integrations, groups, rows, columns).
    further : collection of str
        Images that not all of its kind have: ZEROFRAME and AVDRKCUR of a ramp, VAR_FLAT and AREA of an image.

    Returns
    -------
    Form
    """
    integrations, _groups, rows, columns = shape
    if what == "ramp":
        images: dict[str, tuple[str, tuple[int, ...]]] = {
            "SCI": ("f4", tuple(shape)),
            "PIXELDQ": ("u4", (rows, columns)),
            "GROUPDQ": ("u1", tuple(shape)),
        }
        if "ZEROFRAME" in further:
            images["ZEROFRAME"] = ("f4", (integrations, rows, columns))
        if "AVDRKCUR" in further:
            images["AVDRKCUR"] = ("f4", (rows, columns))
        return Form("RampModel", images)
    whole = (rows, columns) if what == "image" else (integrations, rows, columns)
    names = ["SCI", "ERR", "DQ", "VAR_POISSON", "VAR_RNOISE", *(["VAR_FLAT"] if "VAR_FLAT" in further else [])]
    images = {name: ("u4" if name == "DQ" else "f4", whole) for name in names}
    if "AREA" in further:
        images["AREA"] = ("f4", (rows, columns))
    removed = (*RAMP_ONLY, "INT_TIMES") if what == "image" else RAMP_ONLY
    return Form("ImageModel" if what == "image" else "CubeModel", images, removed)


class ProductFile:
    """A product that is being written, block by block; several threads may write at a time.

    Parameters
    ----------
    path : Path
        Where it will appear.
    product : JwstProduct
        What it is made of: all that is not changed is carried over.
    form : Form
        Its images.
    tree : mapping of str to object
        Metadata by their paths in the tree; those with keywords become cards, too.
    cards : mapping of str to object
        Further cards of SCI.
    history : sequence of mapping
        What was done.
    """

    def __init__(
        self,
        path: Path,
        product: JwstProduct,
        form: Form,
        tree: Mapping[str, Any],
        *,
        cards: Mapping[str, Any],
        history: Sequence[Mapping[str, Any]],
    ):
        there = {hdu.name for hdu in product.hdus}
        changes = [HduChange(name, removed=True) for name in form.removed if name in there]
        for name, (dtype, shape) in form.images.items():
            if name in there:
                room = room_for(name, dtype, shape).data
                changes.append(HduChange(name, array=room, retyped=True, cards=dict(cards) if name == "SCI" else {}))
        added = [room_for(name, *form.images[name]) for name in form.images if name not in there]
        values = {"meta.model_type": form.model, "meta.filename": path.name, **tree}
        self.names = tuple(form.images)
        self.file = LaidOutJwst.made_of(path, product, changes, added, tree=values, history=history)

    def take_ramp(self, place: Place, block: RampBlock) -> None:
        """Write a part of a ramp."""
        self._write("SCI", block.data, place)
        self._write("GROUPDQ", block.groupdq, place)
        self._write("PIXELDQ", block.pixeldq, place)
        if block.zeroframe is not None:
            self._write("ZEROFRAME", block.zeroframe, place)
        if block.dark_rate is not None:
            self._write("AVDRKCUR", block.dark_rate, place)

    def take_image(self, place: Place, image: RatePlanes) -> None:
        """Write a part of an image, or of all integrations."""
        for attribute, name in IMAGE_NAMES.items():
            plane = getattr(image, attribute)
            if plane is not None:
                self._write(name, plane, place)

    def _write(self, name, pixels, place):
        if name in self.names:
            rows, columns = place
            self.file.write(name, pixels.reshape(-1, *pixels.shape[-2:]), rows.start, column=columns.start)

    def commit(self) -> Path:
        """Give the complete file its name."""
        return self.file.finish().commit()

    def discard(self) -> None:
        """Remove what there is of it."""
        self.file.discard()
