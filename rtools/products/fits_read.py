"""A FITS file of `fits_write` as the ASDF product it was: images back in their places in the tree.

Pixels come from the image extensions, chunk by chunk; everything else from the ASDF extension. A FITS file without it
has lost its tree: what its table META and its keywords say is made into a product only when that is asked for.
"""

import contextlib
import os
import re
import tempfile
import warnings

import numpy as np

from rtools.errors import InputError
from rtools.products import fits_keywords, history, metadata, nodes, reader, serial, staging, writer
from rtools.products import fits_layout as layout
from rtools.products.arrays import array_node, dtype_of
from rtools.products.encode import ArrayBytes

__all__ = ["edited_keywords", "embedded", "open_fits", "stage_asdf", "stage_lossy"]

COPIED = 1 << 24
"""Bytes copied at a time."""


@contextlib.contextmanager
def open_fits(path):
    """The HDUs of a FITS file, pixels as they are stored.

    Yields
    ------
    astropy.io.fits.HDUList

    Raises
    ------
    InputError
        Not FITS, or truncated.
    """
    from astropy.io import fits

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            hdus = fits.open(path, do_not_scale_image_data=True, lazy_load_hdus=False, disable_image_compression=True)
        except (OSError, ValueError, KeyError, TypeError, IndexError, fits.VerifyError) as error:
            raise InputError(f"cannot be read as FITS ({' '.join(str(error).split())})", path=path) from None
    with hdus:
        size, end = os.path.getsize(path), max(_end(hdu) for hdu in hdus)
        if end > size:
            raise InputError(f"truncated: {end - size} bytes are missing", path=path)
        yield hdus


def _end(hdu):
    return hdu.fileinfo()["datLoc"] + hdu.size


def stage_asdf(path, source, hdus, product, *, compression=None, threads=1):
    """Write the product that a FITS file holds to a temporary ASDF file next to its place.

    Parameters
    ----------
    path, source : str or os.PathLike
        The ASDF file to be, and the FITS file.
    hdus : astropy.io.fits.HDUList
        Of `open_fits`.
    product : rtools.products.reader.Product
        Of `embedded`.
    compression : str, optional
        By default lz4, none for ramps.
    threads : int

    Returns
    -------
    rtools.products.staging.Stage

    Raises
    ------
    InputError
        The images are not those that the tree wants.
    """
    with open(source, "rb") as pixels:
        tree, sources = _tree(product, hdus, pixels.fileno(), source)
        roman = tree.pop("roman")
        _stamp(roman["meta"], path)
        head, _inner = serial.dump(
            serial.to_asdf(roman, None, raw=True),
            beside=serial.to_asdf(tree, None, raw=True),
            **layout.history_of(product, source),
        )
        compression = compression or ("none" if product.kind in ("l1_uncal", "ramp") else "lz4")
        stage = staging.Stage(path)
        with stage.open() as file:
            staging.write_file(file, head, b"", sources, compression=compression, threads=threads)
        return stage


def edited_keywords(product, hdus):
    """Keywords of HDU 0 that disagree with the tree, which is what counts: somebody edited them."""
    known = {card[0]: card[1] for card in fits_keywords.primary_cards(product.meta)}
    found = hdus[0].header
    return [key for key, value in known.items() if key in found and not _agree(found[key], value)]


def _agree(found, value):
    if isinstance(value, str):
        return str(found).rstrip() == value.rstrip()
    return found == value


@contextlib.contextmanager
def embedded(source, hdus):
    """The ASDF extension as an opened product; its arrays that are images have string sources.

    Raises
    ------
    InputError
        There is none, or it is damaged.
    """
    from astropy.io import fits

    found = [hdu for hdu in hdus if hdu.name == "ASDF"]
    if not found:
        raise InputError(
            "a FITS file without the extension ASDF", mend="--lossy makes a product of its keywords", path=source
        )
    start, count = found[-1].fileinfo()["datLoc"], found[-1].header["NAXIS1"] * found[-1].header["NAXIS2"]
    if not isinstance(found[-1], fits.BinTableHDU | fits.ImageHDU):
        raise InputError("its extension ASDF is no table", path=source)
    with tempfile.NamedTemporaryFile(prefix="rtools-", suffix=".asdf") as file, open(source, "rb") as stored:
        stored.seek(start)
        while count > 0 and (data := stored.read(min(COPIED, count))):
            file.write(data)
            count -= len(data)
        file.flush()
        try:
            with reader.open_product(file.name) as product:
                yield product
        except InputError as error:
            if str(error.path) == file.name:
                raise InputError(f"its extension ASDF: {error.message}", path=source) from None
            raise


