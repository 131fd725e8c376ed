"""What can be wrong with FACE files."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import numpy as np

from rtools.errors import InputError
from rtools.findings import Finding, error, warning
from rtools.products.check.guide_links import check_face_links
from rtools.products.check.guide_stage import counted, tell
from rtools.products.guide import Face, read_face
from rtools.products.guide.face import SECTION
from rtools.products.io import Product
from rtools.wfi.guide import BAD_QUALITY, GOOD_QUALITY, PHASES

__all__ = ["check_face"]

CHECK = "guide"

ROTATIONS = ("delta", "epsilon", "zeta", "delta2", "epsilon2")
VARIANCES = ("delta_var", "epsilon_var", "zeta_var", "horizontal_variance", "vertical_variance")


def check_face(product: Product) -> Iterator[Finding]:
    """Whether rotations, variances, times and words of a FACE file can be, and go together.

    Parameters
    ----------
    product : Product
        A FACE file.

    Yields
    ------
    Finding
        Errors for what cannot be, warnings for what does not go together.
    """
    try:
        face, problems = read_face(product)
    except InputError as damaged:
        yield error(CHECK, "the arrays", damaged.message)
        return
    yield from tell(problems, face.remarks)
    unread = {problem.where for problem in problems}
    for finding in chain(_check_numbers(face), _check_times(face), _check_words(face)):
        if finding.where not in unread:
            yield finding
    yield from check_face_links(face)


def _check_numbers(face: Face) -> Iterator[Finding]:
    good = np.isin(face.quality, GOOD_QUALITY)
    for name in (*ROTATIONS, *VARIANCES):
        values = getattr(face, name)
        where = f"{SECTION}.{name}"
        if name in VARIANCES and (values < 0).any():
            yield error(CHECK, where, counted(values < 0, "negative", rows="rows"))
        missing = good & ~np.isfinite(values)
        if missing.any():
            yield warning(CHECK, where, counted(missing, "not finite, although the quality is good", rows="rows"))


def _check_times(face: Face) -> Iterator[Finding]:
    there = np.flatnonzero(np.isfinite(face.t))
    back = np.diff(face.t[there]) <= 0
    if back.any():
        row = there[1:][back][0]
        message = f"{int(back.sum())} times not after the one before, first at {row}"
        yield error(CHECK, f"{SECTION}.centroid_times", message)


def _check_words(face: Face) -> Iterator[Finding]:
    unknown = ~np.isin(face.phase, PHASES)
    if unknown.any():
        message = counted(unknown, f"not a phase ({str(face.phase[unknown.argmax()])!r:.40})", rows="rows")
        yield error(CHECK, f"{SECTION}.fgs_op_phase", message)
    unknown = ~np.isin(face.quality, (*GOOD_QUALITY, *BAD_QUALITY))
    if unknown.any():
        message = counted(
            unknown, f"a word that is not known ({str(face.quality[unknown.argmax()])!r:.40})", rows="rows"
        )
        yield warning(CHECK, f"{SECTION}.attitude_estimate_quality", message)
