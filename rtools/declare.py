"""How a step is declared: plain data from which command, man page, `--set` and provenance are made.

A step lives in one file of a science room. That file holds ``STEP = Step(...)`` and the functions that its kind
needs (`rtools.exposure.frame` describes what they are given). It imports nothing heavy at module level.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["NotApplicable", "Option", "Reference", "Skip", "Step"]


@dataclass(frozen=True)
class Option:
    """One long option of a step.

    Attributes
    ----------
    name : str
        As typed, without the leading dashes: ``var-flat``.
    default : object
        Default value; its type is the option's type unless `type` is given. A bool makes ``--x/--no-x``.
    help : str
        One sentence with the unit; the default is appended by the command.
    type : type, optional
        Needed where the default is None.
    choices : tuple of str
        Allowed words, for a string option.
    minimum : float, optional
        Smallest allowed value.
    peer : str
        The parameter's name in romancal, where it has another; accepted by ``rt-run --set``.
    """

    name: str
    default: object
    help: str
    type: type | None = None
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    peer: str = ""

    @property
    def key(self):
        """The name as a Python identifier, as `apply` sees it in its options."""
        return self.name.replace("-", "_")

    @property
    def kind(self):
        """The Python type of a value."""
        return self.type or type(self.default)


@dataclass(frozen=True)
class Reference:
    """What a step reads from one reference type.

    Attributes
    ----------
    type : str
        The `meta.ref_file` key, e.g. ``linearity``.
    planes : tuple of str
        Arrays with the frame's columns as last axis, delivered cut to the strip's columns (full frame, 4096).
    trimmed : tuple of str
        Arrays without the reference-pixel border (4088), delivered cut to the strip's science columns.
    channels : tuple of str
        Arrays whose leading axis is the readout channel, delivered as the one row of the strip's channel.
    nodes : tuple of str
        Small parts of the tree, delivered whole to both `prepare` and `apply`.
    absent : str
        What happens when no configured place has it: ``needed`` (exit 4) or ``skip`` (the step is SKIPPED, or goes
        on without this type where `optional`). docs/algorithms/README.md#references lists the types.
    optional : bool
        The step goes on without this reference (none by the user's word, or absent where that is allowed).
    refusable : bool
        Whether ``--ref TYPE=none`` is allowed; gain and readnoise are not (exit 4).
    """

    type: str
    planes: tuple[str, ...] = ()
    trimmed: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()
    absent: str = "needed"
    optional: bool = False
    refusable: bool = True


@dataclass(frozen=True)
class Step:
    """The declaration of one step.

    Attributes
    ----------
    name : str
        The tool without ``rt-``.
    kind : str
        ``ramp`` (strip, ramp to ramp), ``fit`` (strip, ramp to image), ``image`` (strip, image to image), ``frame``
        (metadata of the whole frame), ``catalog`` (sources of the frame), ``align`` (one or several frames),
        ``mosaic`` (images on a common grid) or ``multiband`` (mosaics in several filters).
    cal_step, suffix : str
        Its `meta.cal_step` key and its product's suffix.
    summary, description : str
        One line; and a paragraph for the manual with the formula and its source.
    examples : tuple of str
        Command lines for the help text, the plainest first.
    options, references : tuple
        `Option` and `Reference` declarations.
    metadata : tuple of str
        Dotted keys below `meta` that it reads beyond what every step needs; checked before any work.
    metadata_if_any : tuple of str
        Dotted keys that may be absent; a value that cannot be is refused before any work.
    memory : str
        Peak memory of the single tool, as measured, for the manual.
    repeatable : bool
        May run again where its cal_step is COMPLETE, without ``--again``.
    runs_without_reference : bool
        It still does its other work when its reference is none (status SKIPPED all the same).
    """

    name: str
    kind: str
    cal_step: str
    suffix: str
    summary: str
    description: str
    examples: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()
    references: tuple[Reference, ...] = ()
    metadata: tuple[str, ...] = ()
    metadata_if_any: tuple[str, ...] = ()
    memory: str = ""
    repeatable: bool = False
    runs_without_reference: bool = False

    @property
    def tool(self):
        """The command, ``rt-NAME``."""
        return f"rt-{self.name}"

    def defaults(self):
        """Options as a dict of key to default value."""
        return {option.key: option.default for option in self.options}


@dataclass(frozen=True)
class Skip:
    """What `prepare` answers when the step cannot be done: its cal_step becomes SKIPPED, with this warning."""

    reason: str


@dataclass(frozen=True)
class NotApplicable:
    """What `prepare` answers when the step is not for this exposure: its cal_step becomes N/A."""

    reason: str
