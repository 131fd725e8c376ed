"""What happened in one run: messages for the terminal, lines for `meta.cal_logs`."""

from rtools.products.schema import history

__all__ = ["Journal"]


class Journal:
    """Collects the messages of one run, and in `catalogs` what is told of the catalogs that it made.

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
        self.catalogs = []
        self._log = log
        self._path = path

    def log(self, level, text):
        """Record a message at "info", "warning" or "caution", which is a warning that -q does not hide."""
        warning = level in ("warning", "caution")
        self.lines.append(history.log_line("warning" if warning else level, text))
        self.warnings += warning
        self._log(level, f"{self._path}: {text}")

    def begin(self, plan):
        """Say what a plan has to say."""
        for text in plan.cautions:
            self.log("caution", text)
        for text in plan.warnings:
            self.log("warning", text)

    def tell(self, text):
        """Say something on the terminal that is not part of the record."""
        self._log("note", text)
