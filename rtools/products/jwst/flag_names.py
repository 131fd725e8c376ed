"""What reference files of JWST call the bits of their flags."""

from __future__ import annotations

import numpy as np

__all__ = ["own_flags"]


def own_flags(rows: np.ndarray) -> dict[str, int]:
    """Names of bits, as a table DQ_DEF says them.

    Parameters
    ----------
    rows : structured ndarray
        Its columns may be in letters of any case.

    Returns
    -------
    dict of str to int
        Empty where the table has no names or values.
    """
    columns = {name.upper(): rows[name] for name in rows.dtype.names or ()}
    if not {"NAME", "VALUE"} <= columns.keys():
        return {}
    return {str(name).strip(): int(value) for name, value in zip(columns["NAME"], columns["VALUE"], strict=True)}
