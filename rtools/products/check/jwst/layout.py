"""Which HDUs a JWST product has, of which types and sizes: L1 to L5 and L7, from the table of layouts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from rtools.findings import Finding, error, info, warning
from rtools.jwst.layout import AXIS, SEVERAL_TABLES, HduLayout, ProductLayout
from rtools.products.check.jwst.pieces import count_of, named, versions_of
from rtools.products.jwst.hdus import JwstHdu
from rtools.products.jwst.product import JwstProduct

__all__ = ["check_axes", "check_extensions", "check_release", "check_types"]

ONCE = ("ASDF", "HDRTAB", "INT_TIMES", "GROUP", "WCS-TABLE")
"""Extensions of which a product with several sets has one; a later release gives each set its own."""

AXES_OF_OTHERS = ("psfstack", "psfalign")
"""Products whose NINTS is that of one of the exposures that they are made of."""


def check_extensions(product: JwstProduct, layout: ProductLayout) -> Iterator[Finding]:
    """L1: extensions that are missing; L2: SCI is first; L3: extensions that the table does not know.

    Parameters
    ----------
    product : JwstProduct
        Opened.
    layout : ProductLayout
        Of its kind.

    Yields
    ------
    Finding
    """
    present = Counter(hdu.name for hdu in product.hdus[1:])
    for name in layout.required:
        if name not in present:
            yield error("L1", name, "the extension is missing")
    yield from _sets(product, layout)
    if layout.hdu("SCI") and present["SCI"] and product.hdus[1].name != "SCI":
        yield warning("L2", "SCI", f"the first extension is {product.hdus[1].name or 'without a name'}, not SCI")
    several = layout.repeats or layout.suffix in SEVERAL_TABLES
    for hdu in product.hdus[1:]:
        if layout.hdu(hdu.name) is None or (hdu.version > 1 and not several):
            yield info("L3", named(hdu.name, hdu.version) or f"HDU {hdu.number}", "not in the layout of this product")


def _sets(product, layout):
    """Sets that are not whole: EXTVER 1 to N of every member, each once."""
    seen = Counter((hdu.name, hdu.version) for hdu in product.hdus[1:])
    for (name, version), count in seen.items():
        if count > 1:
            yield error("L1", named(name, version), f"{count} extensions with this name and EXTVER")
    if not layout.repeats:
        return
    members = [hdu.name for hdu in layout.hdus if hdu.name not in ONCE]
    last = max((version for name, version in seen if name in members), default=0)
    for name in members:
        versions = {version for other, version in seen if other == name}
        missing = [str(version) for version in range(1, last + 1) if version not in versions]
        if missing and versions:
            listed = ", ".join(missing[:5]) + (" …" if len(missing) > 5 else "")
            yield error("L1", name, f"EXTVER {listed} of {last} is missing")


def check_types(product: JwstProduct, layout: ProductLayout) -> Iterator[Finding]:
    """L4: images and tables where they should be, types of pixels as they are stored, numbers of axes.

    Parameters
    ----------
    product : JwstProduct
        Opened.
    layout : ProductLayout
        Of its kind.

    Yields
    ------
    Finding
    """
    for hdu in product.hdus[1:]:
        told = layout.hdu(hdu.name)
        if told is None:
            continue
        where = named(hdu.name, hdu.version)
        if hdu.name == "ASDF":  # older releases have it as an image of bytes
            continue
        if told.is_table != hdu.is_table:
            yield error("L4", where, f"{'an image' if told.is_table else 'a table'}, not {_kind(told)}")
        elif not told.is_table:
            yield from _image_type(hdu, told, where)


def _kind(told):
    return "a table" if told.is_table else "an image"


def _image_type(hdu: JwstHdu, told: HduLayout, where: str) -> Iterator[Finding]:
    if hdu.dtype is None:
        yield error("L4", where, "it has no pixels")
        return
    if told.dtypes and hdu.dtype.name not in told.dtypes:
        stored = f"BITPIX {hdu.values['BITPIX']}" + (
            f", BZERO {hdu.values['BZERO']:g}" if hdu.values.get("BZERO") else ""
        )
        yield error("L4", where, f"{hdu.dtype.name} ({stored}), not {' or '.join(told.dtypes)}")
    lengths = sorted({len(shape) for shape in told.shapes})
    if lengths and len(hdu.shape) not in lengths:
        yield error("L4", where, f"{len(hdu.shape)} axes, not {' or '.join(map(str, lengths))}")


def check_axes(product: JwstProduct, layout: ProductLayout) -> Iterator[Finding]:
    """L5: axes of the same meaning are of the same length in all images of a set, and what keywords say.

    Parameters
    ----------
    product : JwstProduct
        Opened.
    layout : ProductLayout
        Of its kind.

    Yields
    ------
    Finding
    """
    first: dict[str, tuple[int, str]] = {}
    for version in versions_of(product, layout.hdus[0].name) or [1]:
        sizes: dict[str, tuple[int, str]] = {}
        for hdu in product.hdus[1:]:
            told = layout.hdu(hdu.name)
            if told is None or hdu.version != version or not hdu.is_image or told.is_table:
                continue
            yield from _axes(hdu, told, sizes)
        first = first or sizes
    yield from _counts(product, layout, first)


def _axes(hdu, told, sizes):
    """Compare the axes of an image with those of the images before it, and add its own."""
    shape = next((one for one in told.shapes if len(one) == len(hdu.shape)), None)
    for symbol, length in zip(shape or (), hdu.shape, strict=False):
        found = AXIS.fullmatch(symbol)
        if found is None:
            continue
        name, divisor = found["symbol"], int(found["divisor"] or 1)
        known, source = sizes.setdefault(name, (length * divisor, named(hdu.name, hdu.version)))
        if known // divisor != length:
            wanted = f"{known} as in {source}" if divisor == 1 else f"a quarter of the {known} in {source}"
            yield error("L5", named(hdu.name, hdu.version), f"{length} {name[1:]}, not {wanted}")


def _counts(product, layout, sizes):
    """NGROUPS, and NINTS or INTSTART and INTEND, against the axes."""
    if "ngroups" in sizes:
        stated = count_of(product, "NGROUPS")
        if stated is not None and stated != sizes["ngroups"][0]:
            yield error("L5", "NGROUPS", f"{stated}, but {sizes['ngroups'][1]} has {sizes['ngroups'][0]} groups")
    if "nints" not in sizes or layout.suffix in AXES_OF_OTHERS:
        return
    start, end, total = count_of(product, "INTSTART"), count_of(product, "INTEND"), count_of(product, "NINTS")
    length, source = sizes["nints"]
    if start is not None and end is not None:
        if end - start + 1 != length:
            yield error("L5", "INTEND", f"integrations {start} to {end}, but {source} has {length}")
        elif start == 1 and total not in (None, length) and (count_of(product, "EXSEGTOT") or 1) == 1:
            yield warning("L5", "NINTS", f"{total}, but {source} has {length}, and this is no segment of an exposure")
    elif total is not None and total != length:
        yield error("L5", "NINTS", f"{total}, but {source} has {length} integrations")


def check_release(product: JwstProduct, layout: ProductLayout) -> Iterator[Finding]:
    """L7: which release's layout a file has, where releases differ.

    Parameters
    ----------
    product : JwstProduct
        Opened.
    layout : ProductLayout
        Of its kind.

    Yields
    ------
    Finding
    """
    for about in _releases(product, layout.suffix):
        yield info("L7", "the file", f"laid out as {about}")


def _releases(product, kind):
    present = {hdu.name for hdu in product.hdus}
    columns = {column.name for table in product.tables.values() for column in table.columns}
    shapes = [hdu.shape for hdu in product.hdus if hdu.name == "SCI"]
    spectra = sum(hdu.name == "EXTRACT1D" for hdu in product.hdus)
    if kind == "psfalign" and shapes:
        four = len(shapes[0]) == 4
        yield "in releases before 1.20 (each integration has its own)" if four else "from release 1.20 on (three axes)"
    if "OI_Q4" in present:
        yield "from release 1.20 on (OI_Q4)"
    elif "OI_VIS" in present:
        yield "in releases before 1.20 (no OI_Q4)"
    if kind == "x1dints" and present & {"EXTRACT1D"}:
        old = spectra > 1 and "INT_NUM" not in columns
        yield "in releases before 1.19 (a table for each integration)" if old else "from release 1.19 on (one table)"
    if kind == "phot":
        new = "BJD_TDB" in columns
        yield "from release 2.0 on (BJD_TDB)" if new else "in releases before 2.0 (no BJD_TDB)"
    if "WCS-TABLE" in present and kind == "s3d":
        old = "nelem" in columns
        yield "in releases before 1.19 (column nelem)" if old else "from release 1.19 on (no column nelem)"
