"""Which steps are done to one input: one that is asked for, or those of its chain that it does not have yet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from rtools.errors import InputError, UsageError
from rtools.pipeline.exposure import chain

if TYPE_CHECKING:
    from rtools.pipeline.exposure.request import ExposureRequest
    from rtools.products.io.product import Product

__all__ = ["check_input", "choose_chain", "choose_one", "statuses_of"]


def statuses_of(meta: Mapping[str, Any]) -> dict[str, str]:
    """Status of every step of the chain; INCOMPLETE where the file does not say it.

    Parameters
    ----------
    meta : dict
        Metadata of the file: `cal_step` is looked at.

    Returns
    -------
    dict of str to str
        By tool name, in the order of the chain.
    """
    recorded = meta.get("cal_step") or {}
    return {name: str(recorded.get(chain.step_of(name).cal_step, "INCOMPLETE")) for name in chain.order()}


def choose_one(product: Product, request: ExposureRequest, done: Mapping[str, str], warnings: list[str]) -> list[str]:
    """The one step that is asked for.

    Parameters
    ----------
    product : rtools.products.io.product.Product
        The input.
    request : ExposureRequest
        Its `single` names the step.
    done : mapping of str to str
        From `statuses_of`.
    warnings : list of str
        Gets what is to be said.

    Returns
    -------
    list of str
        Tool names.

    Raises
    ------
    InputError
        The step is done already, or is not for this kind of product.
    """
    name = request.single
    if name is None:
        raise ValueError("no single step is asked for")
    step = chain.step_of(name)
    if product.kind == "l2_image" and step.reads_ramp:
        raise InputError(f"an image; {step.tool} takes a ramp", path=product.path)
    if done[name] == "COMPLETE" and not step.repeatable and (not request.again or step.once):
        mend = "it cannot run twice" if step.once else "--again runs it all the same"
        raise InputError(f"{step.cal_step} is COMPLETE in this file", mend=mend, path=product.path)
    names = chain.chain_of(product.meta["exposure"]["type"])
    if name not in names:
        warnings.append(f"{step.tool} is not in the chain of {product.meta['exposure']['type']}")
    for earlier in names[: names.index(name)] if name in names else ():
        if done[earlier] == "INCOMPLETE":
            warnings.append(f"{chain.step_of(earlier).tool} has not run on this file")
    return [name]


def choose_chain(product: Product, request: ExposureRequest, done: Mapping[str, str], warnings: list[str]) -> list[str]:
    """Steps of the chain that the input does not have yet, within ``--from`` and ``--until``.

    Parameters
    ----------
    product : rtools.products.io.product.Product
        The input.
    request : ExposureRequest
        What is asked.
    done : mapping of str to str
        From `statuses_of`.
    warnings : list of str
        Gets what is to be said.

    Returns
    -------
    list of str
        Tool names, in order.

    Raises
    ------
    UsageError, InputError
        The bounds are not in this chain, or the input is past them.
    """
    exposure_type = product.meta["exposure"]["type"]
    names = chain.chain_of(exposure_type)
    for bound, word in (("from", request.first), ("until", request.last)):
        if word and word not in names:
            raise UsageError(f"--{bound} {word}: not in the chain of {exposure_type}", mend=f"it is {' '.join(names)}")
    ramp = product.kind != "l2_image"
    todo = [name for name in names if done[name] == "INCOMPLETE" and (ramp or not chain.step_of(name).reads_ramp)]
    for before, name in pairwise(names):
        if name in request.skip and name in todo and chain.step_of(name).fits_ramp:
            raise UsageError(f"--skip {name}: there is no image without it", mend=f"use --until {before}")
    if request.first and todo[:1] != [request.first]:
        earlier = names[: names.index(request.first)]
        wanted = chain.step_of(earlier[-1]).suffix if earlier else "uncal"
        raise InputError(f"--from {request.first} takes a _{wanted} product", path=product.path)
    if request.last:
        if request.last not in todo:
            raise InputError(f"--until {request.last}: this file is past it", path=product.path)
        todo = todo[: todo.index(request.last) + 1]
    warnings += _out_of_order(names, todo, done)
    warnings += _in_vain(request, done)
    if request.settings.get("tweakreg", {}).get("refcat") and done["tweakreg"] in ("SKIPPED", "FAILED"):
        warnings.append(f"tweakreg is {done['tweakreg']} in this file, and stays so; rt-tweakreg aligns it")
    return todo


def _in_vain(request, done) -> Iterator[str]:
    """What to say of options for steps that are behind this file."""
    for name in chain.order():
        keys = set(request.named.get(name, {})) - {"refcat"}  # of it the alignment speaks
        words = [word for word, given in (("--skip", name in request.skip), ("--set", keys)) if given]
        if words and done[name] != "INCOMPLETE":
            yield f"{name} is {done[name]} in this file: {' and '.join(words)} of it changes nothing"


def _out_of_order(names, todo, done) -> Iterator[str]:
    """What to say of steps that later ones have overtaken; those that only write metadata may come at any time."""
    last = max((names.index(name) for name in names if done[name] != "INCOMPLETE"), default=-1)
    for name in names[: last + 1]:
        step = chain.step_of(name)
        if done[name] != "INCOMPLETE" or (name in todo and not step.works_on_strips):
            continue
        fate = "it runs now, out of its order" if name in todo else "it stays INCOMPLETE"
        yield f"{step.tool} has not run on this file, and later steps have: {fate}"


def check_input(product: Product, resultants: int, chosen: list[str]) -> None:
    """Refuse an input that is not what the first of the steps takes.

    Parameters
    ----------
    product : rtools.products.io.product.Product
        The input.
    resultants : int
        Of its ramp.
    chosen : list of str
        Tool names of the steps, in order.

    Raises
    ------
    InputError
        It is of another kind, or has too few resultants.
    """
    steps = [chain.step_of(name) for name in chosen]
    first = steps[0] if steps else None
    if first is None:
        if product.kind != "l2_image":
            raise InputError("nothing is left to do, and this is not an image", path=product.path)
        return
    if first.reads_ramp and product.kind == "l2_image":
        raise InputError(f"an image; {first.tool} takes a ramp", path=product.path)
    if not first.reads_ramp and product.kind != "l2_image":
        raise InputError(f"a ramp; {first.tool} takes an image", mend="run rt-rampfit first", path=product.path)
    if product.kind == "l1_uncal" and not first.takes_raw:
        raise InputError(f"raw data; {first.tool} takes a ramp", mend="run rt-dqinit first", path=product.path)
    if any(step.fits_ramp for step in steps) and resultants < 2:
        raise InputError("one resultant only: no slope can be fitted", path=product.path)