def _tree(product, hdus, descriptor, source):
    """The whole tree with arrays in blocks of its own, and the sources of these."""
    from rtools.products import header

    sources = []

    def place(node, path):
        if isinstance(node.get("source"), str):
            made, shape, dtype = _image(node, hdus, descriptor, source)
        elif "source" in node:
            array = node.load()
            array = array.astype(array.dtype.newbyteorder("="), copy=False)
            made, shape, dtype = ArrayBytes(array), array.shape, array.dtype
        else:
            return node
        sources.append(made)
        kept = {key: value for key, value in node.items() if key not in ("offset", "strides")}
        like = np.broadcast_to(np.zeros((), dtype), shape)
        return nodes.TaggedDict(kept | array_node(like, len(sources) - 1), node.tag)

    whole = header.read_header(product.path)[0] | {"roman": product.tree}
    product._attach(whole)
    return layout.rewritten(whole, place), sources


def _image(node, hdus, descriptor, source):
    """Bytes, shape and type of the array that a node with a source like ``fits:SCI,1`` stands for."""
    hdu = _resolve(node["source"], hdus, source)
    made = _Pixels(hdu, descriptor, source)
    told = dtype_of(node["datatype"])
    if made.told != told or list(node["shape"]) != list(hdu.shape):
        raise InputError(
            f"{hdu.name} is {made.told} {tuple(hdu.shape)}, its tree wants {told} {tuple(node['shape'])}",
            mend="keep the type and shape of the images",
            path=source,
        )
    return made, made.shape, made.dtype


def _resolve(text, hdus, source):
    name, _, version = text.removeprefix("fits:").partition(",")
    try:
        return hdus[int(name)] if name.isdigit() and not version else hdus[name, int(version or 1)]
    except (KeyError, IndexError, ValueError):
        raise InputError(f"the extension {text.removeprefix('fits:')} is missing", path=source) from None


