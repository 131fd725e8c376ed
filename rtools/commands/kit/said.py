"""What the user said to a tool, for the record of what it makes: options that count, whoever gave them."""

import os

import click
from click.core import ParameterSource

__all__ = ["AROUND", "FILES", "words_said"]

AROUND = (
    *("output", "outdir", "overwrite", "in_place", "again", "matches", "plot", "page", "report", "log_json", "emit"),
    *("dry_run", "jobs", "max_memory", "resume", "check_data", "dask", "fail_fast"),
    *("as_json", "timings", "verbose", "quiet", "debug", "no_checksum"),
)
"""Options, by their parameters, that say how a run goes and where its products are; no product depends on them."""

FILES = ("FILE", "DIR", "COADD")
"""Words of metavars of options that name files."""


def words_said(ctx, options):
    """Options of a call that are not as by default, as words of a record.

    Parameters
    ----------
    ctx : click.Context
        Of the tool.
    options : mapping of str to object
        Parameter name to the value that counts.

    Returns
    -------
    tuple of rtools.products.schema.record.JobWord
    """
    words = []
    for param in ctx.command.params:
        value = options.get(param.name)
        if not isinstance(param, click.Option) or param.name in AROUND or value in (None, ()):
            continue
        silent = ctx.get_parameter_source(param.name) is ParameterSource.DEFAULT
        if silent or (value is False and not param.secondary_opts):
            continue
        for one in value if param.multiple else [value]:
            words.append(_word(param, one))
    return tuple(words)


def _word(param, value):
    from rtools.products.schema.record import JobWord

    name = next(word for word in param.opts if word.startswith("--"))
    if param.is_flag or isinstance(value, bool):
        off = next((word for word in param.secondary_opts if word.startswith("--")), name)
        return JobWord(name if value else off)
    text = " ".join(map(str, value)) if isinstance(value, tuple) else str(value)
    before, equals, path = text.rpartition("=") if "=FILE" in str(param.metavar) else ("", "", text)
    if any(word in str(param.metavar) for word in FILES) and os.path.exists(path):
        return JobWord(name, os.path.abspath(path), names_file=True, before=before + equals)
    return JobWord(name, text)
