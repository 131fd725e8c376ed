"""Extensions of asdf: what its files may hold beside arrays, found quickly."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

import yaml

from rtools.products.schema.yamltext import FastLoader

__all__ = ["find_extensions", "manifest_from_uri"]


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
