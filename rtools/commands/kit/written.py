"""What a tool writes: the forms of its outputs, declared with the option that names one, checked before any work."""

import os

import click

from rtools.errors import UsageError
from rtools.products.names.extensions import EXTENSIONS, PICTURES, TABLES, form_of_name
from rtools.remote.names import file_name, is_remote, shown

__all__ = ["Written", "WrittenPlace", "check_outputs", "contradicts", "written_options"]


class WrittenPlace(click.ParamType):
    """Type of an option, or an argument, that names what is written and whose name says no form: a directory, a log."""

    name = "text"


class Written(WrittenPlace):
    """Type of an option that names an output: the extension says the form, one of those that the tool writes.

    Parameters
    ----------
    *forms : str
        Keys of `rtools.products.names.extensions.EXTENSIONS`.
    directory : bool
        A name that says no form is a directory, which the tool writes, too.
    stream : bool
        Whether ``-`` is standard output; there is the tool's table else, and it is refused.
    """

    name = "file"

    def __init__(self, *forms, directory=False, stream=True):
        self.forms, self.directory, self.stream = forms, directory, stream

    def check(self, word, name, tool, asked=None):
        """Refuse a name that says another form, or none.

        Parameters
        ----------
        word : str
            The option as typed.
        name : str or None
            Its value; None, ``-`` (standard output) and directories are refused, or taken, by others.
        tool : str
            For the message.
        asked : str, optional
            The form that --format says.

        Raises
        ------
        UsageError
        """
        if name == "-" and not self.stream:
            raise UsageError(f"{word} names a file, not standard output")
        if name in (None, "-") or os.path.isdir(name):
            return
        said = form_of_name(file_name(name) if is_remote(name) else name)
        name = shown(name) if is_remote(name) else name
        if asked is not None and said not in (None, asked):
            raise UsageError(f"{word} {name}: --format {asked} is not what this name says", mend="leave out --format")
        if asked is not None or said in self.forms or (said is None and self.directory):
            return
        listed = " ".join(EXTENSIONS[form][0] for form in self.forms) + " or a directory" * self.directory
        raise UsageError(f"{word} {name}: {tool} writes {listed}", mend=self._mend(said))

    def _mend(self, wanted):
        """The tool that makes what was wanted, or what the name should be."""
        if wanted == "fits" and "asdf" in self.forms:
            return "rt-fits makes FITS of it"
        if wanted in TABLES and set(self.forms) <= set(TABLES):
            return f"rt-table makes {EXTENSIONS[wanted][0]} of it"
        if wanted in PICTURES and "asdf" in self.forms:
            return "rt-view makes pictures of it"
        return f"end the name in {EXTENSIONS[self.forms[0]][0]}"


def written_options(command):
    """Options and arguments whose files are written, by the types with which they are declared.

    Parameters
    ----------
    command : click.Command
        The tool.

    Returns
    -------
    frozenset of str
        Names of their parameters.
    """
    return frozenset(param.name for param in command.params if _is_written(param.type))


def _is_written(kind):
    return isinstance(kind, WrittenPlace) or any(map(_is_written, getattr(kind, "types", ())))


def check_outputs(ctx, options):
    """Refuse names of outputs that say a form that the tool does not write.

    Parameters
    ----------
    ctx : click.Context
    options : dict
        Parameter name to value.

    Raises
    ------
    UsageError
    """
    for param in ctx.command.params:
        if isinstance(param.type, Written):
            param.type.check(param.opts[0], options[param.name], ctx.command.name, options.get("form"))


def contradicts(options):
    """Whether --format and the name of the output say different forms."""
    form, named = options.get("form"), form_of_name(options.get("output") or "")
    return form is not None and named not in (None, form)
