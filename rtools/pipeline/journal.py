"""What happened in one run: messages for the terminal, lines for `meta.cal_logs`."""

from rtools.products import history

__all__ = ["Journal"]


class Journal:
    """Collects the messages of one run.

    Parameters
    ----------
    log : callable
        ``log(level, text)`` of the console.
    path : str or Path
        The input, named in front of warnings on the terminal.
    """

    def __init__(self, log, path):
        self.lines = []
        self.warnings = 0
        self._log = log
        self._path = path

    def log(self, level, text):
        """Record a message at "info" or "warning"."""
        self.lines.append(history.log_line(level, text))
        self.warnings += level == "warning"
        self._log(level, f"{self._path}: {text}")

    def tell(self, text):
        """Say something on the terminal that is not part of the record."""
        self._log("note", text)
