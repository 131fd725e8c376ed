"""What an image product is and how it came out, as rows of a table."""

import numpy as np

__all__ = ["image_rows", "print_rows"]


def image_rows(meta, data, dq, flags):
    """Rows (quantity, value) that describe an L2 image.

    Parameters
    ----------
    meta : dict
        Its metadata.
    data : ndarray float32, (rows, columns)
        Count rate, DN/s.
    dq : ndarray uint32, (rows, columns)
        Data quality.
    flags : dict of str to int
        Flag names and values to be counted.

    Returns
    -------
    list of (str, str)
    """
    exposure, instrument = meta["exposure"], meta["instrument"]
    statistics = meta.get("statistics") or {}
    photometry = meta.get("photometry") or {}
    rows = [
        ("file", str(meta.get("filename", ""))),
        ("exposure", f"{exposure['type']} {instrument['detector']} {instrument['optical_element']}"),
        ("start", str(exposure["start_time"])),
        ("resultants", f"{len(exposure['read_pattern'])}, {exposure.get('exposure_time', float('nan')):.1f} s"),
        ("image", f"{data.shape[1]} x {data.shape[0]} pixels, DN/s"),
        (
            "median, rms",
            f"{statistics.get('image_median', np.nan):.5g}, {statistics.get('image_rms', np.nan):.4g} DN/s",
        ),
        ("good pixels", f"{100 * statistics.get('good_pixel_fraction', np.nan):.2f} %"),
        ("1 DN/s is", f"{photometry.get('conversion_megajanskys')} MJy/sr"),
        ("sky region", str((meta.get("wcsinfo") or {}).get("s_region", ""))),
    ]
    for name, value in flags.items():
        count = int(np.count_nonzero(dq & np.uint32(value)))
        if count:
            rows.append((f"DQ {name}", f"{count} pixels"))
    done = [f"{key} {value}" for key, value in (meta.get("cal_step") or {}).items() if value != "INCOMPLETE"]
    return [*rows, ("steps", ", ".join(done))]


def print_rows(rows):
    """Print rows as a table on the terminal, or as tab-separated lines in a pipe."""
    import sys

    if not sys.stdout.isatty():
        for name, value in rows:
            print(f"{name}\t{value}")
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(show_header=False, box=None)
    for row in rows:
        table.add_row(*row)
    Console().print(table)
