"""Associations among the inputs: what they name, of either mission, as far as it is there."""

from contextlib import suppress
from pathlib import Path

from rtools.commands.kit.inputs import is_association, is_stream, local_path
from rtools.errors import InputError, RtoolsError

__all__ = ["association_of", "folder_of", "members_in", "missions_of_inputs", "refuse_association"]


def folder_of(name):
    """The directory in which the members of an association lie: its own; those of a stream in the working directory.

    Parameters
    ----------
    name : str
        The association, as it was typed.

    Returns
    -------
    Path
    """
    return Path() if is_stream(name) else Path(name).parent


def association_of(name):
    """What an association says of its first product; a member of JWST that is not there is what it can be made of.

    Parameters
    ----------
    name : str
        The association, as it was typed.

    Returns
    -------
    rtools.products.mosaic.association.Association

    Raises
    ------
    InputError
        It is none.
    """
    from rtools.pipeline.jwst.association import mosaic_of
    from rtools.products.mosaic.association import content_of, read_association
    from rtools.products.mosaic.jwst_association import is_of_jwst

    path = local_path(name)
    if not is_of_jwst(content_of(path)):
        return read_association(path)
    found = mosaic_of(path, folder_of(name))
    return found._replace(path=name) if is_stream(name) else found  # products say it


def members_in(name, log=lambda level, text: None):
    """Paths of the science members of an association's first product, once each.

    Parameters
    ----------
    name : str
        The association, as it was typed.
    log : callable
        ``log(level, text)``; told of further products.

    Returns
    -------
    list of str

    Raises
    ------
    InputError
        It is none, or has no such members.
    """
    association = association_of(name)
    if not association.science:
        raise InputError("the association has no science members", path=association.path)
    if association.products > 1:
        log("warning", f"{name}: only the first of its {association.products} products counts")
    return list(dict.fromkeys(member.path for member in association.science))


def refuse_association(name):
    """Refuse an association where files are taken.

    Parameters
    ----------
    name : str
        As it was typed.

    Raises
    ------
    InputError
        It is for rt-run.
    """
    raise InputError("an association, which rt-run takes", path=name)


def missions_of_inputs(inputs):
    """Missions of which there are inputs.

    Parameters
    ----------
    inputs : sequence of str
        As they were typed; an association counts by its members.

    Returns
    -------
    set of str
    """
    from rtools.products.opening import mission_of

    found = set()
    for name in inputs:
        with suppress(RtoolsError):  # told where the input is planned
            found |= {mission_of(file) for file in (members_in(name) if is_association(name) else [local_path(name)])}
    return found or {"roman"}
