"""A word to the user while kernels are compiled: half a minute, once on a machine and after each new version.

numba keeps what it compiled beside the package, or in the user's cache directory where that cannot be written. Files
are replaced as a whole, so processes that start together do each other no harm.
"""

from contextlib import contextmanager

__all__ = ["announced"]


@contextmanager
def announced(tell):
    """Call ``tell(text)`` when the first kernel is compiled, once in a process.

    Parameters
    ----------
    tell : callable
    """
    from numba.core import event

    class Announcer(event.Listener):
        def on_start(self, _event):
            if not announced.done:
                announced.done = True
                tell("first run here: compiling, about 20 s more; later runs find it done")

        def on_end(self, _event):
            pass

    with event.install_listener("numba:compile", Announcer()):
        yield


announced.done = False
