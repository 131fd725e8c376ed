"""Association files: the science members of an ``_asn.json``."""

import json
from pathlib import Path

from rtools.errors import InputError

__all__ = ["science_members", "tweakreg_catalogs"]


def science_members(path):
    """Paths of the science exposures that an association names, next to it unless absolute, in order, once each.

    Parameters
    ----------
    path : str or Path
        ``_asn.json`` file.

    Raises
    ------
    InputError
        The file is missing, is not JSON, or has no products with members.
    """
    return [str(path) for path in _members(path)]


def tweakreg_catalogs(path):
    """Paths of the catalogs that an association's members name as ``tweakreg_catalog``, by path of the member.

    Parameters
    ----------
    path : str or Path
        ``_asn.json`` file.

    Returns
    -------
    dict of str to str
    """
    folder, found = Path(path).parent, _members(path)
    return {
        str(name): str(folder / keys["tweakreg_catalog"])
        for name, keys in found.items()
        if keys.get("tweakreg_catalog")
    }


def _members(path):
    """The science members of an association: path to what the association says of it."""
    path = Path(path)
    try:
        content = json.loads(path.read_text())
    except FileNotFoundError:
        raise InputError("no such file", path=path) from None
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise InputError(f"not a JSON association ({' '.join(str(error).split())})", path=path) from None
    try:
        members = [member for product in content["products"] for member in product["members"]]
        science = [member for member in members if member.get("exptype", "science").lower() == "science"]
        found = {path.parent / str(member["expname"]): member for member in science}
    except (KeyError, TypeError, AttributeError):
        raise InputError("not an association: products with members are missing", path=path) from None
    if not found:
        raise InputError("the association has no science members", path=path)
    return found
