"""numba's decorator for all kernels: what it compiles is kept where a directory for that can be written."""

import pickle

import numba

__all__ = ["is_kept", "njit"]

_unkept = []


def njit(**options):
    """Decorator as `numba.njit`, with ``cache=True`` as far as that is possible.

    numba refuses a function outright if neither ``NUMBA_CACHE_DIR`` nor the package nor the user's cache directory can
    be written, as in an installation for all that is used by somebody without a home.

    Parameters
    ----------
    **options
        Of `numba.njit`.

    Returns
    -------
    callable
    """

    def decorate(function):
        try:
            return _taking_no_old_index(numba.njit(**options)(function))
        except RuntimeError:
            if not options.get("cache"):
                raise
            _unkept.append(function.__name__)
            return numba.njit(**options | {"cache": False})(function)

    return decorate


def _taking_no_old_index(dispatcher):
    """A compiled function that compiles again where the index of what was kept cannot be read.

    The index holds the types of the arguments, and numba reads it before it looks whether it is of this source. One that
    an earlier version left names classes that may be gone.
    """
    file = getattr(getattr(dispatcher, "_cache", None), "_cache_file", None)
    load = getattr(file, "_load_index", None)
    if load is None:
        return dispatcher

    def load_index():
        try:
            return load()
        except (AttributeError, ImportError, EOFError, pickle.UnpicklingError):
            return {}

    file._load_index = load_index
    return dispatcher


def is_kept():
    """Whether the next process finds all that was compiled here."""
    return not _unkept
