"""Between generations of the schemas: what a profile adds, drops or spells differently.

Going up only adds (zeros, null, "N/A"); going down drops, and says so. Values for which profiles 1.5.0 and 2.0.0 have a
closed list of words get the nearest of them.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rtools.products.schema import layout, tags
from rtools.products.schema.blocks import initial_cal_step
from rtools.wfi.fill import FILL_STRING

__all__ = ["convert", "kept"]

OLD_EXPOSURE_TYPES = {"WFI_GRISM": "WFI_SPECTRAL", "WFI_PRISM": "WFI_SPECTRAL", "WFI_DARK": "WFI_IM_DARK"}

ZEROS = {
    "ramp": {"pixeldq2": "pixeldq", "err": "data"},
    "l2_image": {"dq2": "dq", "var_rnoise": "data", "chisq": "data", "dumo": "data"},
}
"""Arrays that a profile may want and nobody has computed, and the array whose shape they take."""

WORDS = {
    "ephemeris.type": ("PREDICTED", "DEFINITIVE"),
    "exposure.engineering_quality": ("SUSPECT", "OK"),
    "guide_star.guide_mode": [
        "WIM-TRACK",
        "WIM-ACQ",
        "WSM-ACQ-1",
        "WSM-ACQ-2",
        "WSM-TRACK",
        "DEFOCUSED-MODERATE",
        "DEFOCUSED-LARGE",
    ],
    "program.subcategory": ["None", "CAL", "CGI", "CR", "DR", "GBTD", "HLTD", "HLWA", "OR", "WFI", "WFSC"],
    "rcs.led": ("None", "1", "2", "3", "4", "5", "6"),
    "visit.type": ["GENERIC", "GENERAL_ENGINEERING", "PARALLEL", "PRIME_TARGETED_FIXED", "PRIME_UNTARGETED"],
}
"""Closed lists of profiles 1.5.0 and 2.0.0, the stand-in for anything else first."""

EDGES = ("blue", "red")
"""Of ``wsm_edge_used``, which may be missing."""

CLOSED = ("1.5.0", "2.0.0")
"""Profiles that have them."""

GUIDE_MODES = {
    "WIM_ACQ": "WIM-ACQ",
    "WIM_TRK": "WIM-TRACK",
    "WSM_ACQ": "WSM-ACQ-1",
    "WSM_TRK": "WSM-TRACK",
    "WIM_DFC": "DEFOCUSED-MODERATE",
}


def kept(asked: str | None, products: Sequence[Any]) -> tuple[str, list[str]]:
    """Profile of what is made of products, which is theirs unless another is asked for.

    Parameters
    ----------
    asked : str or None
        What ``--profile`` says.
    products : sequence of rtools.products.io.product.Product
        Opened; the inputs of a run.

    Returns
    -------
    (str, list of str)
        The profile, of different ones the newest; and what to say where it is not that of a product.
    """
    if asked:
        return asked, []
    profile, changes = max(product.profile for product in products), []
    found = sorted({product.profile for product in products})
    if len(found) > 1:
        changes.append(f"the files are of profiles {' and '.join(found)}: {profile} is written")
    for product in products:
        text = f"{product.tag.rpartition('/')[2]} is of a generation that is not written: profile {profile} is"
        kind = f"reference/{product.reftype}" if product.reftype else product.kind
        if tags.tag(kind, product.profile) != product.tag and text not in changes:
            changes.append(text)
    return profile, changes


def convert(
    kind: str, meta: Mapping[str, Any], arrays: Mapping[str, Any], profile: str
) -> tuple[dict[str, Any], dict[str, Any], list[str]]:
    """Metadata and arrays of a product as a profile wants them.

    Parameters
    ----------
    kind : str
        Of the product, as `layout` names it.
    meta : dict
        Below ``meta``, of any profile; not changed.
    arrays : mapping of str to ndarray
        By dotted path below ``roman``, ndarrays or lists; not changed.
    profile : str
        The profile that it is to have.

    Returns
    -------
    (dict, dict, list of str)
        New metadata, new arrays, and what was dropped or replaced, one line each.
    """
    layout.check_profile(profile)
    meta = {key: dict(value) if type(value) is dict else value for key, value in meta.items()}
    arrays = dict(arrays)
    changes: list[str] = []
    if kind.startswith("reference/"):
        return meta, arrays, changes
    _metadata_up(meta, profile)
    if profile in CLOSED:
        _metadata_down(meta, profile, changes)
    _cal_step(kind, meta)
    _arrays(kind, arrays, profile, changes)
    return meta, arrays, changes


def _metadata_up(meta, profile):
    exposure, references = meta.get("exposure"), meta.get("ref_file")
    if isinstance(references, dict):
        old = references.pop("inverse_linearity", None)
        if profile == "1.5.0":
            references["inverse_linearity"] = references.get("inverselinearity", old or "N/A")
        for key in ("darkdecaysignal", "integralnonlinearity", "inverselinearity"):
            references.setdefault(key, old if key == "inverselinearity" and old else "N/A")
        if profile == "2.2.0":
            references.setdefault("bam", "N/A")
    if isinstance(exposure, dict) and profile != "1.5.0":
        exposure.setdefault("hga_move", False)
        exposure["type"] = OLD_EXPOSURE_TYPES.get(str(exposure.get("type")), exposure.get("type"))
    if isinstance(meta.get("observation"), dict) and profile != "1.5.0":
        meta["observation"].setdefault("wfi_parallel", False)
    if isinstance(meta.get("visit"), dict) and profile == "2.2.0":
        meta["visit"].setdefault("wfi_acm_z_defocus_size", None)


def _metadata_down(meta, profile, changes):
    for path, words in WORDS.items():
        block, key = path.split(".")
        found = meta.get(block)
        if not isinstance(found, dict) or found.get(key) in (*words, None) or (key == "led" and not found[key]):
            continue
        stand_in = words[0] if key != "guide_mode" else GUIDE_MODES.get(str(found[key])[:7], words[0])
        if found[key] != FILL_STRING:
            changes.append(f"profile {profile} has no meta.{path} {found[key]!r}: {stand_in} written")
        found[key] = stand_in
    if meta.get("wsm_edge_used") not in (*EDGES, None):
        changes.append(f"profile {profile} has no meta.wsm_edge_used {meta.pop('wsm_edge_used')!r}: dropped")


def _cal_step(kind, meta):
    if kind in ("ramp", "l2_image"):
        meta["cal_step"] = initial_cal_step(meta.get("cal_step"))


def _arrays(kind, arrays, profile, changes):
    known = layout.arrays(kind, profile)
    everywhere = set().union(*(layout.arrays(kind, other) for other in layout.PROFILES))
    for name in sorted(set(arrays) & everywhere - set(known)):
        del arrays[name]
        changes.append(f"profile {profile} has no array {name}: dropped")
    for name, model in ZEROS.get(kind, {}).items():
        if name in known and name not in arrays and model in arrays:
            arrays[name] = np.broadcast_to(np.zeros((), known[name].dtype), arrays[model].shape)
