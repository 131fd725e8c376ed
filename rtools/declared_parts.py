"""Parts of the declaration of a step: an option, a reference that it reads (`rtools.declare` hands them on)."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Option", "Reference"]


@dataclass(frozen=True)
class Option:
    """One long option of a step.

    Attributes
    ----------
    name : str
        As typed, without the leading dashes: ``var-flat``.
    default : bool, int, float, str or None
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
    mission : str
        The mission whose files it is for, where the step is for those of several; by default all of them.
    elsewhere : tuple of (str, value)
        Further missions that have another default, and that default.
    names_file : bool
        Its value may be the path of a file or a directory, whose content counts, and not its name.
    """

    name: str
    default: bool | int | float | str | None
    help: str
    type: type | None = None
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    peer: str = ""
    mission: str = ""
    elsewhere: tuple[tuple[str, bool | int | float | str], ...] = ()
    names_file: bool = False

    @property
    def key(self):
        """The name as a Python identifier, as `apply` sees it in its options."""
        return self.name.replace("-", "_")

    @property
    def kind(self):
        """The Python type of a value."""
        return self.type or type(self.default)

    def default_for(self, mission):
        """The default value for files of a mission.

        Parameters
        ----------
        mission : str
            Its name.
        """
        return dict(self.elsewhere).get(mission, self.default)


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
    may_misfit : bool
        A reference that does not have the frame's shape is left out, with a warning; else it is an error.
    """

    type: str
    planes: tuple[str, ...] = ()
    trimmed: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()
    absent: str = "needed"
    optional: bool = False
    refusable: bool = True
    may_misfit: bool = False
