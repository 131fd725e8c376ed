"""Manual pages, made from the commands: ``python -m rtools.commands.manual DIR`` writes one for each tool.

What a page says comes from the click command and, for a step, from its declaration; nothing is written twice.
"""

import re
import sys
import unicodedata
from pathlib import Path

import click

from rtools import __version__
from rtools.commands.kit.grouping import OWN, SHARED, by_title
from rtools.commands.kit.missions import MISSIONS
from rtools.commands.kit.tools import OF_RT, command_of, groups
from rtools.pipeline.job.steps import has_step, missions_of, step_of

__all__ = ["main", "page", "pages"]

STATUS = (
    ("0", "All went well."),
    ("1", "Failed, or the answer is no; also several inputs that failed differently."),
    ("2", "The command line asks for something that cannot be asked."),
    ("3", "Input data are missing, unreadable, or not what the tool takes."),
    ("4", "A reference file is missing."),
    ("5", "A quality limit is not met."),
    ("130", "Interrupted."),
)

FILES = (
    "A file called - is standard input, and as an output standard output; @LIST stands for the names in the file LIST, "
    "one a line, and @- for names on standard input. What exists is never replaced without --overwrite."
)


def pages():
    """File name to text of every manual page."""
    tools = [name for group in groups().values() for name in group]
    made = {f"rt-{name}.1": page(name) for name in tools}
    return {"rt.1": _overview(), **made}


def page(name):
    """The manual page of a tool in troff's man macros.

    Parameters
    ----------
    name : str
        The tool without ``rt-``.
    """
    command = command_of(name)
    subcommands = getattr(command, "commands", {})
    own = {word: _options(subcommand) for word, subcommand in subcommands.items()}
    shared = {names for names in next(iter(own.values()), {}) if all(names in one for one in own.values())}
    options = [_sections(command)] + [_sections(one, shared) for one in list(subcommands.values())[:1]]
    lines = _head(command.name, command.short_help)
    lines += [".SH SYNOPSIS", *_usage(command, [command.name])]
    for word, subcommand in subcommands.items():
        lines += [".br", *_usage(subcommand, [command.name, word])]
    lines += [".SH DESCRIPTION", *_paragraphs(command.help), *_step(name)]
    for word, subcommand in subcommands.items():
        lines += [f".SH {_text(word.upper())}", *_paragraphs(subcommand.help)]
        lines += [line for names, entry in own[word].items() if names not in shared for line in entry]
    lines += [".SH OPTIONS", *_under_titles(options)]
    lines += [".SH EXAMPLES", *_examples(command.examples)]
    if any(isinstance(param, click.Argument) for param in command.params):
        lines += [".SH FILES", _text(FILES)]
    lines += [".SH ENVIRONMENT", *_environment([command, *subcommands.values()])]
    return _end(lines)


def main(arguments=None):
    """Write all pages into the directory given, and remove pages of tools that no longer exist."""
    arguments = sys.argv[1:] if arguments is None else arguments
    directory = Path(arguments[0] if arguments else "man")
    directory.mkdir(parents=True, exist_ok=True)
    made = pages()
    for old in directory.glob("rt*.1"):
        if old.name not in made:
            old.unlink()
    for name, text in made.items():
        (directory / name).write_text(text)


def _overview():
    lines = _head("rt", "The Roman WFI pipeline as Unix tools")
    lines += [".SH SYNOPSIS", ".B rt", r"\fITOOL\fR [\fIARGUMENTS\fR]…".replace("…", r"\[u2026]")]
    text = "Lists the tools by group; rt NAME runs rt-NAME with the arguments that follow."
    lines += [".SH DESCRIPTION", _text(text), _text(FILES)]
    for group, tools in groups().items():
        lines.append(f'.SS "{_text(group)}"')
        for name in tools:
            lines += [".TP", rf"\fBrt\-{_text(name)}\fR(1)", _text(command_of(name).short_help)]
    lines.append('.SS "the installation"')
    for name in OF_RT:
        lines += [".TP", rf"\fBrt {name}\fR", _text(command_of(name).short_help)]
    lines += [".TP", r"\fBrt help\fR \fITOOL\fR", "What a tool does, with examples."]
    lines += [".SH COMPLETION"]
    for shell, line in _completion().items():
        lines += [".TP", _text(shell), rf"\fB{_text(line)}\fR"]
    lines += [".SH ENVIRONMENT", ".TP", ".B RT_OPTION", "A value for the option of that name, for any tool."]
    lines += [".TP", ".B NO_COLOR", "No colour on a terminal."]
    return _end(lines)


