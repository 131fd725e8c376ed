"""Outputs that shall lie elsewhere: they are made in a directory here, and sent when they are whole.

What cannot be sent is kept here, and the error says where: a server that fails costs no work.
"""

import os
import tempfile
from pathlib import Path

import click

from rtools.commands.kit.elsewhere import tell_as
from rtools.commands.kit.written import written_options
from rtools.errors import RtoolsError, UsageError
from rtools.remote.names import BUCKETS, beside, file_name, is_remote, shown

__all__ = ["keep_made", "made_here", "send_made"]

PLACES = ("output", "outdir")

_SENDING = "rtools.sending"


def made_here(ctx, options):
    """Options of a call whose outputs are made in a directory here.

    What has a name there already has it here, too, as an empty file, so that the tool refuses to replace it as ever.

    Parameters
    ----------
    ctx : click.Context
        Of the tool.
    options : mapping of str to object
        Parameter name to value; inputs are as they were typed.

    Returns
    -------
    dict

    Raises
    ------
    UsageError
        Nothing can be written there, or not by this option.
    RtoolsError
        The output exists already.
    """
    written, options = written_options(ctx.command), dict(options)
    asked = {key: url for key in written for url in _as_tuple(options.get(key)) if is_remote(url)}
    for key, url in asked.items():
        _refuse(ctx, key, url, options)
    for key, url in asked.items():
        folder = beside(url.rstrip("/"), ".") if key == "output" else url.rstrip("/")
        sending = _Sending(ctx, folder, overwrite=bool(options.get("overwrite")))
        ctx.meta.setdefault(_SENDING, []).append(sending)
        options[key] = sending.folder
        if key == "output":
            options[key] = os.path.join(sending.folder, file_name(url))
            sending.refuse_existing(options[key])
    return options


def _refuse(ctx, key, url, options):
    param = next(param for param in ctx.command.params if param.name == key)
    word = param.opts[0] if isinstance(param, click.Option) else param.human_readable_name
    if key not in PLACES:
        raise UsageError(f"{word} {shown(url)}: it is written here only", mend="name a file here")
    if url.partition("://")[0].lower() not in BUCKETS:
        raise UsageError(f"{word} {shown(url)}: nothing is written to the web", mend="s3:// and gs:// take files")
    if options.get("resume"):
        raise UsageError(f"{word} {shown(url)}: --resume is for products that lie here")
    if options.get("emit"):
        raise UsageError(f"{word} {shown(url)}: --emit is for products that lie here")
    written = written_options(ctx.command)
    if any(url in _as_tuple(value) for name, value in options.items() if name not in written):
        raise UsageError("is the input itself", path=shown(url))


def _as_tuple(value):
    return value if isinstance(value, tuple | list) else (value,)


def send_made(paths=None):
    """Send what the tool that runs has made since it was last asked; nothing where its outputs stay here.

    Parameters
    ----------
    paths : iterable of str or os.PathLike, optional
        The files of one input; by default all that have been made. So a file that does not get there is a failure of
        the input that it is of, while others are under way.

    Raises
    ------
    RtoolsError
        A file did not get there, or something else has its name by now. The file, and those that were to follow it,
        are kept where the error says.
    """
    only, failures = None if paths is None else {os.path.abspath(path) for path in paths}, []
    for sending in _under_way():
        try:
            sending.send(only)
        except RtoolsError as error:
            failures.append(error)  # what goes to another directory is sent all the same
    for error in failures[1:]:
        click.get_current_context().obj.error(error)
    if failures:
        raise failures[0]


def keep_made():
    """Keep here what the tool that runs has made and not sent: it ends before it could be."""
    for sending in _under_way():
        sending.keep_all()


def _under_way():
    """The directories elsewhere into which the tool that runs writes."""
    context = click.get_current_context(silent=True)
    return context.meta.get(_SENDING, ()) if context else ()


class _Sending:
    """The outputs of one command that go elsewhere.

    Parameters
    ----------
    ctx : click.Context
        Of the tool.
    url : str
        The directory there.
    overwrite : bool
        Whether what exists there is replaced.
    """

    def __init__(self, ctx, url, *, overwrite):
        from rtools.products.io import temporary
        from rtools.remote import marks, server

        self.url, self.overwrite = url, overwrite
        server.check_bucket(url)
        self.folder = ctx.find_root().with_resource(temporary.directory())
        marks.mark(self.folder, shown(url) + "/")
        Path(self.folder, marks.SENT).touch()
        tell_as(ctx, self.folder, url)
        self._known = {}
        self._log, self._kept = ctx.obj.log, None
        for name in () if overwrite else server.names_in(url):
            self._stand_for(os.path.join(self.folder, name))

    def _stand_for(self, path):
        if os.path.basename(path):
            Path(path).touch()
            self._known[path] = _state(path)

    def refuse_existing(self, path):
        """Refuse a name that exists there, also where the directory may not be listed."""
        from rtools.remote import server

        if not self.overwrite and not os.path.exists(path) and server.is_there(self._there(path)):
            self._stand_for(path)

    def _there(self, path):
        return f"{self.url}/{os.path.relpath(path, self.folder)}"

    def send(self, only):
        """Send files that are new here and whole, in the order in which they got their names; of some alone."""
        paths = [path for path in self._made() if only is None or os.path.abspath(path) in only]
        paths.sort(key=lambda one: os.stat(one).st_mtime_ns)
        for number, path in enumerate(paths):
            is_new = path not in self._known
            self._known[path] = _state(path)  # whatever comes of it: a failure is told once
            try:
                self._send_one(path, is_new=is_new)
            except RtoolsError as error:
                error.mend = self._keep(paths[number:])
                raise
            except BaseException:
                self._log("warning", f"{shown(self._there(path))}: not sent; {self._keep(paths[number:])}")
                raise

    def keep_all(self):
        """Keep what is whole and was not sent, and say where."""
        paths = sorted(self._made(), key=lambda one: os.stat(one).st_mtime_ns)
        if paths:
            told = self._there(paths[0])
            self._log("warning", f"{shown(told)}: not sent; {self._keep(paths)}")

    def _send_one(self, path, *, is_new):
        from rtools.remote import marks, server

        there = self._there(path)
        if not self.overwrite and is_new and server.is_there(there):
            raise RtoolsError("exists already", path=shown(there))
        server.send(path, there)
        with open(os.path.join(self.folder, marks.SENT), "ab") as sent:
            sent.write(os.fsencode(os.path.relpath(path, self.folder)) + b"\0")

    def _keep(self, paths):
        """Keep files here, beside the directory that goes with the command; words that say where."""
        if self._kept is None:
            self._kept = tempfile.mkdtemp(prefix="rtools-unsent-", dir=os.path.dirname(self.folder))
        for path in paths:
            kept = os.path.join(self._kept, os.path.relpath(path, self.folder))
            os.makedirs(os.path.dirname(kept), exist_ok=True)
            os.replace(path, kept)
            self._known.pop(path, None)
        if len(paths) == 1:
            return f"it is kept as {kept}"
        others = "another that was" if len(paths) == 2 else f"{len(paths) - 1} others that were"
        return f"it and {others} to follow are kept in {self._kept}"

    def _made(self):
        """Files with their final names, but for those that stand for others or have been sent."""
        for folder, folders, files in os.walk(self.folder):
            folders[:] = [one for one in folders if not one.startswith(".")]
            for path in (os.path.join(folder, name) for name in files if not name.startswith(".")):
                if self._known.get(path) != _state(path):
                    yield path


def _state(path):
    state = os.stat(path)
    return state.st_ino, state.st_size, state.st_mtime_ns
