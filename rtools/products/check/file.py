"""Everything that can be checked of one file without science: schema, layout, steps, names, blocks, catalogs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rtools.errors import InputError, UsageError
from rtools.findings import Finding, error, warning
from rtools.products import names
from rtools.products.check import catalog as catalogs
from rtools.products.check.face import check_face
from rtools.products.check.guide import KINDS as GUIDING
from rtools.products.check.guide import accept_spellings, check_guide
from rtools.products.check.integrity import check_blocks, check_index
from rtools.products.check.jwst import check_jwst, is_jwst
from rtools.products.check.names import check_name
from rtools.products.check.report import Report
from rtools.products.check.schema import (
    check_arrays,
    check_fields,
    check_schema,
    check_tree,
    is_described,
    one_per_place,
)
from rtools.products.check.steps import check_fit, check_steps
from rtools.products.check.values import check_entries, check_values
from rtools.products.io import open_product
from rtools.products.io.header import TruncatedError
from rtools.products.schema.history import NOT_FOR_SCIENCE, built_in_types
from rtools.wfi import metadata
from rtools.work import ALONE, Work

__all__ = ["check_file", "wcs_of"]


def check_file(
    path: str | Path,
    *,
    name: str | Path | None = None,
    quick: bool = False,
    partner: str | Path | None = None,
    others: Sequence[str | Path] | None = None,
    work: Work = ALONE,
) -> Report:
    """Check one file.

    Parameters
    ----------
    path : str or Path
        A product, a reference file, or a catalog; of JWST a product.
    name : str, optional
        What it is called, where that is not `path`; "" if nobody knows.
    quick : bool
        Header, metadata, shapes and block table only: no schema of asdf, no array is read.
    partner : str or Path, optional
        Catalog of a segmentation map, or the other way round; by default the sibling by root name, if there is one.
    others : sequence of str or Path, optional
        Files of the same command, to look also at what belongs together among them and beside them; by default no such
        look is taken.
    work : rtools.work.Work
        Its threads take checksums and decode.

    Returns
    -------
    Report

    Raises
    ------
    InputError
        The file cannot be read at all.
    """
    name = path if name is None else name
    if is_jwst(path):
        return check_jwst(path, name, quick=quick, partner=partner, others=others)
    report = Report(path)
    try:
        opened = catalogs.read_catalog(path) if catalogs.is_catalog(path) else open_product(path, others=True)
    except TruncatedError as problem:
        report.add("blocks", [error("blocks", "the file", problem.message)])
        return report
    report.product, report.kind, report.profile = opened, opened.kind, opened.profile
    if getattr(opened, "problem", None):
        name, report.profile = None, None
    if name:
        report.attempt("name", lambda: check_name(name, opened.kind, opened.meta))
    report.attempt("built-in", _check_references, opened)
    if isinstance(opened, catalogs.Catalog):
        report.attempt("schema", catalogs.check_catalog, opened)
    else:
        suffix = names.split_suffix(name)[1] if name and not report.count("error") else None
        _check_product(report, opened, suffix, quick=quick, work=work)
        if opened.kind in catalogs.CATALOGS and not quick:
            opened = _check_table(report, opened)
    if not isinstance(opened, catalogs.Catalog) and opened.kind == "reference":
        report.attempt("values", check_entries, opened.tree)
    else:
        known = {finding.where for finding in report.findings}  # the schema has found some of them
        report.attempt("values", lambda: [one for one in check_values(opened.meta) if one.where not in known])
    _check_partner(report, opened, name, partner or _partner_among(others, opened, name), quick=quick)
    return report


def _check_references(opened):
    """Whether the calibration is invented, which no later step mends."""
    types = built_in_types(opened.meta, opened.history)
    return [warning("built-in", "meta.ref_file", f"{NOT_FOR_SCIENCE}: {', '.join(types)}")] if types else []


def _check_table(report, product):
    """Check the table of a catalog in an ASDF file; returns the catalog, or the product where there is none."""
    try:
        catalog = catalogs.catalog_of(product)
    except InputError as problem:
        report.add("schema", [error("schema", "source_catalog", problem.message)])
        return product
    found = list(catalogs.check_catalog(catalog))
    if found:  # the schema says of the same columns only that something is wrong
        report.findings = [one for one in report.findings if not one.where.startswith("source_catalog")]
    report.add("schema", found)
    return catalog


def _check_product(report, product, suffix, *, quick, work):
    try:
        product.arrays  # noqa: B018  everything below needs them
    except InputError as problem:
        report.add("layout", [error("layout", "the arrays", problem.message)])
        report.product = None
        return
    if product.kind == "other":
        report.add("schema", [error("schema", "the tree", product.problem)])
    known = is_described(product) or product.kind == "truth"
    report.attempt("schema", _check_tree, product, known, quick)
    if known:
        report.attempt("layout", check_arrays, product)
    if known and product.kind in ("l1_uncal", "ramp", "l2_image", "l3_coadd"):
        report.attempt("steps", check_steps, product, suffix)
    report.attempt("blocks", check_index, product)
    if not quick:
        report.attempt("checksum", check_blocks, product, work)
        if product.kind == "l2_image" and not _damaged(report):
            report.attempt("steps", check_fit, product)
        if known and product.kind in GUIDING and not _damaged(report):
            report.attempt("guide", _check_guiding, report, product)


def _check_tree(product, known, quick):
    """Findings of the schema of asdf, or of the fields that are known; and of the tree as a whole."""
    schema = [] if quick or product.problem else check_schema(product)
    if quick and known:
        schema = list(check_fields(product))
    return accept_spellings(product, one_per_place(schema, check_tree(product) if known else []))


def _check_guiding(report, product):
    """Findings about a guide-window or FACE file at places of which no error is known, and no remark twice."""
    known = {finding.where for finding in report.findings}
    wrong = {finding.where for finding in report.findings if finding.severity == "error"}
    found = check_guide(product) if product.kind == "l1_gw" else check_face(product)
    return [one for one in found if one.where not in (known if one.severity == "info" else wrong)]


def _damaged(report):
    return any(finding.check == "checksum" for finding in report.findings)


def _partner_among(others, opened, name):
    """The catalog of a segmentation map, or the other way round, among the files of a command."""
    pair = isinstance(opened, catalogs.Catalog) or opened.kind in catalogs.SEGMENTATION
    if not others or not pair or not name or catalogs.partner_of(name, opened.kind):
        return None
    folders = dict.fromkeys(Path(one).parent for one in others)
    found = (catalogs.partner_of(folder / Path(name).name, opened.kind) for folder in folders)
    named = {Path(one) for one in others}
    return next((one for one in found if one in named), None)


def _check_partner(report, opened, name, partner, *, quick):
    pair = isinstance(opened, catalogs.Catalog) or opened.kind in catalogs.SEGMENTATION
    if partner is not None and not pair:
        raise UsageError("--with names the other one of a catalog and a segmentation map", mend="this is neither")
    if not pair or quick or report.product is None or _damaged(report):
        return
    partner = partner or (catalogs.partner_of(name, opened.kind) if name else None)
    if partner is not None:
        report.attempt("catalog", catalogs.check_labels, opened, partner)


def wcs_of(product: Any) -> tuple[dict[str, Any], list[Finding]]:
    """The WCS objects of a product, for those who can judge them.

    Parameters
    ----------
    product : Product, Catalog or None
        As `Report.product`.

    Returns
    -------
    (dict of str to gwcs.WCS, list of Finding)
        By their place in the tree; and what is not a WCS. Both empty where the product has none.
    """
    systems, found = {}, []
    tree = getattr(product, "tree", {})
    for place in ("meta.wcs", "wcs_l2", "wcs_l1"):
        if metadata.get(tree, place) is None:
            continue
        try:
            node = product.node(place)
        except Exception as problem:  # what converters of other packages raise is not known
            found.append(error("wcs", place, f"cannot be read ({' '.join(str(problem).split())})"))
            continue
        if hasattr(node, "invert"):
            systems[place] = node
        else:
            found.append(error("wcs", place, f"a {type(node).__name__}, not a WCS"))
    return systems, found
