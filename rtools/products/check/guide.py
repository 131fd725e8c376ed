"""What can be wrong with guide-window files, and which old spellings are no fault of theirs or of FACE files."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, pairwise

import numpy as np

from rtools.errors import InputError
from rtools.findings import Finding, error, info, warning
from rtools.products.check.guide_links import check_gw_links
from rtools.products.check.guide_stage import check_stage, tell
from rtools.products.edit.section import cutout_of
from rtools.products.guide import Guide, GuideStage, read_guide
from rtools.products.guide.sections import CENTROIDS
from rtools.products.guide.stage import PREFIXES, SECTIONS
from rtools.products.io import Product
from rtools.products.schema import layout
from rtools.products.schema.nodes import is_array
from rtools.wfi import metadata
from rtools.wfi.fill import PLACEHOLDERS

__all__ = ["KINDS", "accept_spellings", "check_guide"]

KINDS = ("l1_gw", "l1_face")

CHECK = "guide"


def check_guide(product: Product) -> Iterator[Finding]:
    """Whether pairs, windows, times, flags and centroids of a guide-window file can be, and go together.

    Parameters
    ----------
    product : Product
        A guide-window file.

    Yields
    ------
    Finding
        Errors for what cannot be, warnings for what does not go together, remarks for old spellings and gaps.
    """
    try:
        guide, problems = read_guide(product)
    except InputError as damaged:
        yield error(CHECK, "the arrays", damaged.message)
        return
    yield from tell(problems, guide.remarks)
    unread = {problem.where for problem in problems}
    of_stages = (check_stage(guide, stage) for stage in guide.stages)
    for finding in chain(_check_sections(guide), *of_stages, _check_order(guide), _check_numbers(guide)):
        if finding.where not in unread:
            yield finding
    yield from check_gw_links(guide)


def _check_sections(guide: Guide) -> Iterator[Finding]:
    """Sections that are empty, or that are of the other kind of exposure."""
    tell_empty = info if cutout_of(guide.product) else warning
    for stage in guide.stages:
        if not any(name in stage.has for name in ("pedestal_resultants", "signal_resultants", "pedestal_times")):
            yield tell_empty(CHECK, SECTIONS[stage.name], "a section without arrays")
    edge = guide.stage("edge")
    if edge is not None and edge.pairs and not guide.spectroscopic:
        yield warning(CHECK, SECTIONS["edge"], f"there, although the element is {guide.element}")
    if edge is None and guide.spectroscopic:
        yield info(CHECK, SECTIONS["edge"], f"missing, although the element is {guide.element}")
    if guide.edge and not guide.spectroscopic:
        yield warning(CHECK, "meta.wsm_edge_used", f"{guide.edge}, although the element is {guide.element}")


def _check_order(guide: Guide) -> Iterator[Finding]:
    """Stages follow each other in time."""
    timed = [stage for stage in guide.stages if np.isfinite(stage.t).any()]
    for before, after in pairwise(timed):
        if np.nanmin(after.t) <= np.nanmax(before.t):
            yield error(CHECK, f"{SECTIONS[after.name]}.pedestal_times", f"begins before {SECTIONS[before.name]} ends")


def _check_numbers(guide: Guide) -> Iterator[Finding]:
    """`meta.guide_window` against the corners and the windows."""
    for stage in guide.stages:
        for key, found in _window_facts(stage).items():
            stated = metadata.get(guide.meta, f"guide_window.{key}")
            if stated not in (None, found, *PLACEHOLDERS):
                yield warning(CHECK, f"meta.guide_window.{key}", f"{stated}, the windows say {found}")


def _window_facts(stage: GuideStage) -> dict[str, int]:
    """What `meta.guide_window` should say of a stage."""
    prefix = PREFIXES[stage.name]
    found: dict[str, int] = {}
    if stage.shape is not None and stage.pairs:
        found |= {f"{prefix}_xsize": stage.shape[1], f"{prefix}_ysize": stage.shape[0]}
    for axis, letter in enumerate("xy"):
        if stage.lower is not None and stage.pairs:
            found[f"min_{prefix}_{letter}start"] = int(stage.lower[:, axis].min())
        if stage.upper is not None and stage.pairs:
            found[f"max_{prefix}_{letter}stop"] = int(stage.upper[:, axis].max())
    return found


def accept_spellings(product: Product, findings: list[Finding]) -> list[Finding]:
    """Findings of schema and layout, in which spellings that readers take are remarks.

    Parameters
    ----------
    product : Product
        Of any kind.
    findings : list of Finding
        What schema and layout say.

    Returns
    -------
    list of Finding
        The same for a product that is no guide-window or FACE file.
    """
    if product.kind not in KINDS:
        return findings
    kept: list[Finding] = []
    for finding in findings:
        told = _spelling(product, finding.where)
        where = CENTROIDS[1] if finding.where == CENTROIDS[0] else finding.where
        kept.append(finding if told is None else info(finding.check, where, told))
    return list(dict.fromkeys(kept))


def _spelling(product: Product, where: str) -> str | None:
    """How a place is spelled otherwise than the schema has it; None where it is not, or not as readers take it."""
    node = metadata.get(product.tree, where)
    if where == CENTROIDS[0] and node is None and isinstance(product.tree.get(CENTROIDS[1]), dict):
        return f"the schema calls it {CENTROIDS[0]}"
    wanted = layout.arrays(product.kind, product.profile).get(where)
    if wanted is None:
        return None
    if wanted.dtype == "time[]" and where.startswith("centroid.") and node is None:
        return "null for all times"
    if wanted.dtype == "time[]" and isinstance(node, dict) and "asdf/time/time-" in (getattr(node, "tag", None) or ""):
        return "one node of many times"
    if wanted.dtype == "string[]" and is_array(node):
        return "an array of words"
    found = product.arrays.get(where)
    if found is None:
        return None
    if wanted.dtype == "uint8" and found.dtype.name == "int8" and len(found.shape) == 1:
        return "int8"
    several = where.startswith(f"{CENTROIDS[0]}.") and len(found.shape) == len(wanted.shape) + 1
    return f"up to {found.shape[1]} of a pair" if several else None
