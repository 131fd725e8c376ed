"""Data-quality bits by name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches

from rtools.errors import UsageError

__all__ = ["GROUP", "PIXEL", "SOURCE", "bits_of", "names", "value"]

_PIXEL_NAMES = [
    "DO_NOT_USE",
    "SATURATED",
    "JUMP_DET",
    "DROPOUT",
    "GW_AFFECTED_DATA",
    "PERSISTENCE",
    "AD_FLOOR",
    "OUTLIER",
    "UNRELIABLE_ERROR",
    "NON_SCIENCE",
    "DEAD",
    "HOT",
    "WARM",
    "LOW_QE",
    "-",
    "TELEGRAPH",
    "NONLINEAR",
    "BAD_REF_PIXEL",
    "NO_FLAT_FIELD",
    "NO_GAIN_VALUE",
    "NO_LIN_CORR",
    "NO_SAT_CHECK",
    "UNRELIABLE_BIAS",
    "UNRELIABLE_DARK",
    "UNRELIABLE_SLOPE",
    "UNRELIABLE_FLAT",
    "RESERVED_5",
    "RESERVED_6",
    "UNRELIABLE_RESET",
    "RESERVED_7",
    "OTHER_BAD_PIXEL",
    "REFERENCE_PIXEL",
]

PIXEL = {name: 1 << bit for bit, name in enumerate(_PIXEL_NAMES) if name != "-"}
"""Bits of `pixeldq`, `dq` and of every `dq` in a reference file, uint32. Bit 14 has no name."""

GROUP = {
    "DO_NOT_USE": 1,
    "SATURATED": 2,
    "JUMP_DET": 4,
    "DROPOUT": 8,
    "AD_FLOOR": 64,
    "WFI18_TRANSIENT": 128,
}
"""Bits of `groupdq`, uint8. Bit 7 means something else than in `PIXEL`; bits 4 and 5 are unused."""

SOURCE = {
    "warning_flags": {"BAD_CENTRE": 1},
    "image_flags": {"REPLACED": 1},
    "psf_flags": {
        "FEW_PIXELS": 1,
        "OUTSIDE": 2,
        "NOT_POSITIVE": 4,
        "NOT_CONVERGED": 8,
        "NO_COVARIANCE": 16,
        "NO_OVERLAP": 64,
        "ALL_MASKED": 128,
        "TOO_FEW_PIXELS": 256,
        "NO_POSITION": 512,
        "NO_FLUX": 1024,
        "SHARED": 8192,
    },
}
"""Bits of the columns of flags that catalogs have, int32."""


def bits_of(array: str) -> dict[str, int] | None:
    """Bits of an array of flags.

    Parameters
    ----------
    array : str
        Its path below ``roman``: ``dq``, ``groupdq``.

    Returns
    -------
    dict or None
        `PIXEL`, `GROUP`, an empty one where no bit has a name, None if this is not an array of flags.
    """
    last = array.rpartition(".")[2]
    if last in ("groupdq", "resultantdq"):
        return GROUP
    if last in ("dq2", "pixeldq2"):
        return {}
    return PIXEL if last in ("dq", "pixeldq") or last.startswith("dq_") else None


def names(value: int, bits: Mapping[str, int] = PIXEL) -> list[str]:
    """Names of the bits that are set.

    Parameters
    ----------
    value : int
        Bits that are set.
    bits : dict
        `PIXEL` or `GROUP`.

    Returns
    -------
    list of str
        Lowest bit first; a bit without a name is ``BIT_n``.
    """
    known = {flag: name for name, flag in bits.items()}
    return [known.get(1 << bit, f"BIT_{bit}") for bit in range(int(value).bit_length()) if int(value) >> bit & 1]


def value(text: str | int, bits: Mapping[str, int] = PIXEL) -> int:
    """Value of flags given by name.

    Parameters
    ----------
    text : str or int
        ``SATURATED|HOT`` (also with ``,`` or ``+``, any letter case), ``BIT_14``, a number (also ``0x81``),
        or GOOD for 0.
    bits : dict
        `PIXEL` or `GROUP`.

    Returns
    -------
    int
        All of the flags together, 32 bits at most.

    Raises
    ------
    UsageError
        There is no such flag.
    """
    total = 0
    for word in str(text).replace(",", "|").replace("+", "|").split("|"):
        name = word.strip().upper()
        if name in bits:
            total |= bits[name]
        elif (number := _number(name)) is not None:
            total |= number
        elif name != "GOOD":
            near = get_close_matches(name, [*bits, "GOOD"], 1)
            mend = f"did you mean {near[0]}?" if near else f"there are {' '.join(bits)}"
            raise UsageError(f"no DQ flag is called {word.strip()!r}", mend=mend)
    return total


def _number(name):
    """Value of a bit without a name, or of a number in any base; None if it is neither."""
    if re.fullmatch(r"BIT_([0-9]|[12][0-9]|3[01])", name):
        return 1 << int(name[4:])
    if not re.fullmatch(r"[0-9]{1,10}|0X[0-9A-F]+|0B[01]+", name):
        return None
    number = int(name) if name.isdigit() else int(name, 0)
    if number >> 32:
        raise UsageError(f"{name} has more than 32 bits")
    return number
