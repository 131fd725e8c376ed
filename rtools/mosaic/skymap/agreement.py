"""What metadata say of a skycell, against the skymap."""

from collections.abc import Mapping
from typing import Any

from rtools.errors import InputError
from rtools.mosaic.skymap.projection import PIXEL_SCALE
from rtools.mosaic.skymap.skymap import parse_name, wcs_info
from rtools.wfi.sphere import signed_turn

__all__ = ["disagreements"]


def disagreements(info: Mapping[str, Any] | None) -> list[str]:
    """Where a `skycell_wcs_info` says something else than the skymap.

    Parameters
    ----------
    info : mapping
        Empty for none.

    Returns
    -------
    list of str
        Empty if nothing differs by more than a thousandth of a pixel.
    """
    if not info:
        return []
    try:
        mine = wcs_info(parse_name(str(info["name"])))
    except InputError as error:
        return [f"skycell_wcs_info: {error}"]
    found = []
    for key, value in mine.items():
        scale = 1e-3 if key.startswith(("x0", "y0", "n")) else 1e-3 * PIXEL_SCALE
        limit = {"pixel_scale": 1e-9, "orientat": 1e-4}.get(key, scale)
        off = abs(signed_turn(info[key] - value)) if key.startswith(("ra_", "orientat")) else None
        if key != "name" and (abs(info[key] - value) if off is None else off) > limit:
            found.append(f"skycell_wcs_info: {key} is {info[key]}, the skymap says {value}")
    return found
