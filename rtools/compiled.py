"""numba's decorator for all kernels: what it compiles is kept where a directory for that can be written."""

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
            return _forgiving(numba.njit(**options)(function))
        except RuntimeError:
            if not options.get("cache"):
                raise
            _unkept.append(function.__name__)
            return numba.njit(**options | {"cache": False})(function)

    return decorate


def _forgiving(dispatcher):
    """A compiled function that compiles anew where what is kept of another version cannot be read.

    numba reads the whole index of a function before it compares the age of the source. An index whose argument types
    are classes that have been renamed or moved since then raises an error in every call.
    """
    kept = getattr(getattr(dispatcher, "_cache", None), "_cache_file", None)
    if kept is not None:
        load = kept._load_index

        def load_index():
            try:
                return load()
            except (AttributeError, ImportError):
                return {}

        kept._load_index = load_index
    return dispatcher


def is_kept():
    """Whether the next process finds all that was compiled here."""
    return not _unkept
