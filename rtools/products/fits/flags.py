"""Data-quality flags as JWST numbers them: translated by name, since the two missions use some bits differently."""

import numpy as np

from rtools.wfi import dq

__all__ = ["GROUP", "PIXEL", "lost", "translate"]

_ONLY_JWST = {
    "OUTLIER": 4,
    "CHARGELOSS": 7,
    "RESERVED_4": 8,
    "RC": 14,
    "OPEN": 26,
    "ADJ_OPEN": 27,
    "FLUX_ESTIMATED": 28,
    "MSA_FAILED_OPEN": 29,
}
"""Names whose bits mean something else, or nothing, for Roman."""

_RENAMED = {
    "GW_AFFECTED_DATA": "OTHER_BAD_PIXEL",
    "UNRELIABLE_ERROR": "UNRELIABLE_SLOPE",
    "UNRELIABLE_RESET": "UNRELIABLE_BIAS",
}
"""The nearest meaning of Roman flags that JWST does not have."""

_TAKEN = [1 << bit for bit in _ONLY_JWST.values()]

PIXEL = {name: flag for name, flag in dq.PIXEL.items() if flag not in _TAKEN}
PIXEL |= {name: 1 << bit for name, bit in _ONLY_JWST.items()}
PIXEL = dict(sorted(PIXEL.items(), key=lambda item: item[1]))
"""JWST's bits of pixels by name."""

GROUP = {name: flag for name, flag in dq.GROUP.items() if name != "WFI18_TRANSIENT"}
GROUP |= {"PERSISTENCE": 32, "CHARGELOSS": 128}
GROUP = dict(sorted(GROUP.items(), key=lambda item: item[1]))
"""JWST's bits of groups by name."""


def translate(flags: np.ndarray) -> np.ndarray:
    """Roman flags in JWST's bits; those without a like are dropped.

    Parameters
    ----------
    flags : ndarray uint32 or uint8
        Of pixels (uint32) or of resultants (uint8).

    Returns
    -------
    ndarray
        A new array of the same shape and dtype.
    """
    roman, jwst = _bits(flags.dtype)
    kept = sum(flag for name, flag in roman.items() if jwst.get(name) == flag)
    out = flags & flags.dtype.type(kept)
    for name, flag in roman.items():
        target = jwst.get(_RENAMED.get(name, name))
        if target is not None and target != flag:
            out[flags & flags.dtype.type(flag) != 0] |= flags.dtype.type(target)
    return out


def lost(flags: np.ndarray) -> list[str]:
    """Names of the Roman flags that are set somewhere, and that `translate` drops.

    Parameters
    ----------
    flags : ndarray uint32 or uint8
        As in `translate`.

    Returns
    -------
    list of str
        In the order of their bits.
    """
    roman, jwst = _bits(flags.dtype)
    kept = sum(flag for name, flag in roman.items() if _RENAMED.get(name, name) in jwst)
    return dq.names(int(np.bitwise_or.reduce(flags, axis=None)) & ~kept, roman)


def _bits(dtype):
    return (dq.GROUP, GROUP) if dtype == np.uint8 else (dq.PIXEL, PIXEL)