def _completion():
    from rtools.commands.kit.complete import ENABLE

    return ENABLE


def _head(name, summary):
    title = _text(name.upper())
    summary = _text(summary.rstrip("."))
    return [f'.TH {title} 1 "" "rtools {__version__}" "rtools"', ".SH NAME", rf"{_text(name)} \- {summary}"]


def _end(lines):
    lines = [*lines, ".SH EXIT STATUS"]
    for code, meaning in STATUS:
        lines += [".TP", f".B {code}", meaning]
    return "\n".join([*lines, ".SH SEE ALSO", r"\fBrt\fR(1)", ""])


def _usage(command, words):
    pieces = " ".join(command.collect_usage_pieces(_context(command)))
    return [rf"\fB{_text(' '.join(words))}\fR {_text(pieces)}"]


def _context(command):
    return click.Context(command, info_name=command.name, **command.context_settings)


def _paragraphs(text):
    """Paragraphs of a help text, the first without a macro before it."""
    blocks = [" ".join(block.split()) for block in (text or "").replace("\b", "").split("\n\n")]
    return [line for block in blocks if block for line in (".PP", _text(block))][1:]


def _sections(command, wanted=None):
    """Titles of groups of options, each to option names and the lines that say what the option means."""
    context = _context(command)
    found = {}
    for title, params in by_title(command.get_params(context)).items():
        records = filter(None, (param.get_help_record(context) for param in params))
        found[title] = {
            names: [".TP", rf"\fB{_text(names)}\fR", _text(meaning)]
            for names, meaning in records
            if wanted is None or names in wanted
        }
    return found


def _options(command):
    """Option names of all groups to the lines that say what the option means."""
    return {names: lines for section in _sections(command).values() for names, lines in section.items()}


def _under_titles(several):
    """Lines of groups of options of several commands, those of one title together; the first title is plain."""
    joined = {}
    for sections in several:
        for title, entries in sections.items():
            joined.setdefault(title, {}).update(entries)
    order = [title for title in joined if title not in SHARED] + [title for title in SHARED if title in joined]
    for title in order:
        if joined[title]:
            yield from () if title == OWN else (f'.SS "{_text(title)}"',)
            yield from (line for entry in joined[title].values() for line in entry)


def _examples(examples):
    return [".nf", *(_text(example) for example in examples), ".fi"]


def _step(name):
    """What the declaration of a step says beyond its help: its product and its references."""
    steps = [step_of(name, mission) for mission in missions_of(name)] if has_step(name) else []
    texts = [_product(step) for step in steps if step.of_exposure]
    return [".SH PRODUCT", *(line for text in texts for line in (".PP", _text(text)))] if texts else []


def _product(step):
    form = {"roman": "asdf", "jwst": "fits"}[step.mission]
    text = f"{MISSIONS[step.mission]}: it writes X_{step.suffix}.{form} and answers to meta.cal_step.{step.cal_step}."
    if step.references:
        text += f" Reference types it reads: {', '.join(reference.type for reference in step.references)}."
    return text


def _environment(commands):
    names = sorted({param.envvar for command in commands for param in command.params if param.envvar})
    return [_text(f"Values for the options of these names: {', '.join(names)}. RT_DEBUG shows tracebacks.")]


def _text(text):
    """Plain text as troff takes it: hyphens that can be copied, no macro at the start, other characters named."""
    text = text.replace("\\", r"\e").replace("-", r"\-")
    text = re.sub(r"^(?=[.'])", r"\\&", text)
    return re.sub(r"[^\x00-\x7f]", _named, text)


def _named(found):
    parts = "_".join(f"{ord(character):04X}" for character in unicodedata.normalize("NFD", found[0]))
    return rf"\[u{parts}]"


if __name__ == "__main__":
    main()
