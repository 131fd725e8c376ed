"""A mosaic that new exposures join: what it says of itself, what it prescribes; all refusals before any work."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.errors import InputError, UsageError
from rtools.mosaic.drizzle.drizzle import VARIANCES, band_rows
from rtools.mosaic.drizzle.options import PLANES, WEIGHTS
from rtools.mosaic.drizzle.variance import BITS
from rtools.mosaic.drizzle.weights import bad_bits
from rtools.pipeline.mosaic.grid import WantedGrid, choose_frame
from rtools.pipeline.mosaic.members import share_of
from rtools.products import names
from rtools.products.io import Product, open_product
from rtools.products.mosaic.metadata import group_of, metas_of
from rtools.wfi import metadata

if TYPE_CHECKING:
    from rtools.pipeline.mosaic.grid import Frame
    from rtools.pipeline.mosaic.members import Member
    from rtools.pipeline.mosaic.request import MosaicRequest
__all__ = ["JoinedMosaic", "join", "open_joined", "refuse_options"]

OPTIONS = ("kernel", "pixfrac", "weight_type", "good_bits")
"""Of resample: what the joined mosaic was made with holds for what joins it."""


@dataclass
class JoinedMosaic:
    """A mosaic that members join.

    Attributes
    ----------
    name : str
        What its file is called.
    product : rtools.products.io.product.Product
        Its file.
    metas : list of dict
        What is known of the metadata of its own members.
    chosen : rtools.pipeline.mosaic.grid.Frame or None
        Its frame; None until the members are known.
    """

    name: str
    product: Product
    metas: list[dict[str, Any]]
    chosen: Frame | None = None

    @property
    def frame(self) -> Frame:
        """Its frame; ValueError where that is not chosen yet."""
        if self.chosen is None:
            raise ValueError("the frame of the mosaic is not chosen yet")
        return self.chosen

    @property
    def count(self) -> int:
        """Members that it has already."""
        return len(self.metas)

    @property
    def shares(self) -> list[float]:
        """Share of each member in its variances where the weights are exposure times."""
        return [share_of(meta) for meta in self.metas]

    def pointings(self, members: Iterable[Member]) -> int:
        """Number of exposures, when more members have joined.

        Parameters
        ----------
        members : iterable of rtools.pipeline.mosaic.members.Member
            Those that join; of exposures that the mosaic has already they add none.

        Returns
        -------
        int
            What `meta.resample.pointings` will say.
        """
        known = {group_of(meta, number) for number, meta in enumerate(self.metas)}
        before = metadata.usable(self.product.meta, "resample.pointings") or len(known)
        return int(before) + len({member.group for member in members} - known)

    def rows(self, wanted: Iterable[str], rows: slice) -> dict[str, np.ndarray]:
        """Some rows of arrays, which are compared with their checksums.

        Parameters
        ----------
        wanted : iterable of str
            Names of arrays that the mosaic has.
        rows : slice
            Rows of the mosaic.

        Returns
        -------
        dict of str to ndarray
            (rows, columns) of each, of ``context`` (planes, rows, columns).
        """
        for check in self.product.checks(wanted):
            check()
        cut = {name: (rows.start, rows.stop) for name in wanted if name != "context"}
        planes = {name: self.product.rows(name, *span) for name, span in cut.items()}
        if "context" in wanted:
            count = self.product.arrays["context"].shape[0]
            planes["context"] = np.stack([self.product.plane("context", number, rows) for number in range(count)])
        return planes


def join(
    request: MosaicRequest,
    members: Sequence[Member],
    groups: Mapping[str, str],
    log: Callable[[str, str], None],
) -> tuple[JoinedMosaic, dict[str, Any]]:
    """Open the mosaic that members are to join, or refuse it.

    Parameters
    ----------
    request : rtools.pipeline.mosaic.request.MosaicRequest
        What is asked; its `add` is the mosaic.
    members : sequence of rtools.pipeline.mosaic.members.Member
        They get their numbers behind the members of the mosaic.
    groups : mapping of str to str
        File to the group that an association puts it in.
    log : callable
        ``log(level, text)``.

    Returns
    -------
    joined : JoinedMosaic
        With the mosaic's own frame.
    options : dict
        Of resample, as the mosaic prescribes them.

    Raises
    ------
    InputError, UsageError
        It is no mosaic that others can join, it has one of them already, or it was made with other options.
    """
    refuse_options(request)
    if request.add is None:
        raise ValueError("no mosaic is named that the members are to join")
    joined = open_joined(request.add)
    _refuse_members(joined, members)
    for member in members:
        member.number += joined.count
        member.group = group_of(member.meta, member.number, groups.get(str(member.product.path)))
        if request.single and member.meta["cal_step"].get("skymatch") != "COMPLETE":
            log("warning", f"{member.name}: its sky is not matched to that of the mosaic (rt-run --add does it)")
    joined.chosen = choose_frame(members, WantedGrid(like=request.add), None, log)
    with joined.product:
        return joined, _settle(joined, request, members, log)


def refuse_options(request: MosaicRequest) -> None:
    """Refuse options of a grid, which is the mosaic's, and ways of matching and testing that need all exposures.

    Parameters
    ----------
    request : rtools.pipeline.mosaic.request.MosaicRequest
        What is asked, with ``--add``.

    Raises
    ------
    UsageError
        An option does not go together with ``--add``.
    """
    if request.skycells or request.wanted.like or request.wanted.free:
        raise UsageError("--add: the grid is that of the mosaic", mend="leave out the options of a grid")
    sky, outlier = request.settings.get("skymatch", {}), request.settings.get("outlier", {})
    if sky.get("method", "match") not in ("match", "local"):
        raise UsageError(f"--add: {sky['method']} levels are those of all exposures", mend="method match or local")
    if sky.get("pairs", "cells") != "cells":
        raise UsageError("--add: a mosaic is compared in cells", mend="leave out skymatch.pairs")
    if not outlier.get("resample_data", True):
        raise UsageError("--add: outliers are those that the mosaic does not show", mend="leave out resample_data")
    if not sky.get("match_down", True):
        raise UsageError("--add: the sky of the mosaic is 0", mend="leave out skymatch.match_down")
    for key in OPTIONS:
        if key in outlier:
            raise UsageError(f"--add: the mosaic is compared as it is, there is no outlier.{key}", mend="leave it out")


def open_joined(path: str) -> JoinedMosaic:
    """Open a mosaic that others are to join.

    Parameters
    ----------
    path : str
        Its file.

    Returns
    -------
    JoinedMosaic
        Without a frame yet.

    Raises
    ------
    InputError
        It is not a mosaic, or lacks what others need to join it.
    """
    product = open_product(path, ("l3_coadd",))
    with product:
        shape = product.arrays["data"].shape if product.has("data") else None
        for name in ("data", "weight", "context"):
            if not product.has(name) or product.arrays[name].shape[-2:] != shape or 0 in shape:
                raise InputError(f"no array {name}, or not of the shape of data", path=path)
        try:
            metas = metas_of(product)
        except InputError as error:
            error.path = error.path or path
            raise
        context = product.arrays["context"].shape
        if len(context) != 3 or context[0] * BITS < len(metas):
            raise InputError(f"its context has no place for its {len(metas)} members", path=path)
    return JoinedMosaic(str(path), product, metas)


def _refuse_members(joined, members):
    held = {names.split_suffix(str(meta["filename"]))[0] for meta in joined.metas}
    for member in members:
        called = str(member.meta.get("filename"))
        if names.split_suffix(called)[0] in held:
            raise InputError(f"{called} is in {joined.name} already", mend="leave it out", path=member.name)
    element = metadata.get(joined.product.meta, "instrument.optical_element")
    other = members[0].meta["instrument"]["optical_element"]
    if element is not None and element != other:
        raise InputError(f"{members[0].name} is of {other}, the mosaic of {element}", path=joined.name)


def _settle(joined, request, members, log):
    """Options of resample as the mosaic prescribes them."""
    given = request.settings.get("resample", {})
    held = _options(joined)
    for key, value in held.items():
        alike = bad_bits if key == "good_bits" else lambda value: value
        if key in given and given[key] != "auto" and alike(given[key]) != alike(value):
            raise UsageError(f"--{key.replace('_', '-')} {given[key]}: the mosaic was made with {value}",
                             mend="leave it out")  # fmt: skip
    if "kernel" not in held:
        log("warning", f"{joined.name} does not say its kernel: {given.get('kernel', 'square')} is taken")
    options = {key: value for key, value in _done(joined).items() if key == "fillval"} | given | held
    return options | _planes(joined, options, members, log)


def _options(joined):
    """Those that the mosaic's metadata say, and its history."""
    metadata.refuse_impossible(joined.product.meta, "resample.pixfrac", path=joined.name)
    said = joined.product.meta.get("resample") or {}
    held = {key: said[key] for key in OPTIONS if said.get(key) is not None}
    if held.get("weight_type") not in WEIGHTS or not isinstance(held.get("pixfrac"), int | float):
        raise InputError("meta.resample does not say its weight_type and pixfrac", path=joined.name)
    return held | {key: value for key, value in _done(joined).items() if key == "kernel"}


