"""Products, catalogs and FITS files: read, write, check, compare, cut, convert."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from rtools.api.asking import free_path, opened, told, working
from rtools.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    from astropy.table import Table

    from rtools.findings import Finding
    from rtools.products.io import Product

__all__ = [
    "Differences",
    "compare",
    "cut_out",
    "open_product",
    "read_catalog",
    "validate",
    "write_catalog",
    "write_product",
]


def open_product(path: str | Path) -> Product:
    """Open a Roman product or reference file; only its header is read.

    Parameters
    ----------
    path : str or Path
        An ASDF file.

    Returns
    -------
    rtools.products.io.Product
        ``product.meta`` is what stands below ``roman.meta``, ``product.arrays`` says shape and dtype of each array,
        ``product.array(name)`` reads one, and ``product.section(name, rows, columns)`` a part of it. It closes its
        file at the end of a ``with``.

    Raises
    ------
    InputError
        The file is missing, damaged, or not a Roman product.

    Examples
    --------
    >>> import rtools
    >>> with rtools.open_product("r0000101001001001001_0001_wfi01_f158_cal.asdf") as product:
    ...     print(product.kind, product.meta["instrument"]["optical_element"])
    ...     data = product.array("data")
    l2_image F158
    >>> data.shape, data.dtype
    ((248, 248), dtype('float32'))
    """
    from rtools.products.io import open_product

    return open_product(path)


def write_product(
    path: str | Path,
    kind: str,
    meta: Mapping[str, Any],
    arrays: Mapping[str, np.ndarray],
    *,
    profile: str | None = None,
    compression: str = "lz4",
    history: Iterable[Mapping[str, Any]] = (),
    overwrite: bool = False,
    threads: int = 1,
) -> Path:
    """Write a product; it appears under its name when it is whole.

    Parameters
    ----------
    path : str or Path
        Where it is written.
    kind : str
        What it is, as `Product.kind` says it: ``l2_image``, ``l3_coadd``, ``reference/flat`` …
    meta : mapping
        What stands below ``roman.meta``. What a file says of itself (name, date, software) is set here.
    arrays : mapping of str to ndarray
        By dotted path below ``roman``; cast to the dtypes that the schema asks for.
    profile : str, optional
        Generation of the schema, by default 2.1.0.
    compression : str
        ``lz4``, ``zlib`` or ``none``.
    history : iterable of mapping
        Entries that it has already, oldest first (`Product.history`).
    overwrite : bool
        Replace a file that exists.
    threads : int
        Threads that compress and write; 0 means all cores.

    Returns
    -------
    Path
        Of the file.

    Raises
    ------
    InputError
        The schema refuses what would be written.
    RtoolsError
        The file exists, or cannot be written.

    Examples
    --------
    >>> import rtools
    >>> with rtools.open_product("r0000101001001001001_0001_wfi01_f158_cal.asdf") as product:
    ...     arrays = {name: product.array(name).copy() for name in product.arrays}
    ...     meta, history = product.meta, product.history
    >>> arrays["data"][:10] = 0
    >>> rtools.write_product("blank_cal.asdf", "l2_image", meta, arrays, history=history).name
    'blank_cal.asdf'
    """
    from rtools.products.io import write_product
    from rtools.products.schema import DEFAULT_PROFILE

    path = free_path(path, overwrite=overwrite)
    settings = {"profile": profile or DEFAULT_PROFILE, "compression": compression, "history": list(history)}
    with working(threads) as work:
        stage = write_product(path, kind, dict(meta), dict(arrays), work=work, **settings)
    return told(stage, path)


def read_catalog(path: str | Path) -> Table:
    """Read a catalog of any format: parquet, ECSV, CSV, FITS, VOTable, or one in ASDF.

    Parameters
    ----------
    path : str or Path
        The file; its content says its format.

    Returns
    -------
    astropy.table.Table
        With units and descriptions. What is not known is NaN in columns of floats, and masked in others.

    Raises
    ------
    InputError
        The file is missing, or has no table.

    Examples
    --------
    >>> import rtools
    >>> sources = rtools.read_catalog("r0000101001001001001_0001_wfi01_f158_cat.parquet")
    >>> sources["psf_flux"].unit
    Unit("nJy")
    """
    from rtools.products.tables import read_catalog

    return read_catalog(path)


def write_catalog(path: str | Path, table: Table, *, overwrite: bool = False) -> Path:
    """Write a catalog; the extension of its name says the format.

    Parameters
    ----------
    path : str or Path
        Ends in ``.parquet``, ``.ecsv``, ``.csv``, ``.fits`` or ``.vot``.
    table : astropy.table.Table
        The catalog, with its units.
    overwrite : bool
        Replace a file that exists.

    Returns
    -------
    Path
        Of the file.

    Raises
    ------
    UsageError
        The extension is not that of a catalog.
    RtoolsError
        The file exists, or the format cannot hold the table.

    Examples
    --------
    >>> import rtools
    >>> sources = rtools.read_catalog("r0000101001001001001_0001_wfi01_f158_cat.parquet")
    >>> bright = sources[sources["psf_flux"] > 10 * sources["psf_flux_err"]]
    >>> rtools.write_catalog("bright.ecsv", bright).name
    'bright.ecsv'
    """
    from rtools.products.names.extensions import table_form
    from rtools.products.tables import stage_catalog

    form, path = table_form(path), free_path(path, overwrite=overwrite)
    stage = stage_catalog(path, table, form)
    stage.commit()
    return told(stage, path)


def validate(path: str | Path, *, quick: bool = False, threads: int = 1) -> list[Finding]:
    """Check a product of either mission, a reference file or a catalog: blocks, schema, values, name, steps.

    Parameters
    ----------
    path : str or Path
        The file.
    quick : bool
        Look at the header alone; no array is read.
    threads : int
        Threads that take checksums; 0 means all cores.

    Returns
    -------
    list of rtools.findings.Finding
        What was found, each with `severity` (``error``, ``warning``, ``info``), `check`, `where` and `message`. Without
        an error the file is valid.

    Raises
    ------
    InputError
        The file cannot be read at all.

    Examples
    --------
    >>> import rtools
    >>> found = rtools.validate("r0000101001001001001_0001_wfi01_f158_cal.asdf")
    >>> [finding.message for finding in found if finding.severity == "error"]
    []
    """
    from rtools.products.check import check_file

    with working(threads) as work:
        return check_file(path, quick=quick, work=work).findings


class Differences(NamedTuple):
    """How two files differ; both lists are empty where they are the same.

    Attributes
    ----------
    metadata : list of dict
        For each key that differs ``key``, ``a`` and ``b``; ``only_in`` where one file lacks it.
    arrays : list of dict
        For each array or column that differs ``array``, how many values differ, and by how much at most.
    """

    metadata: list
    arrays: list


def compare(
    first: str | Path,
    second: str | Path,
    *,
    rtol: float = 0.0,
    atol: float = 0.0,
    ignore: Iterable[str] = (),
) -> Differences:
    """Compare two products of one mission, or two catalogs.

    Parameters
    ----------
    first, second : str or Path
        The files.
    rtol, atol : float
        Numbers are the same if ``|a - b| <= atol + rtol |b|``. With both 0 they must be equal.
    ignore : iterable of str
        Globs of keys, arrays or columns that are left out, with all that is below them.

    Returns
    -------
    Differences
        Names and times of the files are not compared.

    Raises
    ------
    InputError
        A file cannot be read.

    Examples
    --------
    >>> import rtools
    >>> cal = "r0000101001001001001_0001_wfi01_f158_cal.asdf"
    >>> rtools.compare(cal, cal)
    Differences(metadata=[], arrays=[])
    """
    from rtools.products.edit.file_comparison import compare_files

    return Differences(*compare_files(first, second, rtol=rtol, atol=atol, ignore=list(ignore))[:2])


def cut_out(
    file: str | Path | Product,
    rows: slice,
    columns: slice,
    *,
    reference_pixels: bool = False,
    threads: int = 1,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Cut some rows and columns out of a product: every array of the image, the WCS and the statistics with it.

    Parameters
    ----------
    file : str, Path or Product
        An image, a ramp or a reference file.
    rows, columns : slice
        Of its image, 0-based, the end not included.
    reference_pixels : bool
        Keep the border of reference pixels and amp33 whole; otherwise they have no pixel.
    threads : int
        Threads that decode; 0 means all cores.

    Returns
    -------
    meta, arrays : dict
        Of the cutout, as `write_product` takes them.

    Raises
    ------
    InputError
        The file has no image.
    UsageError
        The part is empty.

    Examples
    --------
    >>> import rtools
    >>> cal = "r0000101001001001001_0001_wfi01_f158_cal.asdf"
    >>> meta, arrays = rtools.cut_out(cal, slice(100, 150), slice(20, 60))
    >>> arrays["data"].shape, arrays["dq"].shape
    ((50, 40), (50, 40))
    >>> rtools.write_product("small_cal.asdf", "l2_image", meta, arrays).name
    'small_cal.asdf'
    """
    from rtools.pipeline.astrometry.cutout import cut_product
    from rtools.products.edit.cutout import image_shape

    product = opened(file)
    shape = image_shape(product)
    inside = _part(rows, shape[0]), _part(columns, shape[1])
    with working(threads) as work:
        return cut_product(product, *inside, work, whole_frame=reference_pixels)


def _part(span, length):
    """A slice with a beginning and an end within so many pixels."""
    start, stop, step = span.indices(length)
    if step != 1 or start >= stop:
        raise UsageError(f"{span} is not a part of {length} pixels")
    return slice(start, stop)
