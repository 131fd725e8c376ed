"""Small files for the tests of tools that look at products, written by asdf itself."""

import asdf

from rtools.commands.kit import entry
from rtools.commands.kit.tools import command_of
from rtools.products.schema import tags


def write(path, kind, parts, *, compression=None, **meta):
    """A product of a kind with these arrays and nodes; its path."""
    tree = asdf.tagged.TaggedDict({"meta": meta, **parts}, tags.tag(kind, "2.1.0"))
    with asdf.config_context() as config:
        config.default_array_save_base = False
        config.validate_on_read = False
        asdf.AsdfFile({"roman": tree}).write_to(path, all_array_compression=compression)
    return path


def tool(name, *args):
    """Exit status of a tool run in this process."""
    return entry.run(command_of(name), list(map(str, args)))
