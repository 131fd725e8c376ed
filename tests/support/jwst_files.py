"""Small JWST files of every kind, made from the table of layouts with astropy alone."""

import hashlib

import numpy as np
from astropy.io import fits
from astropy.table import Table

from rtools.jwst import product_layout
from rtools.products.jwst import NewHdu, stage_new
from tests.support import jwst_sound

SIZES = {"ncols": 16, "nrows": 8, "ngroups": 3, "nints": 2, "nplanes": 2, "nwaves": 5, "npsfs": 3}

NUMBERS = {"nints": 2, "n_wavelength": 5, "n_integrations": 2, "<= nints*ngroups": 6}
"""Rows of tables that the layouts say in words."""

STEPS = {"bsub": "S_BKDSUB", "cal": "S_PHOTOM", "crf": "S_OUTLIR", "psfsub": "S_KLIP", "psfalign": "S_PSFALI",
         "aminorm-oi": "S_AMINOR"}  # fmt: skip
"""The step that makes a product, where others are made of the same extensions."""

LETTERS = {"bool": "L", "uint8": "B", "int16": "I", "int32": "J", "uint32": "J", "float32": "E", "float64": "D"}


def made(directory, suffix, name=None, **options):
    """A file of a kind in a directory; options are those of `hdus_of`."""
    layout = product_layout(suffix)
    usual = f"jw01024001001_02101_00001_nrca1_{suffix}.{layout.form}"
    path = directory / (name or (jwst_sound.name_of(suffix, layout.form) if options.get("sound") else usual))
    if layout.form == "ecsv":
        table = _table(layout)
        if options.get("sound"):
            jwst_sound.fill_table(table, suffix)
        if options.get("change"):
            options["change"](table)
        table.write(path, format="ascii.ecsv", overwrite=True)
    else:
        hdus_of(suffix, path.name, **options).writeto(path, overwrite=True)
    return path


def written(directory, suffix, meta=None, *, sets=1, **options):
    """A file of a kind that rtools writes of what the table of layouts says; options are those of `stage_new`."""
    layout = product_layout(suffix)
    path = directory / f"jw01024001001_02101_00001_nrca1_{suffix}.{layout.form}"
    return stage_new(path, suffix, METADATA if meta is None else meta, data_of(suffix, sets=sets), **options).commit()


def data_of(suffix, *, sets=1):
    """All arrays and tables of a kind as `stage_new` takes them."""
    layout, rng = product_layout(suffix), np.random.default_rng(7)
    if layout.form == "ecsv":
        return [NewHdu("TABLE", _table(layout))]
    hdus = [
        NewHdu(told.name, _rows(told, rng) if told.is_table else _pixels(told, rng), version)
        for version in range(1, sets + 1)
        for told in layout.hdus
        if told.name != "ASDF"
    ]
    return hdus[::-1]  # in any order


METADATA = {
    "instrument": {"name": "NIRCAM", "detector": "NRCA1", "filter": "F200W", "pupil": "CLEAR"},
    "exposure": {"type": "NRC_IMAGE", "nints": 2, "ngroups": 3, "start_time": 60000.125, "zero_frame": False},
    "observation": {"program_number": "01024", "date": "2023-02-25"},
    "program": {"pi_name": "somebody"},
    "visit": {"start_time": "2023-02-25 12:00:00.000"},
    "target": {"ra": 80.487, "dec": -69.5, "ra_uncertainty": 1e-4, "dec_uncertainty": 1e-4, "proposer_name": "LMC",
               "catalog_name": "LMC", "proper_motion_ra": 0.01, "proper_motion_dec": 0.01},
    "subarray": {"name": "SUB64P", "xstart": 5, "ystart": 7, "xsize": 16, "ysize": 8, "fastaxis": -1, "slowaxis": 2},
    "cal_step": {},
}  # fmt: skip
"""Metadata that the data models take."""


def hdus_of(
    suffix,
    filename="",
    *,
    sets=1,
    image_tree=False,
    model=None,
    optional=True,
    extra=True,
    more="",
    sound=False,
    change=None,
):
    """All HDUs of a kind: sets of EXTVER; the tree as an image, or with more in it; without what may be left out.

    Sound ones have values that a good product could have (`jwst_sound`); others are random, extremes among them. A
    change is a function of the HDUs, or of an ECSV table, called before the tree is made, which then agrees with it.
    """
    layout, rng = product_layout(suffix), np.random.default_rng(7)
    hdus = fits.HDUList([_primary(layout, filename, model)])
    for version in range(1, sets + 1):
        for told in layout.hdus:
            if told.name != "ASDF" and (optional or not told.optional):
                hdus.append(_extension(told, version, rng))
    if sound:
        jwst_sound.fill(hdus, suffix)
    if change:
        change(hdus)
    if extra:
        hdus.append(fits.ImageHDU(np.arange(6, dtype="i2").reshape(2, 3), name="NOBODYS"))
    hdus.append(_tree(hdus, image_tree, more))
    return hdus


