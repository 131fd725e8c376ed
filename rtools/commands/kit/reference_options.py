"""Where reference files are looked for, as a command line says it."""

from rtools.errors import UsageError

__all__ = ["reference_config"]


def reference_config(ref, refdir, builtin):
    """A `rtools.reference.find.Config` from --ref, --refdir and --builtin."""
    from rtools.reference import find

    overrides = {}
    for word in ref:
        kind, separator, path = word.partition("=")
        if not separator or not kind or not path:
            raise UsageError(f"--ref {word}: TYPE=FILE or TYPE=none expected")
        overrides[kind] = path
    return find.Config(overrides=overrides, refdir=refdir, builtin=builtin)
