"""A product made of a FITS file that has lost its tree: what its table META, or its keywords, and its images say.

What the schema requires and nobody knows gets fill values; a time that nobody knows is that of the beginning. Read
pattern and words of closed lists are never made up. `meta.rtools.lossy` says where it comes from, and names the times.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rtools.errors import InputError
from rtools.products.fits import keywords as fits_keywords
from rtools.products.fits import layout
from rtools.products.fits import read as fits_read
from rtools.products.io import foreign, writer
from rtools.products.schema import history, nodes
from rtools.products.schema.blocks import WRITTEN, complete
from rtools.wfi import metadata
from rtools.work import ALONE, Work

if TYPE_CHECKING:
    from astropy.io import fits

    from rtools.products.io.staging import Stage

__all__ = ["stage_lossy"]


def stage_lossy(
    path: str | Path, source: str | Path, hdus: fits.HDUList, *, compression: str | None = None, work: Work = ALONE
) -> Stage:
    """Make a product of a FITS file that has no ASDF extension; it has no WCS.

    Parameters
    ----------
    path : str or Path
        The ASDF file to be.
    source : str or Path
        The FITS file.
    hdus : astropy.io.fits.HDUList
        Of `fits_read.open_fits`.
    compression : str, optional
        ``lz4`` by default, ``zlib`` or ``none``.
    work : rtools.work.Work
        Its threads compress and write.

    Returns
    -------
    rtools.products.io.staging.Stage
        To be committed or discarded.

    Raises
    ------
    InputError
        The file does not say what it is, its kind needs a WCS, or what it says does not fit the schema.
    """
    foreign.refuse_jwst(source)
    kind = _kind(hdus, source)
    if kind in layout.ONLY:
        raise InputError("the times of its pairs or rows are lost with the extension ASDF", path=source)
    meta = _told(hdus, kind)
    told = f"from {os.path.basename(source)}, a FITS file without ASDF extension"
    guessed = _guess_times(kind, meta, hdus)
    metadata.put(meta, "rtools.lossy", f"{told}; nobody knows {', '.join(guessed)}" if guessed else told)
    if "wcs" in _of_type(kind, "gwcs") and kind != "l2_image":
        raise InputError("its kind needs a WCS, which is lost with the extension ASDF", path=source)
    with open(source, "rb") as pixels:
        arrays = _arrays(kind, hdus, pixels.fileno(), source)
        if kind == "l2_image":
            meta.setdefault("wcs", None)
        try:
            return writer.stage_product(
                path,
                kind,
                complete(kind, meta),
                arrays,
                compression=compression or "lz4",
                history=[history.entry("rt-fits", parameters={"lossy": True}, inputs=[source])],
                work=work,
            )
        except InputError as error:
            error.path = source
            raise


def _arrays(kind, hdus, descriptor, source):
    """Arrays by path; flags in JWST's bits give way to the originals beside them."""
    originals = {name: keep for name, keep in layout.FLAGS.items() if name in hdus and keep in hdus}
    paths = {name: key for key, name in layout.NAMES.items()} | ({"GROUPDQ": "groupdq"} if kind == "ramp" else {})
    paths |= {keep: paths.get(name, name.lower()) for name, keep in originals.items()}
    arrays = {}
    for hdu in hdus:
        if fits_read.is_picture(hdu) and hdu.name and hdu.name not in originals:
            array = fits_read.pixels_of(hdu, descriptor, source)
            path = paths.get(hdu.name, hdu.name.lower())
            cube = path in layout.CUBES.get(kind, ()) and array.ndim == 4 and len(array) == 1
            arrays[path] = array[0] if cube else array
    return arrays


def _kind(hdus, source):
    from rtools.products.schema import layout as products

    made = hdus[0].header
    if "REFTYPE" in made:
        return products.reference_kind(made["REFTYPE"])
    model = str(made.get("DATAMODL", ""))
    kinds = [kind for kind in products.facts()["products"] if products.model(kind) == model]
    if not kinds:
        known = f"DATAMODL is {model}" if model else "DATAMODL is missing"
        raise InputError(f"not known to be a Roman product ({known})", path=source)
    return kinds[0]


def _told(hdus, kind):
    """Metadata as META, else as the keywords have them."""
    found = [hdu for hdu in hdus if hdu.name == "META"]
    meta: dict[str, Any] = {}
    if found:
        for path, kind, text in zip(*(found[0].data[key] for key in ("PATH", "TYPE", "VALUE")), strict=True):
            metadata.put(meta, path, _value(kind, text))
        return _lists(meta)
    times = _of_type(kind, "time")
    for table, made in ((fits_keywords.PRIMARY, hdus[0].header), (fits_keywords.SCIENCE, _science(hdus))):
        for keyword, path, _comment in table:
            if keyword in made:
                metadata.put(meta, path, nodes.time(made[keyword]) if path in times else made[keyword])
    ends = (
        ("DATE-BEG", ("exposure.start_time", "coadd_info.time_first")),
        ("DATE-END", ("exposure.end_time", "coadd_info.time_last")),
    )
    for keyword, paths in ends:
        for path in times & set(paths) if keyword in hdus[0].header else ():
            metadata.put(meta, path, nodes.time(hdus[0].header[keyword]))
    patterns = [hdu for hdu in hdus if hdu.name == "READPATT"]
    if patterns:
        metadata.put(meta, "exposure.read_pattern", [[int(n) for n in reads] for reads in patterns[0].data["READS"]])
    return meta


def _of_type(kind, word):
    """Paths of the metadata of a type that a kind of product has, or must have."""
    from rtools.products.schema import layout as products

    return {one.path for one in products.fields(kind, products.DEFAULT_PROFILE) if word in one.type.split("|")}


def _guess_times(kind, meta, hdus):
    """Put the beginning in the place of each time that is required and not told; their paths."""
    from rtools.products.schema import layout as products

    begin = next((hdus[0].header[key] for key in ("DATE-BEG", "DATE-OBS") if key in hdus[0].header), None)
    fields = products.fields(kind, products.DEFAULT_PROFILE)
    absent = [
        one.path for one in fields if one.required and one.type == "time" and metadata.get(meta, one.path) is None
    ]
    if not begin:
        return []
    absent = [path for path in absent if path not in WRITTEN]
    for path in absent:
        metadata.put(meta, path, nodes.time(begin))
    return absent


def _science(hdus):
    return next((hdu.header for hdu in hdus if hdu.name == "SCI"), {})


def _value(kind, text):
    """A value of META; `kind` is what the table says of it."""
    if kind == "time":
        return nodes.time(text)
    if kind == "bool":
        return text == "True"
    if kind == "null":
        return None
    return int(text) if kind == "int" else float(text) if kind == "float" else str(text)


def _lists(node):
    """Blocks whose keys count from 0 as the lists that they were."""
    if not isinstance(node, dict):
        return node
    items = {key: _lists(value) for key, value in node.items()}
    counted = bool(items) and all(re.fullmatch(r"\d+", key) for key in items)
    return list(items.values()) if counted else items
