"""Where a tool that makes one file of each input writes it: -o, --outdir, standard output."""

import contextlib
import os
import shutil
import sys
from pathlib import Path

from rtools.commands.kit.sending import send_made
from rtools.errors import Refusal, RtoolsError, UsageError
from rtools.products.io import temporary

__all__ = ["Outputs", "deliver", "kept_back", "make_directory"]


class Outputs:
    """The outputs of one command line.

    Parameters
    ----------
    output, outdir : str or None
        -o and --outdir.
    overwrite : bool
    inputs : sequence of str

    Raises
    ------
    UsageError
        They do not go together, or the output is a terminal.
    """

    def __init__(self, output, outdir, *, overwrite, inputs, dry_run=False):
        if output and outdir:
            raise UsageError("-o and --outdir do not go together")
        if output and len(inputs) > 1:
            raise UsageError("-o names one output", mend="use --outdir for several inputs")
        if output == "-" and sys.stdout.isatty() and not dry_run:
            raise UsageError("will not write a file to a terminal", mend="redirect it, or give -o a name")
        self.output, self.outdir, self.overwrite = output, outdir, overwrite
        self._taken = {}

    def path(self, source, filename):
        """Path of the output of one input, None for standard output.

        Parameters
        ----------
        source : str
            The input.
        filename : str
            Name of the output in --outdir.

        Raises
        ------
        RtoolsError
            It exists, is a directory, or is the input itself.
        Refusal
            Another input has the same output.
        """
        if self.output == "-":
            return None
        path = Path(self.output) if self.output else Path(self.outdir) / filename
        if path.is_dir():
            raise RtoolsError("a directory", path=path)
        if path.exists() and Path(source).exists() and path.samefile(source):
            raise UsageError("is the input itself", path=path)
        if path.exists() and not self.overwrite:
            raise RtoolsError("exists already", mend="--overwrite replaces it", path=path)
        self.claim(path, source)
        return path

    def refuse_input(self, source):
        """Refuse an output that is one of several inputs.

        Parameters
        ----------
        source : str
            The input.
        """
        there = self.output not in (None, "-") and os.path.exists(self.output) and os.path.exists(source)
        if there and os.path.samefile(self.output, source):
            raise UsageError("is an input itself", path=self.output)

    def refuse_twins(self, filenames):
        """Refuse inputs that would be one file in --outdir, before any work.

        Parameters
        ----------
        filenames : dict
            Input to the name of its output.
        """
        for source, filename in filenames.items() if self.outdir is not None else ():
            self.claim(Path(self.outdir) / filename, source)

    def claim(self, path, source):
        """Refuse the whole command line if another input has this output."""
        first = self._taken.setdefault(os.path.abspath(path), source)
        if first != source:
            raise Refusal(f"{first} and {source} would both be {path}", mend="give them different directories")


def make_directory(directory):
    """Make a directory for outputs, with those above it."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RtoolsError(f"cannot be made ({(error.strerror or str(error)).lower()})", path=directory) from None


@contextlib.contextmanager
def kept_back(stage):
    """A file that is made gets its name when the block has done all else; where that fails nothing is left of it.

    Parameters
    ----------
    stage : rtools.products.io.staging.Stage or None
        The file; None where there is none.
    """
    if stage is None:
        yield
        return
    try:
        yield
    except BaseException:
        stage.discard()
        raise
    stage.commit()


def deliver(path, filename, make):
    """Have a file written under its name, or sent to standard output.

    Parameters
    ----------
    path : Path or None
        None for standard output.
    filename : str
        What the file calls itself where it has no path.
    make : callable
        ``make(path)`` returns a `rtools.products.io.writer.Stage` that is not committed.
    """
    if path is not None:
        make_directory(path.parent)
        make(path).commit()
        send_made()
        return
    with temporary.directory() as scratch:
        with open(make(Path(scratch) / filename).commit(), "rb") as file:
            shutil.copyfileobj(file, sys.stdout.buffer)
        sys.stdout.buffer.flush()
