"""A reference catalog in a few lines."""

from rtools.products.refcat.info import RefCatDescription

__all__ = ["refcat_rows"]


def refcat_rows(file: str, found: RefCatDescription) -> list[tuple[str, str]]:
    """Rows of a table about a reference catalog.

    Parameters
    ----------
    file : str
        What it is called.
    found : rtools.products.refcat.info.RefCatDescription
        What it has.

    Returns
    -------
    list of (str, str)
        Quantity and value.
    """
    rows = [("file", file), ("form", found.form), ("rows", str(found.rows))]
    if found.files is not None:
        orders = " ".join(map(str, found.orders))
        rows.append(("files", f"{found.files} of order {orders}" if found.files else "0"))
    if found.columns is not None:
        columns = [f"{column.name}, {column.unit}" if column.unit else column.name for column in found.columns]
        rows += zip(["columns"] + [""] * len(columns), columns, strict=False)
        rows += [("other columns", " ".join(found.other_columns))] if found.other_columns else []
    if found.cone is not None:
        ra, dec, radius = found.cone
        rows.append(("sky", f"within {radius:.4f} degrees of RA {ra:.5f}, Dec {dec:.5f}"))
    for label, span in (("epoch", found.ref_epoch), ("G", found.magnitude)):
        if span is not None:
            low, high = (f"{value:.2f}" for value in span)
            rows.append((label, low if low == high else f"{low} to {high}"))
    if found.with_proper_motion is not None:
        rows.append(("proper motions", f"of {found.with_proper_motion}"))
    for name, value in found.median_errors.items():
        if value is not None:
            unit = "mas/yr" if name.startswith("pm") else "mas"
            rows.append((f"median {name}", f"{value:.4g} {unit}"))
    return rows
