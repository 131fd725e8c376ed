"""rt-asn for JWST: associations by the mission's rules, made of what headers say."""

import re
from functools import partial
from pathlib import Path
from typing import NamedTuple

import click

from rtools.commands.kit.console import json_line
from rtools.commands.kit.inputs import is_stream
from rtools.commands.kit.outputs import Outputs, deliver
from rtools.errors import InputError, UsageError, with_article

__all__ = ["make_by_rule"]

TARGET = re.compile(r"t?(\d{1,3})")


class RuledExposure(NamedTuple):
    """What rules ask of a file."""

    path: Path
    kind: str
    exptype: str
    program: str
    observation: str
    instrument: str
    detector: str
    optics: str
    target: str


def make_by_rule(asn_type, files, extras, words, where, *, as_json):
    """Make an association of a rule, write it and print its path.

    Parameters
    ----------
    asn_type : str
        A key of `rtools.jwst.associations.ASSOCIATION_RULES`.
    files : sequence of str
        Members, as they were typed.
    extras : mapping of str to sequence of str
        Exptype to files that are members of it by the user's word.
    words : (str or None, str or None)
        --product-name and --target.
    where : tuple
        output, outdir, overwrite, dry_run.
    as_json : bool
        Print an object instead of the path.
    """
    from rtools.jwst.associations import ASSOCIATION_RULES
    from rtools.products import names
    from rtools.products.mosaic.association import stage_association
    from rtools.products.mosaic.jwst_association import make_jwst_association
    from rtools.products.schema import history

    rule, (product_name, target) = ASSOCIATION_RULES[asn_type], words
    number = _target_number(target)
    exposures = _exposures(rule, files, extras)
    _refuse_mixtures(rule, exposures)
    asn_id = _candidate(exposures)
    products = _products(rule, exposures, product_name or _stage3_name(exposures, asn_id, number))
    if product_name and len(products) > 1:
        raise UsageError("--product-name names one product", mend=f"the exposures make {len(products)}")
    now, program = history.now(), exposures[0].program
    told = {"program": program, "asn_id": asn_id, "target": number, "stamp": f"{now:%Y%m%d%H%M%S}"}
    content = make_jwst_association(rule.asn_type, rule.asn_rule, products, **told)
    fields = {"mission": "jwst", "program": program, "asn_candidate": asn_id, "stamp": f"{now:%Y%m%dt%H%M%S}"}
    name = names.build(fields | {"asn_type": asn_type, "counter": "00001", "suffix": "asn", "extension": "json"})
    path = _path(exposures, name, where)
    printed = "-" if path is None else str(path)
    if not where[-1]:
        deliver(path, name, lambda written: stage_association(written, content))
    if as_json:
        status = "planned" if where[-1] else "done"
        listed = [product._asdict() | {"members": [one._asdict() for one in product.members]} for product in products]
        json_line({"outputs": [printed], "status": status, "products": listed})
    elif where[-1]:
        click.echo(f"{len(exposures)} members -> {printed}")
    elif path is not None:
        click.echo(path)


def _target_number(word):
    found = TARGET.fullmatch(word or "t001")
    if found is None:
        raise UsageError(f"--target {word}: the number of a target is expected", mend="t001")
    return f"{int(found[1]):03d}"


def _exposures(rule, files, extras):
    """What headers say of all members, each once."""
    for exptype, given in extras.items():
        if given and exptype not in rule.extras:
            raise UsageError(f"--{exptype} is not for --rule {rule.asn_type}")
    told = dict.fromkeys(files) | {file: exptype for exptype, given in extras.items() for file in given}
    found = [_exposure(rule, file, exptype) for file, exptype in told.items()]
    if not any(one.exptype == "science" for one in found):
        raise InputError("no member is an exposure of the target")
    return found