def _primary(layout, filename, model):
    header = fits.Header()
    header["TELESCOP"], header["INSTRUME"], header["DETECTOR"] = "JWST", "NIRCAM", ("NRCA1", "the detector")
    header["DATAMODL"], header["EXP_TYPE"] = model or layout.models[0], "NRC_IMAGE"
    header["FILENAME"] = filename
    header["TITLE"] = "a title that is so long that it needs a second card, " * 3
    header["HIERARCH a.keyword.of.nobody"] = 1.5
    header["NOVALUE"] = None
    header["COMMENT"] = "kept"
    header["COMMENT"] = "twice"
    header["HISTORY"] = "and in order"
    step = STEPS.get(layout.suffix.removesuffix("ints"))
    if step:
        header[step] = "COMPLETE"
    return fits.PrimaryHDU(header=header)


def _extension(told, version, rng):
    hdu = _binary(told, rng) if told.is_table else _image(told, rng)
    hdu.header["EXTNAME"], hdu.header["EXTVER"] = told.name, version
    hdu.header["SOURCEID"] = (100 + version, "of a set")
    return hdu


def _pixels(told, rng):
    return _values(np.dtype(told.dtypes[0] if told.dtypes else "float32"), told.shape(SIZES), rng)


def _rows(told, rng):
    """A table as numpy has it, without units."""
    hdu = _binary(told, rng)
    if told.name == "WCS-TABLE":  # as newer releases write it
        return Table({"wavelength": np.array(hdu.data["wavelength"])[..., None]})
    return Table({name: np.array(hdu.data[name]) for name in hdu.columns.names})


def _image(told, rng):
    hdu = fits.ImageHDU(_pixels(told, rng))
    if told.unit:
        hdu.header["BUNIT"] = told.unit
    return hdu


def _values(dtype, shape, rng):
    """Numbers of a type, its extremes among them; a NaN among floats."""
    if dtype.kind == "f":
        values = rng.normal(size=shape).astype(dtype)
        values.flat[:1] = np.nan
        return values
    if dtype.kind == "b":
        return rng.integers(0, 2, shape).astype(bool)
    if dtype.kind == "S":
        return np.full(shape, b"text"[: dtype.itemsize], dtype)
    limits = np.iinfo(dtype)
    values = rng.integers(limits.min, limits.max, shape, dtype, endpoint=True)
    values.flat[:1], values.flat[-1:] = limits.min, limits.max
    return values


def _binary(told, rng):
    rows = told.rows if isinstance(told.rows, int) else NUMBERS.get(told.rows, 3)
    columns = [_column(column, rows, rng) for column in told.columns]
    return fits.BinTableHDU.from_columns(columns or [fits.Column("FILENAME", "20A", array=["a.fits"] * rows)])


def _column(column, rows, rng):
    cell = tuple(SIZES.get(axis, axis) for axis in column.cell)
    dtype, count = np.dtype(column.dtype), int(np.prod(cell, dtype=int))
    form = f"{dtype.itemsize}A" if dtype.kind == "S" else f"{count}{LETTERS[dtype.name]}"
    zero = {"bzero": 1 << 31} if dtype == np.uint32 else {}
    return fits.Column(column.name, form, column.unit, array=_values(dtype, (rows, *cell), rng), **zero)


def _tree(hdus, as_image, more):
    """The last extension: an ASDF file that refers to the images and knows the hash of all headers."""
    text = "".join(str(hdu.header) for hdu in hdus)
    images = [hdu for hdu in hdus[1:] if isinstance(hdu, fits.ImageHDU) and hdu.name != "NOBODYS"]
    nodes = [
        f"  {hdu.name.lower()}_{hdu.ver}: !core/ndarray-1.0.0 {{source: 'fits:{hdu.name},{hdu.ver}', "
        f"datatype: {hdu.data.dtype.name}, byteorder: big, shape: {list(hdu.shape)}}}\n"
        for hdu in images
    ]
    content = (
        "#ASDF 1.0.0\n#ASDF_STANDARD 1.5.0\n%YAML 1.1\n%TAG ! tag:stsci.edu:asdf/\n--- !core/asdf-1.1.0\n"
        f"_fits_hash: {hashlib.sha256(text.encode()).hexdigest()}\nmeta: {{telescope: JWST, only_here: 3}}\n"
        f"{more}arrays:\n  none: 0\n{''.join(nodes)}...\n"
    ).encode()
    values = np.frombuffer(content, np.uint8)
    if as_image:
        return fits.ImageHDU(values, name="ASDF")
    return fits.BinTableHDU.from_columns(
        [fits.Column("ASDF_METADATA", f"{values.size}B", array=values[None])], name="ASDF"
    )


def _table(layout):
    rng, table = np.random.default_rng(7), Table()
    for column in layout.columns:
        if column.dtype == "SkyCoord":
            table[f"{column.name}.ra"], table[f"{column.name}.dec"] = rng.uniform(0, 90, (2, 4))
        else:
            table[column.name] = _values(np.dtype(column.dtype), 4, rng)
            table[column.name].unit = column.unit
    table.meta = {"instrument": "NIRCAM", "n": 2}
    return table
