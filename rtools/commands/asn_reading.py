"""rt-asn on associations that exist: what is wrong with them, what they say."""

from contextlib import suppress

import click

from rtools.commands.kit.console import json_line
from rtools.commands.kit.inputs import local_path
from rtools.commands.kit.loop import for_each
from rtools.errors import InputError
from rtools.pipeline.job.status import shared_status

__all__ = ["check_files", "print_members"]


def check_files(console, files, *, as_json):
    """Check associations; returns the exit status: 1 if one has errors."""
    from rtools.mosaic.skymap.agreement import disagreements
    from rtools.products.mosaic.association import read_association
    from rtools.products.mosaic.association_check import check_association

    failed = []

    def check(file):
        path = local_path(file)
        errors, warnings = check_association(path)
        with suppress(InputError):  # its errors are told already
            found = read_association(path)
            warnings += disagreements(found.skycell_wcs_info) if found.skycell_wcs_info else _about_target(found.target)
        for text in errors:
            console.log("error", f"{file}: {text}")
        for text in warnings:
            console.log("warning", f"{file}: {text}")
        failed.extend([file] * bool(errors))
        if as_json:
            status = "failed" if errors else "done"
            json_line({"file": file, "status": status, "errors": errors, "warnings": warnings})

    status = for_each(console, files, check, report=json_line if as_json else None)
    return shared_status(status, int(bool(failed)))


def _about_target(target):
    """What is wrong with a target that looks like a skycell."""
    from rtools.mosaic.skymap import skymap

    if target and skymap.is_name(target):
        try:
            skymap.parse_name(target)
        except InputError as error:
            return [f"target {error}"]
    return []


def print_members(console, files, *, as_json):
    """Print what associations say; returns the exit status."""
    from rtools.products.mosaic.association import content_of, read_association
    from rtools.products.mosaic.jwst_association import is_of_jwst

    def show(file):
        path = local_path(file)
        if is_of_jwst(content_of(path)):
            _print_jwst_members(file, path, as_json=as_json)
            return
        found = read_association(path)
        if as_json:
            said = _without_path(found) | {"members": [member._asdict() for member in found.members]}
            json_line({"file": file, "status": "done"} | said)
        else:
            for member in found.science:
                click.echo(member.path)

    return for_each(console, files, show, report=json_line if as_json else None)


def _print_jwst_members(file, path, *, as_json):
    """Print the science members of all products, or all that the file says."""
    from rtools.products.mosaic.jwst_association import beside, read_jwst_association

    found = read_jwst_association(path)
    if as_json:
        products = [
            product._asdict() | {"members": [member._asdict() for member in product.members]}
            for product in found.products
        ]
        json_line({"file": file, "status": "done"} | _without_path(found) | {"products": products})
        return
    for name in dict.fromkeys(name for product in found.products for name in product.of("science")):
        click.echo(beside(path, name))


def _without_path(found):
    return {key: value for key, value in found._asdict().items() if key != "path"}
