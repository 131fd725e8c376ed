"""What a file says cannot command the terminal: control characters are shown, not obeyed.

A name or a value of a file may hold the sequences by which programs move the cursor, clear the screen or answer for
the user. On a terminal they are escaped, but for colours; what goes into a pipe stays as it is. Messages are escaped
everywhere, and so stay on one line.
"""

import re
import sys
from contextlib import contextmanager

__all__ = ["guarded_terminal", "on_one_line"]

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
BESIDE_COLOURS = re.compile(r"(\x1b\[[0-9;]*m)|[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def on_one_line(text: str) -> str:
    """A text with its control characters and ends of lines as escapes.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    str
    """
    return CONTROL.sub(_escaped, text)


def _escaped(found):
    return ascii(found[0])[1:-1]


class _Guarded:
    """A stream to a terminal that passes on what can be seen, and colours."""

    def __init__(self, stream):
        self._stream = stream

    def write(self, text):
        if isinstance(text, str):
            text = BESIDE_COLOURS.sub(lambda found: found[1] or _escaped(found), text)
        return self._stream.write(text)

    def writelines(self, lines):
        for line in lines:
            self.write(line)

    def __getattr__(self, name):
        return getattr(self._stream, name)


@contextmanager
def guarded_terminal():
    """Let nothing but text and colours reach a terminal on standard output while the context lasts."""
    stream = sys.stdout
    if not stream.isatty():
        yield
        return
    sys.stdout = _Guarded(stream)
    try:
        yield
    finally:
        sys.stdout = stream
