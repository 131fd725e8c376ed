"""How a step is declared: data from which command, man page, `--set` and provenance are made, and its functions.

A step lives in one file of the folder ``steps/`` of a science room. That file holds the step's functions and, at its
end, ``STEP = RampStep(...)`` or another kind of `Step`. The kind is a class, and says what the runner does with the
step; `rtools.exposure.frame` describes what the functions are given. The file imports nothing heavy at module level.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from rtools.declared_parts import Option, Reference

__all__ = [
    "AlignStep",
    "CatalogStep",
    "FitStep",
    "FrameStep",
    "ImageStep",
    "MosaicCatalogStep",
    "MosaicStep",
    "MultibandStep",
    "NotApplicable",
    "Option",
    "ProductStep",
    "RampStep",
    "Reference",
    "Skip",
    "Step",
]


@dataclass(frozen=True, kw_only=True)
class Step:
    """The declaration of one step; a step is one of the kinds below.

    Attributes
    ----------
    name : str
        The tool without ``rt-``; also the name of the step's file.
    after : str
        The step behind which it stands in the chain of its mission; empty for the first.
    before : str
        The step in front of which it stands; needed only where two steps stand behind the same.
    mission : str
        The mission whose exposures it is for. A tool may have one declaration for each mission.
    also_of : tuple of str
        Further missions that have the step with this declaration.
    chains : tuple of str
        The kinds of chain that have it (`rtools.wfi.exposure_types.ExposureType.chain`); all, where none is named.
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
    imports : tuple of str
        Modules that take long to import and that its functions need (compiled kernels, gwcs). The runner imports
        them on another thread while data are read.
    repeatable : bool
        May run again where its cal_step is COMPLETE, without ``--again``.
    once : bool
        May not run again at all: the same data must not go through it twice.
    runs_without_reference : bool
        It still does its other work when it has no reference (status SKIPPED all the same).
    peer : str
        The step's name in romancal, where it is another; accepted where a step is named.
    takes_raw : bool
        It makes a ramp of raw data; all other steps take what it makes.
    results : int
        Raised with every change that makes other numbers of the same input: what was made with a lower one is out of
        date (`rtools.products.schema.record`). The version of the package says nothing of that.
    prepare, apply, halo, revise, report : callable or None
        Its functions, as `rtools.exposure.frame` describes them; None where the step has none.
    is_saturated : callable or None
        Of the step that flags saturation, ``is_saturated(strip)``: whether every science pixel of a strip is saturated
        in every resultant. Where all strips are, there is nothing to fit, and the steps behind it are SKIPPED.
    apply_saturated : callable or None
        Of the fit: what takes the place of `apply` in such an exposure.
    """

    name: str
    cal_step: str
    suffix: str
    summary: str
    description: str
    after: str = ""
    before: str = ""
    mission: str = "roman"
    also_of: tuple[str, ...] = ()
    chains: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()
    references: tuple[Reference, ...] = ()
    metadata: tuple[str, ...] = ()
    metadata_if_any: tuple[str, ...] = ()
    memory: str = ""
    imports: tuple[str, ...] = ()
    repeatable: bool = False
    once: bool = False
    runs_without_reference: bool = False
    peer: str = ""
    takes_raw: bool = False
    results: int = 1
    prepare: Callable | None = None
    apply: Callable | None = None
    halo: Callable | None = None
    revise: Callable | None = None
    report: Callable | None = None
    is_saturated: Callable | None = None
    apply_saturated: Callable | None = None

    group: ClassVar[str] = "exposure"
    """The group in which ``rt --help`` lists its tool."""

    of_exposure: ClassVar[bool] = True
    """Whether it is a step of the chain of an exposure."""

    of_mosaic: ClassVar[bool] = False
    """Whether it is a step of the chain from images to a mosaic."""

    in_chain: ClassVar[bool] = True
    """Whether it has a place in the one order of the steps of its mission; the others stand behind these."""

    works_on_strips: ClassVar[bool] = False
    """Whether the engine takes strips of the exposure through it; else it leaves the pixels alone."""

    reads_ramp: ClassVar[bool] = False
    """Whether it takes a ramp; else an image."""

    writes_ramp: ClassVar[bool] = False
    """Whether its product is a ramp; else an image."""

    finds_sources: ClassVar[bool] = False
    """Whether it makes a catalog."""

    aligns: ClassVar[bool] = False
    """Whether it corrects the world coordinate system, of one image or of several together."""

    @property
    def tool(self):
        """The command, ``rt-NAME``."""
        return f"rt-{self.name}"

    @property
    def fits_ramp(self):
        """Whether it makes an image of a ramp."""
        return self.reads_ramp and not self.writes_ramp

    @property
    def missions(self):
        """Missions that have the step with this declaration."""
        return (self.mission, *self.also_of)

    def options_for(self, mission=""):
        """Declarations of its options for files of a mission.

        Parameters
        ----------
        mission : str
            By default its own.
        """
        return tuple(option for option in self.options if option.mission in ("", mission or self.mission))

    def defaults(self, mission=""):
        """Options as a dict of key to default value.

        Parameters
        ----------
        mission : str
            Whose files they are for; by default its own.
        """
        mission = mission or self.mission
        return {option.key: option.default_for(mission) for option in self.options_for(mission)}

    def carry_out(self, run, task):
        """Do the step's work on the whole image, when all strips are done; nothing, for a step on strips.

        Parameters
        ----------
        run : rtools.pipeline.exposure.run.ExposureRun
            The run, which has a method for each kind of work.
        task : rtools.pipeline.exposure.task.StripTask
            The step in this run, with its options and references.
        """


class RampStep(Step):
    """A step from ramp to ramp, which works on strips."""

    works_on_strips: ClassVar[bool] = True
    reads_ramp: ClassVar[bool] = True
    writes_ramp: ClassVar[bool] = True


class FitStep(Step):
    """A step from ramp to image, which works on strips."""

    works_on_strips: ClassVar[bool] = True
    reads_ramp: ClassVar[bool] = True


class ImageStep(Step):
    """A step from image to image, which works on strips."""

    works_on_strips: ClassVar[bool] = True


class FrameStep(Step):
    """A step that changes metadata of the whole frame: `apply` takes the exposure."""

    def carry_out(self, run, task):
        """Call its functions with the exposure."""
        run.apply_to_frame(task)


class CatalogStep(Step):
    """A step that finds and measures the sources of an image or a mosaic."""

    finds_sources: ClassVar[bool] = True

    def carry_out(self, run, task):
        """Make the catalog of the image."""
        run.find_sources(task)


class MosaicCatalogStep(CatalogStep):
    """A step that finds and measures the sources of a mosaic, and of no exposure."""

    of_exposure: ClassVar[bool] = False
    of_mosaic: ClassVar[bool] = True


class AlignStep(Step):
    """A step that aligns one image, or several together, to a reference catalog."""

    aligns: ClassVar[bool] = True

    def carry_out(self, run, task):
        """Align the image."""
        run.align(task)


@dataclass(frozen=True, kw_only=True)
class MosaicStep(Step):
    """A step on images that overlap, on the way to a mosaic.

    Attributes
    ----------
    one_by_one : bool
        It treats every image for itself; else all images of a group belong together.
    """

    one_by_one: bool = False

    group: ClassVar[str] = "mosaic"
    of_exposure: ClassVar[bool] = False
    of_mosaic: ClassVar[bool] = True


class MultibandStep(Step):
    """A step that makes one catalog of mosaics in several filters."""

    group: ClassVar[str] = "mosaic"
    of_exposure: ClassVar[bool] = False
    finds_sources: ClassVar[bool] = True


@dataclass(frozen=True, kw_only=True)
class ProductStep(Step):
    """A step from whole products of JWST to others (`rtools.pipeline.stage3`); `files` names them in its usage line.

    Where its tool does other things, too, `word` is the subcommand.
    """

    mission: str = "jwst"
    files: str = "FILE…"
    word: str = ""

    group: ClassVar[str] = "series, spectra, contrast"
    of_exposure: ClassVar[bool] = False
    in_chain: ClassVar[bool] = False

    @property
    def tool(self):
        """The command, with its subcommand."""
        return f"rt-{self.name} {self.word}".rstrip()


@dataclass(frozen=True)
class Skip:
    """What `prepare` answers when the step cannot be done: its cal_step becomes SKIPPED, with this warning."""

    reason: str


@dataclass(frozen=True)
class NotApplicable:
    """What `prepare` answers when the step is not for this exposure: its cal_step becomes N/A."""

    reason: str
