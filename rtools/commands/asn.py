"""rt-asn: makes and checks associations: files that belong together, and the name of what is made of them."""

import os
import re
from functools import partial
from pathlib import Path

import click

from rtools.commands.asn_reading import check_files, print_members
from rtools.commands.kit import options
from rtools.commands.kit.console import json_line
from rtools.commands.kit.entry import entry
from rtools.commands.kit.inputs import is_association, local_path, opened
from rtools.commands.kit.lists import expand_inputs
from rtools.commands.kit.loop import for_each
from rtools.commands.kit.missions import mission_option
from rtools.commands.kit.outputs import Outputs, deliver
from rtools.commands.kit.tool import tool, typed
from rtools.errors import InputError, UsageError
from rtools.wfi.mosaics import PRODUCT_TYPES

__all__ = ["command", "main"]

RULES = ("image2", "image3", "tso3", "coron3", "spec3", "ami3")

OF_JWST = re.compile(r"jw\d{5}")

MAKING = ("product_name", "target", "release", "psf_match", "catalogs", "output", "outdir", "overwrite", "dry_run")
"""Options, by the names of their parameters, that mean nothing where associations are read."""

DESCRIPTION = """\
Files are arguments, lists (@list, @-) or, for -, one a line on standard input; an association among them stands for its
science members. Four kinds of associations are made:

plain: of all files, in their order; --product-name or -o says the name. The files are not opened and may still be
missing.

--skycell: one for each skycell that the images touch, for each filter, and for each visit (--product-type pass or full:
for each pass, or for all of a program). Images need a WCS. Names are the archive's; prompt products (--release p, the
default) are made of visits, data releases (r1 …) of passes and programs, or of all the given images of a program
(--subset 2: subset s2). Spectra and calibration exposures are left out with a warning.

--multiband: one for each set of coadds whose names differ by filter only.

--rule: one of exposures of JWST, by a rule of the mission. Headers say program, observation, instrument, optical
elements and sub-array, and so the names; exposures of the background (BKGDTARG) and of reference stars (IS_PSF) are
members of these types, as are those of --background and --psf. image2 has a product for each exposure, with the
backgrounds of its detector; the others have one product of all. What no rule has together is refused. Members lie
beside the association.

Members are written relative to the association unless they are absolute. --check prints nothing but errors and
warnings about associations: exit status 1 if there are errors, 3 if a file cannot be read. --members prints paths of
the science members of associations, one a line; with --json all that they say."""


