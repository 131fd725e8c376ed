"""Imports that take long, begun while data are read.

numba takes half a second to import and gwcs one; both are needed late. On a second thread they cost nothing, because
reading and compiled kernels do not hold the interpreter's lock.
"""

import threading
from importlib import import_module, util

__all__ = ["begin_imports"]

WRITING = ("asdf", "rtools.products.serial")
WCS = ("gwcs", "asdf_astropy.integration", "astropy.modeling.models")


def begin_imports(tasks):
    """Import on another thread what these tasks will need.

    Parameters
    ----------
    tasks : list of rtools.pipeline.engine.Task

    Returns
    -------
    threading.Thread
    """
    names = [name for task in tasks for name in _kernels(task.module.__name__)]
    names += [*(["scipy.fft"] if names else []), *WRITING]
    names += [name for name in WCS if any(task.step.name == "assignwcs" for task in tasks)]
    thread = threading.Thread(target=_import_all, args=(names,), daemon=True, name="imports")
    thread.start()
    return thread


def _kernels(module):
    """The kernel module beside a step's module, if it has one."""
    room, _dot, name = module.rpartition(".")
    kernels = f"{room}._{name}_kernels"
    return [kernels] if util.find_spec(kernels) else []


def _import_all(names):
    for name in names:
        try:
            import_module(name)
        except ImportError:  # whoever needs it will say so
            continue
