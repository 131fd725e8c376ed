"""Lines of compiled kernels for coverage, which sees nothing of what runs without Python.

A kernel counts as covered, with all of its lines, if a test had it compiled or loaded from the cache of compiled
functions, or if a kernel that was calls it: no finer record exists. What tools do with kernels in processes of their
own is left out.
"""

import sys


def pytest_sessionfinish():
    """Add the lines of the kernels that were called to what coverage has measured, if it measures."""
    if "coverage" not in sys.modules or "numba" not in sys.modules:
        return
    from coverage import Coverage

    measuring = Coverage.current()
    if measuring is not None:
        measuring.get_data().add_lines(lines_of_called_kernels())


def lines_of_called_kernels():
    """Path of each file with kernels to the numbers of the lines of those that were called."""
    lines = {}
    for kernel in called_kernels():
        code = kernel.py_func.__code__
        lines.setdefault(code.co_filename, set()).update(lines_of(code))
    return lines


def called_kernels():
    """Compiled functions of the package that were called by Python, and those that they call."""
    found, new = set(), {kernel for kernel in kernels() if kernel.signatures}
    while new:
        found |= new
        new = {other for kernel in new for other in named_in(kernel)} - found
    return found


def kernels():
    """Compiled functions that stand in the loaded modules of the package."""
    from numba.core.dispatcher import Dispatcher

    loaded = [module for name, module in list(sys.modules.items()) if name.split(".")[0] == "rtools"]
    return [value for module in loaded for value in vars(module).values() if isinstance(value, Dispatcher)]


def named_in(kernel):
    """Compiled functions whose names a kernel uses."""
    from numba.core.dispatcher import Dispatcher

    known = kernel.py_func.__globals__
    named = (known.get(name) for name in kernel.py_func.__code__.co_names)
    return [value for value in named if isinstance(value, Dispatcher)]


def lines_of(code):
    """Numbers of the lines of a function, with those of functions inside it, without that of its head."""
    lines = {line for _start, _end, line in code.co_lines() if line is not None and line > code.co_firstlineno}
    inner = (constant for constant in code.co_consts if isinstance(constant, type(code)))
    return lines.union(*map(lines_of, inner))