def _exposure(rule, file, exptype):
    from rtools.jwst.associations import optics_of
    from rtools.products.jwst import open_jwst
    from rtools.products.opening import mission_of

    if is_stream(file):
        raise UsageError("a stream has no name that an association could tell", path=file)
    if mission_of(file) != "jwst":
        raise InputError(f"no exposure of JWST, and --rule {rule.asn_type} is of these", path=file)
    product = open_jwst(file)
    meta = product.meta
    if product.kind not in rule.kinds:
        raise InputError(f"is {with_article(product.kind)}; {rule.asn_type} takes {', '.join(rule.kinds)}", path=file)
    if not rule.takes(meta):
        raise InputError(f"{meta['exposure'].get('type')} is not of {rule.asn_type}", path=file)
    told = meta.get("observation") or {}
    if not told.get("program_number") or not told.get("observation_number"):
        raise InputError("its header does not say program and observation (PROGRAM, OBSERVTN)", path=file)
    instrument = meta.get("instrument") or {}
    return RuledExposure(
        Path(file), product.kind, exptype or _exptype(rule, meta), f"{int(told['program_number']):05d}",
        f"{int(told['observation_number']):03d}", str(instrument.get("name")).lower(),
        str(instrument.get("detector")), optics_of(meta), str((meta.get("target") or {}).get("catalog_name")),
    )  # fmt: skip


def _exptype(rule, meta):
    """What a header says that an exposure is to others."""
    if "psf" in rule.extras and meta["exposure"].get("psf_reference"):
        return "psf"
    if "background" in rule.extras and (meta.get("observation") or {}).get("bkgdtarg"):
        return "background"
    return "science"


def _refuse_mixtures(rule, exposures):
    """Refuse members that no association of the rule has together."""
    same = {"program": "programs", "instrument": "instruments"}
    if not rule.one_by_one:
        same |= {"kind": "kinds of products", "optics": "optical elements or sub-arrays"}
    for field, several in same.items():
        _refuse_several(exposures, field, several)
    if not rule.one_by_one:
        _refuse_several([one for one in exposures if one.exptype == "science"], "target", "targets")


def _refuse_several(exposures, field, several):
    found = {getattr(one, field): one for one in exposures}
    if len(found) > 1:
        raise InputError(f"members of several {several}: {', '.join(sorted(found))}", mend="make one of each")


def _candidate(exposures):
    """Candidate of an association: its observation, or a number for what several together are."""
    observations = {one.observation for one in exposures if one.exptype == "science"}
    return f"o{observations.pop()}" if len(observations) == 1 else "a3001"


def _stage3_name(exposures, asn_id, number):
    first = next(one for one in exposures if one.exptype == "science")
    tail = f"_{first.optics}" if first.optics else ""
    return f"jw{first.program}-{asn_id}_t{number}_{first.instrument}{tail}"


def _products(rule, exposures, name):
    """One product of all, or one of each exposure with the backgrounds of its detector and optics."""
    from rtools.products import names
    from rtools.products.mosaic.jwst_association import JwstAssociationMember, JwstAssociationProduct

    def member(one):
        return JwstAssociationMember(one.path.name, one.exptype)

    if not rule.one_by_one:
        return [JwstAssociationProduct(name, tuple(map(member, exposures)))]
    made = []
    others = [one for one in exposures if one.exptype != "science"]
    alike = partial(_alike, others)
    for one in exposures:
        if one.exptype == "science":
            root = names.split_suffix(one.path.name)[0]
            made.append(JwstAssociationProduct(root, tuple(map(member, [one, *alike(one)]))))
    roots = [product.name for product in made]
    twice = next((root for root in roots if roots.count(root) > 1), None)
    if twice:
        raise InputError(f"several members are of {twice}", mend="give its rate or its rateints")
    return made


def _alike(others, one):
    """Those of the other members that show what an exposure has beside its target."""
    found = [other for other in others if (other.detector, other.optics) == (one.detector, one.optics)]
    if others and not found:
        raise InputError(f"no background is of {one.detector} and {one.optics}", path=one.path)
    return found


def _path(exposures, name, where):
    """Path of the association, beside its members; None for standard output."""
    output, outdir, overwrite, dry_run = where
    folders = {one.path.absolute().parent.resolve() for one in exposures}
    if len(folders) > 1:
        raise UsageError("members lie beside an association, and these are in several directories")
    folder = exposures[0].path.parent
    outputs = Outputs(output, outdir or (None if output else folder), overwrite=overwrite, inputs=[], dry_run=dry_run)
    path = outputs.path(str(exposures[0].path), name)
    if path is not None and path.absolute().parent.resolve() not in folders:
        raise UsageError(f"members lie beside an association, and these are in {folder}")
    return path
