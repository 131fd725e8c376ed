"""Association files: the science members of an ``_asn.json``."""

import json
from pathlib import Path

from rtools.errors import InputError

__all__ = ["science_members"]


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
    path = Path(path)
    try:
        content = json.loads(path.read_text())
    except FileNotFoundError:
        raise InputError("no such file", path=path) from None
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise InputError(f"not a JSON association ({' '.join(str(error).split())})", path=path) from None
    try:
        members = [member for product in content["products"] for member in product["members"]]
        names = [str(member["expname"]) for member in members if member.get("exptype", "science").lower() == "science"]
    except (KeyError, TypeError, AttributeError):
        raise InputError("not an association: products with members are missing", path=path) from None
    if not names:
        raise InputError("the association has no science members", path=path)
    return [str(path.parent / name) for name in dict.fromkeys(names)]
