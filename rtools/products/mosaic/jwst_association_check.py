"""What is wrong or doubtful about an association of JWST and its members."""

from pathlib import Path

from rtools.errors import InputError
from rtools.products import names
from rtools.products.mosaic.association import content_of
from rtools.products.mosaic.jwst_association import beside, file_of_member, jwst_problems, read_jwst_association

__all__ = ["check_jwst_association"]

EXPTYPES = ("science", "background", "psf", "sourcecat", "segmap", "direct_image", "imprint", "target_acquisition")


def check_jwst_association(path: str | Path) -> tuple[list[str], list[str]]:
    """Check an association of JWST: its schema, its name, its members by their names and whether they are there.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    (list of str, list of str)
        Errors and warnings, one line each.

    Raises
    ------
    InputError
        It cannot be read, or is not JSON.
    """
    errors = jwst_problems(content_of(path))
    if errors:
        return errors, []
    found = read_jwst_association(path)
    warnings = _about_name(found)
    for product in found.products:
        called = product.name or "without a name"
        if not product.of("science"):
            errors.append(f"product {called}: no science members")
        listed = [member.name for member in product.members]
        errors += [
            f"product {called}: {name} is listed {listed.count(name)} times"
            for name in dict.fromkeys(listed)
            if listed.count(name) > 1
        ]
        strange = sorted({member.exptype for member in product.members} - set(EXPTYPES))
        warnings += [f"product {called}: {kind} is no exptype of the mission" for kind in strange]
    for name in dict.fromkeys(member.name for product in found.products for member in product.members):
        _look_for(path, name, errors, warnings)
    return errors, warnings


def _look_for(path, name, errors, warnings):
    try:
        file = beside(path, name)
    except InputError as error:
        errors.append(error.message)
        return
    if file.exists():
        return
    earlier = file_of_member(file.parent, name)
    if earlier.exists():
        warnings.append(f"member {name} is not there; {earlier.name} is, of which it can be made")
    else:
        errors.append(f"member {name} is not there")


def _about_name(found):
    """Where the file's name and its fields say different things."""
    try:
        name = names.parse(Path(found.path).name, mission="jwst")
    except names.InvalidName as error:
        return [f"not a name of the mission's: {str(error).splitlines()[0]}"]
    stated = {"program": found.program, "asn_candidate": found.asn_id, "asn_type": found.asn_type}
    return [
        f"its {field} is {value}, its name says {name[field]}"
        for field, value in stated.items()
        if value is not None and value != name[field]
    ]