class _Pixels:
    """The bytes of an image extension as those of the array it was made of, decoded piece by piece.

    Attributes
    ----------
    told : dtype
        What a reader of FITS takes the pixels for.
    dtype, shape
        Of the array.
    """

    compression = None

    def __init__(self, hdu, descriptor, source):
        from astropy.io import fits

        if not isinstance(hdu, fits.ImageHDU | fits.PrimaryHDU):
            raise InputError(f"{hdu.name} is no plain image", mend="funpack it first", path=source)
        made = hdu.header
        self.stored = np.dtype({8: "u1", 16: ">i2", 32: ">i4", 64: ">i8", -32: ">f4", -64: ">f8"}[made["BITPIX"]])
        native = self.stored.newbyteorder("=").name
        zero = made.get("BZERO", 0)
        shifted = {(layout.STORED[name], value): name for name, value in layout.ZEROS.items()}
        self.flipped = (self.stored.str[1:], zero) in shifted
        if made.get("BSCALE", 1) != 1 or (zero != 0 and not self.flipped):
            raise InputError(f"{hdu.name} is scaled by BSCALE, BZERO", mend="store the values themselves", path=source)
        self.told = np.dtype(shifted[self.stored.str[1:], zero] if self.flipped else native)
        self.dtype = np.dtype(made.get("RT_DTYPE", self.told.name))
        self.shape = tuple(hdu.shape[len(hdu.shape) - made.get("RT_NDIM", len(hdu.shape)) :])
        self.nbytes = int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize
        self._place = descriptor, hdu.fileinfo()["datLoc"]

    def __getitem__(self, span):
        start, stop = (place // self.dtype.itemsize for place in span.indices(self.nbytes)[:2])
        descriptor, offset = self._place
        width = self.stored.itemsize
        raw = os.pread(descriptor, (stop - start) * width, offset + start * width)
        return layout.decode(np.frombuffer(raw, self.stored), self.dtype, flipped=self.flipped).view(np.uint8).data


def _stamp(meta, path):
    """Name and date of the file, where its kind has them."""
    for key, value in (("filename", os.path.basename(path)), ("file_date", history.stamp())):
        if isinstance(meta.get(key), str):
            tag = getattr(meta[key], "tag", None)
            meta[key] = nodes.TaggedStr(value, tag) if tag else value
        elif key in meta:
            meta[key] = nodes.time(value)


def stage_lossy(path, source, hdus, *, compression=None, threads=1):
    """Make a product of a FITS file that has no ASDF extension: metadata of META, else of keywords; no WCS.

    What the schema requires and nobody knows gets fill values; times, read pattern and words of closed lists are
    never made up. `meta.rtools.lossy` says where it comes from. Returns and raises as `stage_asdf`.
    """
    kind = _kind(hdus, source)
    meta = _told(hdus)
    metadata.put(meta, "rtools.lossy", f"from {os.path.basename(source)}, a FITS file without ASDF extension")
    paths = {name: key for key, name in layout.NAMES.items()} | ({"GROUPDQ": "groupdq"} if kind == "ramp" else {})
    with open(source, "rb") as pixels:
        arrays = {}
        for hdu in hdus:
            if hdu.is_image and hdu.shape and hdu.name:
                one = _Pixels(hdu, pixels.fileno(), source)
                array = np.frombuffer(one[:], one.dtype).reshape(one.shape)
                path_in_tree = paths.get(hdu.name, hdu.name.lower())
                cube = path_in_tree in layout.CUBES.get(kind, ()) and array.ndim == 4 and len(array) == 1
                arrays[path_in_tree] = array[0] if cube else array
        if kind == "l2_image":
            meta.setdefault("wcs", None)
        try:
            return writer.stage_product(
                path,
                kind,
                metadata.complete(kind, meta),
                arrays,
                compression=compression or "lz4",
                history=[history.entry("rt-fits", parameters={"lossy": True}, inputs=[source])],
                threads=threads,
            )
        except InputError as error:
            error.path = source
            raise


def _kind(hdus, source):
    from rtools.products import layout as products

    made = hdus[0].header
    if "REFTYPE" in made:
        return products.reference_kind(made["REFTYPE"])
    model = str(made.get("DATAMODL", ""))
    kinds = [kind for kind in products.facts()["products"] if products.model(kind) == model]
    if not kinds:
        known = f"DATAMODL is {model}" if model else "DATAMODL is missing"
        raise InputError(f"not known to be a Roman product ({known})", path=source)
    return kinds[0]


def _told(hdus):
    """Metadata as META, else as the keywords have them."""
    found = [hdu for hdu in hdus if hdu.name == "META"]
    meta = {}
    if found:
        for path, kind, text in zip(*(found[0].data[key] for key in ("PATH", "TYPE", "VALUE")), strict=True):
            metadata.put(meta, path, _value(kind, text))
        return _lists(meta)
    for table, made in ((fits_keywords.PRIMARY, hdus[0].header), (fits_keywords.SCIENCE, _science(hdus))):
        for keyword, path, _comment in table:
            if keyword in made:
                metadata.put(meta, path, made[keyword])
    for keyword, path in (("DATE-BEG", "exposure.start_time"), ("DATE-END", "exposure.end_time")):
        if keyword in hdus[0].header:
            metadata.put(meta, path, nodes.time(hdus[0].header[keyword]))
    patterns = [hdu for hdu in hdus if hdu.name == "READPATT"]
    if patterns:
        metadata.put(meta, "exposure.read_pattern", [[int(n) for n in reads] for reads in patterns[0].data["READS"]])
    return meta


def _science(hdus):
    return next((hdu.header for hdu in hdus if hdu.name == "SCI"), {})


def _value(kind, text):
    """A value of META; `kind` is what the table says of it."""
    if kind == "time":
        return nodes.time(text)
    if kind == "bool":
        return text == "True"
    return {"null": lambda _: None, "int": int, "float": float}.get(kind, str)(text)


def _lists(node):
    """Blocks whose keys count from 0 as the lists that they were."""
    if not isinstance(node, dict):
        return node
    items = {key: _lists(value) for key, value in node.items()}
    counted = bool(items) and all(re.fullmatch(r"\d+", key) for key in items)
    return list(items.values()) if counted else items