@tool(
    "rt-asn",
    summary="Associations: make them of files, by skycell, across filters; check them.",
    description=DESCRIPTION,
    examples=(
        "rt-asn a_cal.asdf b_cal.asdf --product-name field1",
        "rt-asn --skycell r0000101001001001001_*_cal.asdf --outdir asn",
        "ls *_cal.asdf | rt-asn - --product-type full --release r1 --cell 270p65x69y51",
        "rt-asn --multiband r00001_r1_full_*_coadd.asdf",
        "rt-asn --rule image2 jw01234001001_*_rate.fits --background @sky.txt",
        "rt-asn --check *_asn.json",
        "rt-asn --members X_asn.json | xargs rt-info",
    ),
    no_args_is_help=True,
)
@click.argument("exposures", nargs=-1, metavar="EXPOSURE…")
@click.option("--product-name", metavar="NAME", help="Plain: of the mosaic; default from -o.")
@click.option("--target", metavar="TARGET", help="Plain: a target; of a skycell its grid is written, too.")
@click.option("--skycell", is_flag=True, help="By skycell and filter.")
@click.option("--product-type", type=click.Choice(PRODUCT_TYPES), help="By skycell: what a mosaic is made of.  [visit]")
@click.option("--cell", "cells", multiple=True, metavar="NAME", help="By skycell: only this one; repeatable.")
@click.option("--subset", type=click.IntRange(1, 9999), metavar="N", help="By skycell: an arbitrary subset sN.")
@click.option("--multiband", is_flag=True, help="Coadds of several filters.")
@mission_option("jwst", "--rule", type=click.Choice(RULES), help="By a rule of the mission.")
@mission_option(
    "jwst", "--background", multiple=True, metavar="FILE", help="A member of background, or @LIST; repeatable."
)
@mission_option("jwst", "--psf", multiple=True, metavar="FILE", help="A reference star, or @LIST; repeatable.")
@click.option("--release", metavar="ID", help="Data release: p, r1, r1-ultradeep …  [p, or that of the coadds]")
@click.option("--psf-match", metavar="FILTER", help="Filter to which a multiband catalog matches the others.")
@click.option("--catalogs", is_flag=True, help="Name the catalog beside each member, for the alignment.")
@click.option("--check", is_flag=True, help="Check associations.")
@click.option("--members", is_flag=True, help="Read associations.")
@options.named_outputs("json")
@options.json_output
def command(console, exposures, product_name, target, skycell, product_type, cells, subset, multiband, rule,
            background, psf, release, psf_match, catalogs, check, members, output, outdir, overwrite, dry_run,
            as_json):  # fmt: skip
    by_cell = bool(skycell or product_type or cells or subset)
    if by_cell + multiband + bool(rule) + check + members > 1:
        ways = "--skycell (with --product-type, --cell, --subset), --multiband, --rule, --check and --members"
        raise UsageError(f"{ways} exclude each other")
    _refuse_other_mission(rule)
    if target and (by_cell or multiband):
        raise UsageError("--target is for plain associations")
    if product_name and by_cell:
        raise UsageError("--product-name names one product")
    if by_cell and typed("psf_match"):
        raise UsageError("--psf-match is for multiband catalogs, and these are of one filter each")
    if multiband and typed("catalogs"):
        raise UsageError("--catalogs is for the alignment of images, and these are mosaics")
    vain = [key for key in MAKING if typed(key)] if check or members else []
    if vain:
        raise UsageError(f"--{vain[0].replace('_', '-')} is for associations that are made")
    _refuse_words(psf_match, release, product_name)
    files = list(dict.fromkeys(expand_inputs("@-" if name == "-" else name for name in exposures)))
    if not files:
        raise UsageError("no files")
    if check or members:
        return (check_files if check else print_members)(console, files, as_json=as_json)
    files = _unfolded(console, files)
    if rule:
        from rtools.commands.asn_jwst import make_by_rule

        extras = {"background": expand_inputs(background), "psf": expand_inputs(psf)}
        where = output, outdir, overwrite, dry_run
        make_by_rule(rule, files, extras, (product_name, target), where, as_json=as_json)
        return 0
    _refuse_jwst(files)
    if by_cell:
        from rtools.mosaic.skymap import grouping

        product_type = product_type or ("visit" if subset is None else "full")
        grouped = partial(grouping.by_skycell, product_type=product_type, release=release or "p", subset=subset)
        made, status = _by_cell(console, files, cells, grouped)
    elif multiband:
        made, status = _multiband(files, product_name, release, psf_match), 0
    else:
        made, status = [_plain(files, product_name or _product_of(output), target, release)], 0
    if status:
        console.log("error", "nothing is written")
        return status
    if not made:
        raise InputError(
            f"no associations: no image {'touches these cells' if cells else 'of the sky among the files'}"
        )
    extra = {"psf_match": None if by_cell else psf_match, "catalogs": catalogs and not multiband}
    _write(made, extra, (output, outdir, overwrite, dry_run), as_json=as_json)
    return 0


def _refuse_other_mission(rule):
    """Refuse options that are about associations of the other mission."""
    for key in ("release", "psf_match", "catalogs") if rule else ("background", "psf"):
        if typed(key):
            other = "is not for --rule" if rule else "goes with --rule"
            raise UsageError(f"--{key.replace('_', '-')} {other}")


def _refuse_jwst(files):
    """Exposures of JWST have rules of their own."""
    found = next((file for file in files if OF_JWST.match(Path(file).name)), None)
    if found is not None:
        raise UsageError("associations of JWST are made by the mission's rules", mend="use --rule", path=found)


