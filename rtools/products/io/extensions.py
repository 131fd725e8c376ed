"""Extensions of asdf: what its files may hold beside arrays, found quickly."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import yaml

from rtools.products.schema.yamltext import FastLoader

__all__ = ["find_extensions", "manifest_from_uri", "schemas_read_once"]


def find_extensions() -> None:
    """Have asdf find its extensions, once for the process: whoever opens a file with asdf calls this before.

    asdf would find them itself, and take half a second for it (`_manifests_read_fast`).
    """
    import asdf

    shared = asdf.get_config()
    with _manifests_read_fast():
        shared.extensions, shared.resource_manager  # noqa: B018  found where they are asked for


def manifest_from_uri(kind: Callable[..., Any], uri: str, **settings: Any) -> Any:
    """As asdf's `ManifestExtension.from_uri`, with libyaml.

    Parameters
    ----------
    kind : callable
        Makes an extension of what a manifest says.
    uri : str
        Of the manifest.
    **settings : object
        Further ones of `kind`.

    Returns
    -------
    asdf.extension.ManifestExtension

    Raises
    ------
    KeyError
        No installed package has it.
    """
    from asdf import get_config

    return kind(yaml.load(get_config().resource_manager[uri], FastLoader), **settings)


@contextmanager
def schemas_read_once() -> Iterator[None]:
    """While asdf checks a tree, take the schemas that an earlier tree needed as they were parsed then.

    asdf parses a hundred schemas anew for every file, which takes a third of the time in which it writes a tree. A
    schema is known by its text. An asdf without the function that is replaced here goes on as it does.
    """
    from asdf import schema

    theirs = getattr(schema, "_make_schema_loader", None)
    if theirs is None or theirs.__module__ == __name__:
        yield
        return
    schema._make_schema_loader = _reading_once(theirs)
    try:
        yield
    finally:
        schema._make_schema_loader = theirs


@cache
def _reading_once(theirs):
    """As asdf's maker of functions that load a schema, with a memory for those of installed packages."""
    from asdf import get_config
    from asdf.yamlutil import AsdfLoader

    @cache
    def parsed(text):
        return yaml.load(text, AsdfLoader)

    def make():
        load = theirs()

        def load_schema(url):
            known = get_config().resource_manager
            return (parsed(known[url]), url) if url in known else load(url)

        return load_schema

    return make


@contextmanager
def _manifests_read_fast():
    """While asdf finds its extensions, read its 45 manifests with libyaml, which needs 0.03 s.

    asdf itself takes the parser that is written in Python, and needs 0.3 s. Every run that writes a file waits for it.
    """
    from asdf.extension import ManifestExtension

    theirs = vars(ManifestExtension)["from_uri"]
    ManifestExtension.from_uri = classmethod(manifest_from_uri)
    try:
        yield
    finally:
        ManifestExtension.from_uri = theirs
