"""What is wrong or doubtful about an association and its members."""

from pathlib import Path

from rtools.products import names
from rtools.products.mosaic.association import content_of, problems, read_association
from rtools.products.mosaic.jwst_association import is_of_jwst
from rtools.products.mosaic.jwst_association_check import check_jwst_association

__all__ = ["check_association"]


def check_association(path: str | Path) -> tuple[list[str], list[str]]:
    """Check an association: its schema, its name, its members by their names and whether they are there.

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
    content = content_of(path)
    if is_of_jwst(content):
        return check_jwst_association(path)
    errors = problems(content)
    if errors:
        return errors, []
    found = read_association(path)
    warnings = _about_name(found)
    if found.products > 1:
        warnings.append(f"{found.products} products, of which only the first is ever made")
    if not found.science:
        errors.append("no science members")
    files = [member.path for member in found.members]
    errors += [f"{file} is listed {files.count(file)} times" for file in dict.fromkeys(files) if files.count(file) > 1]
    errors += [f"member {file} is not there" for file in dict.fromkeys(files) if not Path(file).exists()]
    catalogs = [member.tweakreg_catalog for member in found.members if member.tweakreg_catalog]
    errors += [f"catalog {file} is not there" for file in catalogs if not Path(file).exists()]
    others = [member.exptype for member in found.members if member.exptype != "science"]
    if others:
        warnings.append(
            f"{len(others)} members are not science and left out of mosaics: {' '.join(sorted(set(others)))}"
        )
    mixed, doubtful = _about_members(found)
    return errors + mixed, warnings + doubtful


def _about_name(found):
    """Where the file, its product's name and its fields say different things."""
    if found.name is None:
        return ["its product has no name: mosaics of it need -o"]
    warnings = []
    if f"{found.name}_asn.json" != Path(found.path).name:
        warnings.append(f"its product {found.name} would make it {found.name}_asn.json")
    try:
        name = names.parse(f"{found.name}_asn.json", mission="roman")
    except names.InvalidName as error:
        return [*warnings, f"{found.name} is not a name of the archive's: {str(error).splitlines()[0]}"]
    stated = {"program": found.program, "release": found.release, "skycell": found.target}
    for field, value in stated.items():
        if value not in (None, "noprogram", name[field]):
            warnings.append(f"its {field} is {value}, its product's name says {name[field]}")
    if name.skycell and found.target is None:
        warnings.append(f"it has no target, its product's name says {name.skycell}")
    return warnings


def _about_members(found):
    """What science members may not, and what they should not, have mixed; by their names."""
    parsed = []
    for member in found.science:
        try:
            parsed.append(names.parse(Path(member.path).name, lenient=True, mission="roman"))
        except names.InvalidName:
            continue
    levels = {name.level for name in parsed if name.level}
    errors = [f"members of several levels: {' '.join(sorted(levels))}"] if len(levels) > 1 else []
    elements = {name.element for name in parsed if name.element}
    single = levels <= {"L1", "L1-L2", "L2"}
    warnings = [f"members of several elements: {' '.join(sorted(elements))}"] if len(elements) > 1 and single else []
    programs = {name.program for name in parsed if name.program}
    if found.program and found.program != "noprogram" and programs - {found.program}:
        warnings.append(f"its program is {found.program}, members are of {' '.join(sorted(programs))}")
    return errors, warnings