def _refuse_words(psf_match, release, product_name):
    """Refuse words that are not a valid filter, data release, or name of a product."""
    from rtools.products.mosaic.association import is_product_name
    from rtools.products.names.parsing import ELEMENTS

    filters = [element for element in ELEMENTS if element.startswith("f")]
    if psf_match and psf_match.lower() not in filters:
        raise UsageError(f"--psf-match {psf_match}: not a valid filter", mend=f"one of {' '.join(filters)}")
    if product_name and not is_product_name(product_name):
        raise UsageError(f"--product-name {product_name}: a name without directories is expected", mend="see --outdir")
    if release and not re.fullmatch(r"p|r[1-9]\d*(-[a-z0-9]+)?", release):
        raise UsageError(f"--release {release}: not a valid data release", mend="p, r1, r1-ultradeep …")


def _unfolded(console, files):
    """Files, each once, associations replaced by their science members."""
    from rtools.products.mosaic.association import science_members

    found = {}
    for file in files:
        for name in science_members(local_path(file), console.log) if is_association(file) else [file]:
            found.setdefault(os.path.abspath(name), name)
    return list(found.values())


def _product_of(output):
    """Name of the product of an association of this name."""
    if output in (None, "-"):
        raise UsageError("the product has no name", mend="give --product-name, or -o NAME_asn.json")
    return Path(output).stem.removesuffix("_asn")


def _plain(files, product, target, release):
    """The one association of some files: what `make_association` takes."""
    from rtools.mosaic.skymap import skymap

    parsed = [_name(file) for file in files]
    if len({name.level for name in parsed if name and name.level}) > 1:
        raise InputError("files of several levels", mend="an association is of one")
    programs = {name.program if name else None for name in parsed}
    cell = skymap.parse_name(target) if target and skymap.is_name(target) else None
    grid = skymap.wcs_info(cell) if cell else None
    settings = {
        "program": programs.pop() if len(programs) == 1 else None,
        "release": release or "p",
        "target": grid["name"] if grid else target,
        "grid": grid,
    }
    return product, files, settings


def _name(file):
    """The parsed name of a file, None where it is not the archive's."""
    from rtools.products import names

    try:
        return names.parse(file, lenient=True, mission="roman")
    except names.InvalidName:
        return None


def _by_cell(console, files, cells, grouped):
    """The associations of images by skycell, and the exit status; `grouped` makes groups of exposures."""
    from rtools.mosaic.skymap import skymap

    wanted = {skymap.parse_name(name) for name in cells}
    grouped([])  # refuses what does not go together before files are read
    exposures = []

    def look(file):
        exposure = _exposure(console, file)
        if exposure:
            inside = tuple(cell for cell in exposure.cells if cell in wanted or not wanted)
            exposures.append(exposure._replace(cells=inside))

    status = for_each(console, files, look)
    return [_made(group) for group in grouped(exposures)], status


def _exposure(console, file):
    """What grouping needs of an image; None, with a warning, for what no mosaic is made of."""
    from rtools.commands.skymap import footprint_of
    from rtools.mosaic.skymap.grouping import DetectorImage
    from rtools.mosaic.skymap.match import cells_touching
    from rtools.wfi import metadata
    from rtools.wfi.exposure_types import SKY_IMAGE_TYPES

    with opened(file, ("l2_image",)) as product:
        meta = product.meta
        metadata.require(meta, "exposure.type", "instrument.optical_element", path=file)
        kind = meta["exposure"]["type"]
        if kind not in SKY_IMAGE_TYPES:
            console.log("warning", f"{file}: {kind}, left out")
            return None
        name = _name(file)
        visit = name.visit_id if name and name.visit_id else str(metadata.get(meta, "observation.visit_id"))
        if len(visit) != 19 or not visit.isdecimal():
            raise InputError("neither its name nor meta.observation.visit_id says the visit", path=file)
        element = meta["instrument"]["optical_element"].lower()
        return DetectorImage(file, visit, element, tuple(cells_touching(*footprint_of(product))))


