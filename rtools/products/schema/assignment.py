"""``KEY=VALUE``, as it is typed to set a key of the metadata."""

import re
from typing import Any

import yaml

from rtools.errors import UsageError
from rtools.products.schema.keys import is_glob
from rtools.products.schema.yamltext import FastLoader

__all__ = ["parse_assignment"]


class _Values(FastLoader):
    """YAML as JSON has it: ``yes`` and ``12:30`` are strings, and so are digits led by zeros, as in a visit_id."""

    yaml_implicit_resolvers: dict[str, list] = {}  # noqa: RUF012  PyYAML's own attribute


for _name, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("int", r"[-+]?(0|[1-9][0-9]*)", "-+0123456789"),
    ("float", r"[-+]?(([0-9]+\.[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+|\.(inf|nan))", "-+.0123456789"),
):
    _Values.add_implicit_resolver(f"tag:yaml.org,2002:{_name}", re.compile(f"^(?:{_pattern})$"), list(_first))


def parse_assignment(text: str) -> tuple[str, Any]:
    """Key and value of ``KEY=VALUE``, the value read as YAML.

    Parameters
    ----------
    text : str
        ``KEY=VALUE`` as typed.

    Returns
    -------
    (str, object)
        The key without a leading ``roman.``, and the plain value.

    Raises
    ------
    UsageError
        It is not that, the key has globs, or the value is not YAML.
    """
    key, equals, written = text.partition("=")
    key = key.strip().removeprefix("roman.")
    if not equals or not key or is_glob(key) or "" in key.split("."):
        raise UsageError(f"{text!r} is not KEY=VALUE")
    try:
        value = yaml.load(written, Loader=_Values)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        problem = getattr(error, "problem", None) or str(error)
        raise UsageError(f"{key}: the value is not YAML ({' '.join(str(problem).split())})") from None
    return key, value
