"""numba's decorator for all kernels: what it compiles is kept where a directory for that can be written.

Code of other kernels, and the values of constants, are compiled into the kernel that names them. numba asks for the
source of this kernel alone when it decides whether what it kept is still true. Here a kept kernel also depends on the
modules that its own module imports from the package, on those that they import, and so on.

numba is imported when the first kernel is defined: many tools have none.
"""

import hashlib
import os
import re
import sys
from contextlib import contextmanager
from functools import cache
from importlib.util import resolve_name
from pathlib import Path

__all__ = ["heard", "is_kept", "njit"]

_IMPORT = re.compile(r"^(?:from|import) +([\w.]+)(?: +import +(\([^)]*\)|.*))?", re.MULTILINE)
"""An import at the head of a module, where it is always carried out: the module, and the names taken from it."""

PLACES = "_locator_classes"
"""What numba calls the list of places that it tries, in one of its classes."""

PLACE = "NUMBA_CACHE_DIR"
"""Variable of the environment that names the directory of what is kept."""

_unkept = []
_hearing = []

if os.environ.get(PLACE):  # as it was named where this process has been started, also when it works elsewhere later
    os.environ[PLACE] = os.path.abspath(os.environ[PLACE])


@cache
def _numba():
    """The library, which tells those who want to hear of it when it compiles."""
    import numba
    from numba.core import event

    class Listener(event.Listener):
        def on_start(self, _event):
            for hear in tuple(_hearing):
                hear()

        def on_end(self, _event):
            pass

    if numba.config.CACHE_DIR:
        numba.config.CACHE_DIR = os.environ[PLACE] = os.path.abspath(numba.config.CACHE_DIR)
    event.register("numba:compile", Listener())
    return numba


@contextmanager
def heard(hear):
    """Have a function called whenever the compilation of a kernel begins.

    Parameters
    ----------
    hear : callable
        Takes nothing.

    Yields
    ------
    None
        As long as the context lasts.
    """
    _hearing.append(hear)
    try:
        yield
    finally:
        _hearing.remove(hear)


def njit(**options):
    """Decorator as `numba.njit`, with ``cache=True`` as far as that is possible.

    numba refuses a function outright if neither ``NUMBA_CACHE_DIR`` nor the package nor the user's cache directory can
    be written, as in an installation for all that is used by somebody without a home. What was compiled there
    beforehand (``rt compile``) is read all the same, also by a user who has a cache directory of his own.

    Parameters
    ----------
    **options
        Of `numba.njit`.

    Returns
    -------
    callable
    """

    def decorate(function):
        numba = _numba()
        try:
            with _prepared_read():
                return _forgiving(numba.njit(**options)(function))
        except RuntimeError:
            if not options.get("cache"):
                raise
            _unkept.append(function.__name__)
            return numba.njit(**options | {"cache": False})(function)

    return decorate


@contextmanager
def _prepared_read():
    """Let numba also take what lies in directories that cannot be written, behind each place that it tries to write."""
    from numba.core import caching

    holder = next((each for each in caching.CompileResultCacheImpl.__mro__ if PLACES in vars(each)), None)
    if holder is None:  # a numba that keeps its list elsewhere
        yield
        return
    known = getattr(holder, PLACES)
    setattr(holder, PLACES, [each for place in known for each in (place, *_prepared(place))])
    try:
        yield
    finally:
        setattr(holder, PLACES, known)


@cache
def _prepared(place):
    """The locator of a directory of numba's that is only read; none for those that are of one user or session."""
    if place.__name__.lstrip("_") not in ("UserProvidedCacheLocator", "InTreeCacheLocator"):
        return ()

    class Prepared(place):
        is_prepared = True

        def ensure_cache_path(self):
            index = f"{Path(self._py_file).stem}.*-{self._lineno}.py*.nbi"
            if not any(Path(self.get_cache_path()).glob(index)):
                raise FileNotFoundError(self.get_cache_path())

    return (Prepared,)


def _forgiving(dispatcher):
    """A compiled function that compiles anew where what is kept of another version cannot be read, or is out of date.

    numba reads the whole index of a function before it compares the source. An index whose argument types are classes
    that have been renamed or moved since then raises an error in every call.
    """
    kept = getattr(getattr(dispatcher, "_cache", None), "_cache_file", None)
    if kept is not None:
        if hasattr(dispatcher._cache._impl.locator, "is_prepared"):
            _unkept.append(dispatcher.py_func.__name__)
            dispatcher._cache.save_overload = lambda _signature, _compiled: None
        load = kept._load_index

        def load_index():
            try:
                return load()
            except (AttributeError, ImportError):
                return {}

        kept._load_index = load_index
        kept._source_stamp = (kept._source_stamp, _stamp(dispatcher.py_func.__module__))
        key = dispatcher._cache._index_key
        dispatcher._cache._index_key = lambda sig, codegen: (key(sig, codegen), _fields(getattr(sig, "args", sig)))
    return dispatcher


def _fields(types):
    """Fields of the named tuples among types of arguments: numba knows the class by its name, and its fields by place.

    A kernel need not import the classes of its arguments.
    """
    inner = [(getattr(each, "instance_class", None), getattr(each, "types", ())) for each in types]
    return tuple((getattr(named, "_fields", ()), _fields(parts)) for named, parts in inner)


@cache
def _stamp(name):
    """Digest of the sources of a module and of all that it imports from its package, directly or not.

    It is taken while the module is loaded, so that the code in memory and the source are of one age.
    """
    digest, modules = hashlib.sha256(), [name]
    for each in modules:  # grows on the way
        source = _source(each)
        digest.update(source)
        modules += [other for other in _imported(each, source.decode(errors="replace")) if other not in modules]
    return digest.hexdigest()


@cache
def _source(name):
    """Bytes of the source of a loaded module, in a zip file, too; none where it has no source."""
    module = sys.modules.get(name)
    try:
        return module.__loader__.get_data(module.__file__)
    except (AttributeError, OSError):
        return b""


def _imported(name, source):
    """Names of the modules of its own package that a loaded module imports at its head, in order, each once."""
    found = {}
    for origin, names in _IMPORT.findall(source):
        origin = resolve_name(origin, sys.modules[name].__package__)
        taken = [f"{origin}.{word}" for word in re.findall(r"\w+", names)]
        found |= dict.fromkeys(other for other in (origin, *taken) if other in sys.modules)
    package = name.partition(".")[0]
    return [other for other in found if other.partition(".")[0] == package]


def is_kept():
    """Whether the next process finds all that was compiled here."""
    return not _unkept