def _multiband(files, product_name, release, psf_match):
    """The associations of coadds of several filters."""
    from rtools.mosaic.skymap import grouping

    parsed = {}
    for file in files:
        parsed[file] = _name(file)
        if parsed[file] is None or parsed[file].suffix != "coadd":
            raise InputError("not a name of a coadd", mend="rt-name --check says why", path=file)
        if release and not product_name:
            raise UsageError("--release is that of the coadds' names", mend="or give --product-name")
    groups = grouping.multiband(parsed)
    if product_name and len(groups) > 1:
        raise UsageError("--product-name names one product", mend=f"the coadds make {len(groups)}")
    for group in groups:
        elements = [parsed[file].element for file in group.files]
        twice = [file for file, element in zip(group.files, elements, strict=True) if elements.count(element) > 1]
        if twice:
            raise InputError(f"another coadd of the same filter as {twice[0]}", path=twice[1])
        if psf_match and psf_match.lower() not in elements:
            raise UsageError(
                f"--psf-match {psf_match}: no coadd is in this filter", mend=f"there are {' '.join(elements)}"
            )
    return [_made(group, product_name, release) for group in groups]


def _made(group, product_name=None, release=None):
    """Product, files and settings of a group."""
    from rtools.mosaic.skymap import skymap
    from rtools.products import names

    fields = {key: getattr(group, key) for key in ("program", "release", "subset", "element")}
    try:
        product = product_name or names.build(fields | {"skycell": group.cell, "suffix": "asn"}).removesuffix(
            "_asn.json"
        )
    except names.InvalidName as error:
        mend = None if group.element else "give --product-name"
        raise UsageError(f"the archive has no such product: {error}", mend=mend) from None
    grid = skymap.wcs_info(skymap.parse_name(group.cell))
    settings = {"program": group.program, "release": release or group.release, "target": grid["name"], "grid": grid}
    return product, group.files, settings | {"asn_type": "image"}


def _write(made, extra, where, *, as_json):
    """Write associations, print their paths."""
    output, outdir, overwrite, dry_run = where
    if output and len(made) > 1:
        raise UsageError(f"-o names one output, there are {len(made)}", mend="use --outdir")
    if output == "-" and as_json:
        raise UsageError("--json and -o - both want standard output")
    outdir = outdir or ("." if output is None else None)
    outputs = Outputs(output, outdir, overwrite=overwrite, inputs=[], dry_run=dry_run)
    planned = [(outputs.path(product, f"{product}_asn.json"), product, *rest) for product, *rest in made]
    for path, product, files, settings in planned:
        name = "-" if path is None else str(path)
        if not dry_run:
            content = _content(path, product, files, settings | extra)
            deliver(path, f"{product}_asn.json", partial(_staged, content))
        if as_json:
            status = "planned" if dry_run else "done"
            json_line({"outputs": [name], "status": status, "product": product, "members": list(files)})
        elif dry_run:
            click.echo(f"{len(files)} members -> {name}")
        elif path is not None:
            click.echo(path)


def _staged(content, path):
    from rtools.products.mosaic.association import stage_association

    return stage_association(path, content)


def _content(path, product, files, settings):
    """What is written: members as the association's directory sees them."""
    from rtools.products.mosaic.association import AssociationMember, make_association

    folder = os.path.abspath(path.parent if path else ".")
    catalogs = settings.pop("catalogs")
    members = []
    for file in files:
        seen = file if os.path.isabs(file) else os.path.relpath(file, folder)
        members.append(AssociationMember(seen, tweakreg_catalog=_catalog(seen) if catalogs else None))
    return make_association(product, members, **settings)


def _catalog(file):
    """The catalog beside a file."""
    from rtools.products.names import split_suffix

    return os.path.join(os.path.dirname(file), f"{split_suffix(file)[0]}_cat.parquet")


main = entry(command)