def _done(joined):
    """Options of resample that the history says; nothing for a mosaic of others."""
    for entry in reversed(joined.product.history):
        parameters = entry.get("parameters")
        found = parameters.get("resample") if isinstance(parameters, dict) else None
        if isinstance(found, dict):
            return found
    return {}


def _planes(joined, options, members, log):
    """The options ``planes``, ``var_flat`` and ``dq``: what the mosaic has, or of that what is asked for."""
    has = {name for name in VARIANCES if _known(joined, name)} | ({"dq"} if joined.product.has("dq") else set())
    asked = options.get("planes")
    wanted = {word.strip() for word in (asked or ",".join(PLANES)).split(",")} & {"err", "dq", *VARIANCES}
    more = {name for name in ("var_flat", "dq") if options.get(name, asked is None and name in has)}
    wanted |= more
    if "var_rnoise" not in has and wanted - {"dq"} and options["weight_type"] != "exptime":
        raise InputError("no var_rnoise, from which its variances would be taken up",
                         mend="--planes data,weight,context joins it without variances", path=joined.name)  # fmt: skip
    if has >= {"var_rnoise", "var_poisson"}:
        has.add("err")
    without = [member.name for member in members if not member.product.has("var_flat")]
    if "var_flat" in wanted & has and without:
        log("warning", f"{without[0]} has no var_flat: the mosaic will have none")
        wanted.discard("var_flat")
    for name in sorted(wanted - has):
        if name in more or (asked is not None and name != "var_flat"):
            raise InputError(f"{name} is not known of this mosaic", mend=f"leave out {name}", path=joined.name)
        log("warning", f"{name} is not known of {joined.name}: the mosaic will have none")
    kept = wanted & has
    return {"planes": ",".join(["data", "weight", "context", *(name for name in PLANES if name in kept)]),
            "var_flat": "var_flat" in kept, "dq": "dq" in kept}  # fmt: skip


def _known(joined, name):
    """Whether an array is there, and has values where there are data."""
    if not joined.product.has(name):
        return False
    empty = True
    for rows in band_rows(joined.frame.grid.shape):
        planes = joined.rows((name, "weight"), rows)
        seen = planes["weight"] != 0
        empty = empty and not seen.any()
        if np.isfinite(planes[name][seen]).any():
            return True
    return empty
