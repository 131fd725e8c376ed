"""Whether the values of metadata can be (`rtools.products.quantities`): one finding a key."""

from rtools.products import metadata
from rtools.products.findings import error, warning
from rtools.products.quantities import PLACEHOLDERS, QUANTITIES, problem

__all__ = ["check_values"]


def check_values(meta):
    """Values that nobody filled in, and values that cannot be.

    Parameters
    ----------
    meta : dict
        Below ``meta``.

    Yields
    ------
    Finding
        A warning for a placeholder of the archive, which the schemas allow; an error for any other value that cannot
        be.
    """
    for key in QUANTITIES:
        value = metadata.get(meta, key)
        found = None if value is None else problem(key, value)
        if found:
            made = warning if value in PLACEHOLDERS else error
            yield made("values", f"meta.{key}", found.removeprefix(f"meta.{key} is "))
