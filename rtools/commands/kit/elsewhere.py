"""Files that lie elsewhere, on a command line: ``s3://``, ``gs://``, ``https://`` where the name of a file is accepted.

A name is replaced by the path of a copy before the tool sees it, so that no tool knows of it; what is printed says the
name again, without its secrets. Nothing of this is loaded where no such name is given.
"""

import json
import os
import time
from contextlib import redirect_stderr, redirect_stdout

import click

from rtools.commands.kit.written import written_options
from rtools.errors import InputError, UsageError
from rtools.remote.names import is_remote, shown

__all__ = ["brought", "copies_of", "digest_elsewhere", "retold", "tell_as"]

ADDRESS = "URL"
"""Word in the metavar of an option that names a server, not a file."""

IN_PARTS = ("rt-info", "rt-get", "rt-cut", "rt-stat", "rt-history", "rt-view", "rt-dq", "rt-point", "rt-sky", "rt-ls")
"""Tools that read little of a file, and read it in one process: they fetch what they read."""

OF_NAMES = ("rt-name",)
"""Tools that take names, not files."""

MOMENT = 0.01
"""Seconds between two looks at whether all is there."""

AT_ONCE = 4
"""Files that are fetched at the same time."""

_COPIES = "rtools.elsewhere.copies"
_TOLD = "rtools.elsewhere.told"


def brought(ctx, options):
    """Options of a call in which every file that lies elsewhere is a copy that is read.

    An input that cannot be fetched becomes a path that tells why when it is opened, so that the other inputs go on.

    Parameters
    ----------
    ctx : click.Context
        Of the tool.
    options : mapping of str to object
        Parameter name to value.

    Returns
    -------
    dict

    Raises
    ------
    RtoolsError
        What an option names cannot be fetched, or nothing can.
    """
    if ctx.command.name in OF_NAMES:
        return dict(options)
    inputs = {param.name for param in ctx.command.params if isinstance(param, click.Argument)}
    known = {param.name for param in ctx.command.params if ADDRESS not in str(param.metavar)}
    known -= written_options(ctx.command)
    found = [one for key in inputs for one in _texts(options.get(key)) if is_remote(one)]
    if options.get("in_place") and found:
        raise UsageError("what lies elsewhere cannot be changed in place", mend="-o says where the result goes")
    copies = dict(zip(found, copies_of(found), strict=True))
    return {
        key: value if key not in known else _replaced(value, copies.get) if key in inputs else _replaced(value, _option)
        for key, value in options.items()
    }


def _texts(value):
    return value if isinstance(value, tuple | list) else (value,)


def _replaced(value, copy):
    """A value in which names of files elsewhere are paths of copies."""
    if isinstance(value, tuple):
        return tuple(_replaced(one, copy) for one in value)
    if is_remote(value):
        return copy(value)
    if isinstance(value, str) and value.startswith("@") and is_remote(value[1:]):
        return f"@{_copy(value[1:], in_parts=False)}"
    return value if copy is not _option else _assigned(value)


def _assigned(value):
    """A value like ``TYPE=FILE`` of an option."""
    before, equals, name = value.partition("=") if isinstance(value, str) else (value, "", "")
    return before + equals + _option(name) if equals and is_remote(name) else value


def _option(url):
    return _copy(url, in_parts=False)


def copies_of(urls):
    """Paths of copies of inputs, several fetched at once; those that cannot be fetched say why when they are opened.

    Parameters
    ----------
    urls : sequence of str
        Their names.

    Returns
    -------
    list of str

    Raises
    ------
    RtoolsError
        Nothing can be fetched: a driver is missing, or there is no room.
    """
    if not urls:
        return []
    from rtools.remote import cache
    from rtools.work import Work

    context = click.get_current_context()
    _refuse_rules(context, urls[0])
    tool = context.command.name
    in_parts = tool in IN_PARTS

    def fetched(url):
        try:
            path = _copy(url, in_parts=in_parts, context=context)
            return path if in_parts or not path.endswith(".json") else _with_members(url, path, context)
        except InputError as error:
            return tell_as(context, cache.failed_copy(url, error), url)

    _begin(context)
    once = list(dict.fromkeys(urls))
    with Work(AT_ONCE) as work:
        jobs = {url: work.submit(fetched, url) for url in once}
        _wait(jobs.values())
    return [jobs[url].result() for url in urls]


def _refuse_rules(context, url):
    """Refuse a name elsewhere where jobs become rules: make and its like look for files here alone."""
    if context.params.get("emit"):
        raise UsageError(f"{shown(url)}: --emit takes files that lie here", mend="--dask takes such names")


