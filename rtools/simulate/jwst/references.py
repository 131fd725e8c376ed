"""References of a simulated exposure of JWST: those that the user gives, else the built-in nominal ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from rtools.declare import Reference
from rtools.jwst.instrument import detector_facts
from rtools.reference import find
from rtools.reference.missions import rules_of
from rtools.simulate.jwst.clock import clock_of
from rtools.simulate.jwst.metadata import identity_of
from rtools.simulate.jwst.planes import NEEDED
from rtools.simulate.references import as_a_warning

if TYPE_CHECKING:
    from rtools.simulate.jwst.planes import JwstReference
    from rtools.simulate.jwst.request import JwstRequest

__all__ = ["JwstReferences", "find_all"]

ALWAYS = ("gain", "readnoise", "distortion")
"""Types without which nothing can be simulated."""


class JwstReferences(NamedTuple):
    """References of an exposure.

    Attributes
    ----------
    planes : mapping of str to JwstReference or None
        By type, those of `rtools.simulate.jwst.planes.NEEDED`.
    model : callable or None
        Of a distortion reference; None for the nominal geometry.
    sources : mapping of str to ReferenceSource
        By type, what was used, for the history.
    """

    planes: Mapping[str, JwstReference | None]
    model: Callable[..., Any] | None
    sources: Mapping[str, Any]


def find_all(request: JwstRequest, config: find.Config, log: Callable[[str, str], None]) -> JwstReferences:
    """References of an exposure; what is found nowhere else comes from the built-in set, and `log` says so.

    Parameters
    ----------
    request : rtools.simulate.jwst.request.JwstRequest
        What is simulated.
    config : rtools.reference.find.Config
        Where references are looked for.
    log : callable
        ``log(level, text)``.

    Returns
    -------
    JwstReferences

    Raises
    ------
    MissingReferenceError, InputError, UsageError
        As `rtools.reference.find.references`.
    """
    uses = [Reference(kind, refusable=kind not in ALWAYS) for kind in (*NEEDED, "distortion")]
    config = replace(config, builtin=True if config.builtin is None else config.builtin)
    facts = detector_facts(request.detector)
    found = find.references(
        identity_of(request, clock_of(request)),
        uses,
        config,
        simulated=True,
        frame=(facts.rows, facts.columns),
        log=as_a_warning(log),
        rules=rules_of("jwst"),
    )
    used = {kind: source for kind, source in found.items() if source is not None}
    distortion = used["distortion"]
    # The nominal geometry is computed as such: its inverse is exact, that of the model a fit.
    model = None if distortion.origin == "builtin" else distortion.node("model")
    planes = {kind: used[kind].contents() if kind in used else None for kind in NEEDED}  # type: ignore[attr-defined]
    return JwstReferences(planes, model, used)
