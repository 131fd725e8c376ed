"""Outputs of a run that may not be written: what exists stays, unless it is what a killed run of the same left."""

from pathlib import Path

from rtools.errors import RtoolsError
from rtools.products.forms import history_of

__all__ = ["refuse_existing"]

COMPANIONS = ("cat", "segm", "wcs")
"""Products beside the main one, which appear before it."""


def refuse_existing(outputs, main, request, inputs):
    """Refuse outputs that exist.

    A companion whose main product is missing is what a killed run left, if its own history says that the same tool
    made it of the same inputs: it may be replaced.

    Parameters
    ----------
    outputs : dict of str to Path
        By suffix.
    main : str
        Suffix of the main product.
    request : rtools.pipeline.exposure.plan.Request or rtools.pipeline.mosaic.plan.Request
        Its `tool` and `overwrite`.
    inputs : sequence of str
        What the history of the products will name.

    Returns
    -------
    list of str
        One text about files that will be replaced, if there are any.

    Raises
    ------
    RtoolsError
        A file exists, or a directory has its name.
    """
    replaced = []
    for suffix, path in outputs.items():
        if path.is_dir():
            raise RtoolsError("a directory", path=path)
        if request.overwrite or not path.exists():
            continue
        left = suffix in COMPANIONS and suffix != main and not outputs[main].exists()
        if not (left and _made_by(path, request.tool, inputs)):
            raise RtoolsError("exists already", mend="--overwrite replaces it", path=path)
        replaced.append(str(path))
    return [f"replaced, because the run that made it was cut off: {', '.join(replaced)}"] if replaced else []


def _made_by(path, tool, inputs):
    """Whether the history of a product says that a tool made it of these inputs."""
    try:
        entry = history_of(path)[-1]
        made_of = [str(name) for name in entry["inputs"]]
        return entry["tool"] == tool and _places(made_of) == _places(inputs)
    except (RtoolsError, LookupError, TypeError):
        return False


def _places(names):
    return [Path(name).resolve() for name in names]