def digest_elsewhere(url):
    """The digest of what a file elsewhere holds, of which no more is fetched than that takes.

    Parameters
    ----------
    url : str
        Its whole name.

    Returns
    -------
    str

    Raises
    ------
    RtoolsError
        It cannot be fetched; the message of one that is not there is ``no such file``.
    """
    from rtools.products.io.digest import digest_of

    return digest_of(_copy(url, in_parts=True))


def _wait(jobs):
    """Wait for what is fetched; a Ctrl-C ends it at once, not when all of it is there."""
    from rtools.remote import server

    try:
        while not all(job.done() for job in jobs):
            time.sleep(MOMENT)
    except BaseException:
        server.give_up()
        raise


def _copy(url, *, in_parts, context=None):
    """The path of a copy, fetched once in a command."""
    from rtools.remote import cache

    context = context or click.get_current_context()
    _refuse_rules(context, url)
    _begin(context)
    copies = context.find_root().meta[_COPIES]
    if url not in copies:
        if context.obj is not None:
            context.obj.log("info", f"{shown(url)}: fetched")
        copies[url] = tell_as(context, cache.copy_of(url, in_parts=in_parts), url)
    return copies[url]


def _with_members(url, path, context):
    """An association in a directory of its own, with copies of its members."""
    from rtools.products.io import temporary
    from rtools.products.mosaic.association import problems
    from rtools.products.mosaic.jwst_association import is_of_jwst
    from rtools.remote import marks, names

    try:
        with open(path, "rb") as file:
            content = json.load(file)
    except ValueError:
        return path  # told where it is read
    of_jwst = is_of_jwst(content)
    if not of_jwst and problems(content):
        return path
    folder = context.find_root().with_resource(temporary.directory())
    marks.mark(folder, shown(names.beside(url, ".")).partition("?")[0].rstrip("/") + "/")
    for member in (one for product in content["products"] for one in product["members"]):
        for key in {"expname", "tweakreg_catalog"} & set(member):
            _bring_member(url, folder, member, key, context, of_jwst=of_jwst)
    made = os.path.join(folder, os.path.basename(path))
    with open(made, "w") as file:
        json.dump(content, file)
    return tell_as(context, made, url)


def _bring_member(url, folder, member, key, context, *, of_jwst):
    """Fetch a member of an association, or, of JWST, what it can be made of."""
    from rtools.products.mosaic.jwst_association import sources_of_member
    from rtools.remote import cache, names

    if not of_jwst:
        there = names.beside(url, member[key])
        try:
            member[key] = _copy(there, in_parts=False, context=context)
        except InputError as error:
            member[key] = tell_as(context, cache.failed_copy(there, error), there)
        return
    for name in sources_of_member(os.path.basename(member[key])):
        there, link = names.beside(url, name), os.path.join(folder, name)
        try:
            copy = _copy(there, in_parts=False, context=context)
        except InputError as error:
            if error.message == "no such file":
                continue
            raise
        if not os.path.lexists(link):
            os.symlink(copy, link)
        tell_as(context, link, there)
        return


def _begin(context):
    """Have copies go with the command, and what it prints say names in the place of their paths."""
    import sys

    from rtools.remote import cache

    root = context.find_root()
    if _COPIES in root.meta:
        return
    root.meta[_COPIES], root.meta[_TOLD] = {}, {}
    cache.enter()
    root.call_on_close(cache.leave)
    root.with_resource(redirect_stdout(_Retelling(sys.stdout, root.meta[_TOLD])))
    root.with_resource(redirect_stderr(_Retelling(sys.stderr, root.meta[_TOLD])))


def tell_as(context, path, url):
    """Have a path printed as the name that it stands for; the path.

    Parameters
    ----------
    context : click.Context
        Of the tool.
    path : str
        Of a copy, or of a directory.
    url : str
        Its name, from which secrets are taken.

    Returns
    -------
    str
    """
    _begin(context)
    context.find_root().meta[_TOLD][path] = shown(url)
    return path


def retold(context, text):
    """A text in which paths of copies are the names of what lies elsewhere.

    Parameters
    ----------
    context : click.Context or None
        Of the tool; it may have ended.
    text : str
        Any text.

    Returns
    -------
    str
    """
    return _said_again(text, context.meta.get(_TOLD, {}) if context else {})


def _said_again(text, told):
    for path in sorted(told, key=len, reverse=True):
        text = text.replace(path, told[path]).replace(json.dumps(path)[1:-1], told[path])
    return text


class _Retelling:
    """A stream of texts that says names in the place of paths."""

    def __init__(self, stream, told):
        self._stream, self._told = stream, told

    def __getattr__(self, name):
        return getattr(self._stream, name)

    def write(self, text):
        return self._stream.write(_said_again(text, self._told) if isinstance(text, str) else text)

    def writelines(self, lines):
        for line in lines:
            self.write(line)
