"""References of a simulated exposure of JWST: those that the user gives, else the built-in nominal ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from rtools.reference.jwst.nominal import has_nominal, nominal_reference
from rtools.simulate.jwst.planes import NEEDED

if TYPE_CHECKING:
    from rtools.reference.find import Config
    from rtools.simulate.jwst.planes import JwstReference
    from rtools.simulate.jwst.request import JwstRequest

__all__ = ["JwstReferences", "find_all"]


class JwstReferences(NamedTuple):
    """References of an exposure.

    Attributes
    ----------
    planes : mapping of str to Reference or None
        By type, those of `rtools.simulate.jwst.planes.NEEDED`.
    model : callable or None
        Of a distortion reference; None for the nominal geometry.
    labels : mapping of str to str
        By type, what the history says of each.
    """

    planes: Mapping[str, JwstReference | None]
    model: Callable[..., Any] | None
    labels: Mapping[str, str]


def find_all(request: JwstRequest, config: Config, log: Callable[[str, str], None]) -> JwstReferences:
    """References of an exposure.

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
    Found
    """
    planes: dict[str, JwstReference | None] = {}
    labels = {"distortion": "builtin:distortion"}
    for kind in NEEDED:
        if not has_nominal(kind, request.detector, request.element):
            continue
        found = nominal_reference(kind, request.detector, request.element, part=request.part)
        planes[kind], labels[kind] = found, f"builtin:{found.name}"
    return JwstReferences(planes, None, labels)
