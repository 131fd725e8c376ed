"""A reference catalog in a few lines."""

__all__ = ["refcat_rows"]


def refcat_rows(said):
    """Rows (quantity, value) of what `rtools.products.refcat.info.describe` found, and the name under `file`."""
    rows = [("file", said["file"]), ("form", said["form"]), ("rows", str(said["rows"]))]
    if "files" in said:
        orders = " ".join(map(str, said["orders"]))
        rows.append(("files", f"{said['files']} of order {orders}" if said["files"] else "0"))
    if "columns" in said:
        columns = [f"{one['name']}, {one['unit']}" if one["unit"] else one["name"] for one in said["columns"]]
        rows += [(label, text) for label, text in zip(["columns"] + [""] * len(columns), columns, strict=False)]
        rows += [("other columns", " ".join(said["other_columns"]))] if said["other_columns"] else []
    if said.get("cone"):
        ra, dec, radius = said["cone"]
        rows.append(("sky", f"within {radius:.4f} degrees of RA {ra:.5f}, Dec {dec:.5f}"))
    for key, label, form in (("ref_epoch", "epoch", "{:.2f}"), ("magnitude", "G", "{:.2f}")):
        if said.get(key):
            low, high = (form.format(value) for value in said[key])
            rows.append((label, low if low == high else f"{low} to {high}"))
    if "with_proper_motion" in said:
        rows.append(("proper motions", f"of {said['with_proper_motion']}"))
    for name, value in said.get("median_errors", {}).items():
        if value is not None:
            unit = "mas/yr" if name.startswith("pm") else "mas"
            rows.append((f"median {name}", f"{value:.4g} {unit}"))
    return rows
