"""Options of a help text by what they are about.

What many tools have stands under the same title everywhere, by the name of its parameter. Other options are the tool's
own and stand first, unless `titled` gave them a title.
"""

from collections.abc import Callable, Iterable

import click

__all__ = ["OWN", "SHARED", "by_title", "titled"]

OWN = "Options"

HELP = "_click_default_help"
"""What click calls the parameter of --help."""

SHARED = {
    "Output": (
        "output", "outdir", "form", "format", "in_place", "overwrite", "dry_run", "compression", "profile", "as_json",
    ),
    "References": ("ref", "refdir", "builtin"),
    "Running": (
        "jobs", "max_memory", "fail_fast", "no_checksum", "again", "resume", "check_data", "timings", "log_json",
        "page", "emit", "dask",
    ),
    "Common to all tools": ("verbose", "quiet", "debug", "config", "show_config", "version", HELP),
}  # fmt: skip
"""Title to names of parameters that mean the same in all tools that have them, in the order of a help text."""


def titled(title: str, *decorators: Callable) -> Callable:
    """One decorator of several options, which stand under a title in the help of their tool.

    Parameters
    ----------
    title : str
        The title.
    *decorators : callable
        Decorators of options, in the order of the help.

    Returns
    -------
    callable
    """

    def decorate(function):
        known = len(getattr(function, "__click_params__", []))
        for decorator in reversed(decorators):
            function = decorator(function)
        for param in function.__click_params__[known:]:
            vars(param)["title"] = title
        return function

    return decorate


def by_title(params: Iterable[click.Parameter]) -> dict[str, list[click.Option]]:
    """Options of a command by the title of their group, in the order of its help.

    Parameters
    ----------
    params : iterable of click.Parameter
        All of a command, as `click.Command.get_params` gives them.

    Returns
    -------
    dict of str to list of click.Option
        Own options, those with a title of their tool, and the shared ones.
    """
    shared = {name: title for title, names in SHARED.items() for name in names}
    found: dict[str, list[click.Option]] = {OWN: []}
    for param in (param for param in params if isinstance(param, click.Option)):
        title = vars(param).get("title") or shared.get(param.name or "", OWN)
        found.setdefault(title, []).append(param)
    order = [title for title in found if title not in SHARED] + [title for title in SHARED if title in found]
    for title in SHARED:
        found.get(title, []).sort(key=lambda param, names=SHARED[title]: names.index(param.name))
    return {title: found[title] for title in order if found[title]}
