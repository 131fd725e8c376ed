"""Jobs of a run as rules: which files one needs and makes, and the command line that makes them."""

import json
import os
from pathlib import Path
from typing import NamedTuple

import click

from rtools.commands.kit.grid_options import GRID_KEYS
from rtools.commands.kit.inputs import is_association, is_stream
from rtools.commands.kit.rule_words import command_of_product, mosaic_of_products, of_chain, option_words
from rtools.errors import UsageError
from rtools.pipeline.job.outputs import COMPANIONS
from rtools.products.mosaic.association import AssociationMember, content_of, make_association

__all__ = ["Rule", "rules_of"]

OF_MOSAICS = (*GRID_KEYS, "add", "mosaic", "keep_values")

OF_EXPOSURES = ("first", "last", "also", "refcat", "strict", "guide", "high_frequency")


OF_BACKGROUNDS = ("backgrounds",)

OF_WHOLE_CHAINS = ("first", "last", "save_steps")


class Rule(NamedTuple):
    """One job.

    Attributes
    ----------
    name : str
        A word that no other rule has.
    inputs : tuple of Path
        Files that must be there, absolute.
    outputs : tuple of Path
        Files that appear, absolute, the main product last.
    words : tuple of str
        Its command line.
    bytes : int
        Memory at its peak, about.
    """

    name: str
    inputs: tuple[Path, ...]
    outputs: tuple[Path, ...]
    words: tuple[str, ...]
    bytes: int


def rules_of(jobs, context: click.Context, folder: Path) -> list[Rule]:
    """The rules of a run, each behind those whose products it needs.

    Parameters
    ----------
    jobs : sequence of rtools.pipeline.job.job.Job
        Of the run.
    context : click.Context
        Of the command that was typed.
    folder : Path
        Takes associations that command lines need.

    Returns
    -------
    list of Rule
    """
    from rtools.pipeline.exposure.job import AlignJob
    from rtools.pipeline.mosaic.job import FutureMosaicJob

    _refuse_streams(jobs)
    maker = _Maker(
        context,
        folder,
        to_mosaic=any(isinstance(job, FutureMosaicJob) and not job.request.single for job in jobs),
        to_products=any(job.kind == "products" for job in jobs),
        rates={key for job in jobs if job.kind == "calibrate" for key in job.waits_for},
    )
    aligned = {member.key for job in jobs if isinstance(job, AlignJob) for member in job.members}
    rules = []
    for job in jobs:
        if job.key not in aligned:  # those are calibrated by the command that aligns them
            rules.append(maker.rule(job, f"job{len(rules) + 1:04d}"))
    return rules


def _refuse_streams(jobs):
    """Refuse what will not be there when the rules are carried out."""
    if any(job.request.to_stdout for job in jobs) or any(is_stream(name) for job in jobs for name in job.reads):
        raise UsageError("--emit takes and writes files, not streams")


class _Maker:
    """Makes the rules of one command.

    Parameters
    ----------
    context : click.Context
        Of the command.
    folder : Path
        Takes associations.
    to_mosaic : bool
        Whether exposures are calibrated on the way to a mosaic.
    to_products : bool
        Whether they are calibrated on the way to products of JWST's third stage.
    rates : set of str
        Keys of jobs that make no more than the rate that another exposure needs, or goes on from.
    """

    def __init__(self, context, folder, *, to_mosaic, to_products, rates):
        self._context, self._folder, self._to_mosaic, self._rates = context, folder, to_mosaic, rates
        self._to_products = to_products

    def rule(self, job, name):
        """The rule of a job."""
        from rtools.pipeline.exposure.job import AlignJob
        from rtools.pipeline.mosaic.job import FutureMosaicJob, MosaicJob

        called = self._context.command.name
        if job.kind == "products":
            called, inputs, options = command_of_product(job, self._context)
        elif isinstance(job, FutureMosaicJob) and job.request.single:
            called, inputs, options = mosaic_of_products(job)
        elif isinstance(job, FutureMosaicJob):
            inputs, options = self._future_mosaic(job, name)
        elif isinstance(job, MosaicJob):
            inputs, options = list(job.files), [*self._options(()), *self._memory(), *self._where()]
        elif isinstance(job, AlignJob):
            inputs, options = self._aligned(job, name), self._of_exposures(job)
        elif job.key in self._rates:
            inputs, options = [job.name], self._of_rates(job)
        else:
            inputs, options = self._exposure(job)
        words = (called, *inputs, *options, "-j", str(self._context.params["jobs"]), "--overwrite")
        backgrounds = getattr(job.request, "backgrounds", ())
        needs = [name for name in (*inputs, *job.reads, *backgrounds) if job.reads]
        return Rule(
            name=name,
            inputs=tuple(dict.fromkeys(Path(os.path.abspath(name)) for name in needs)),
            outputs=tuple(Path(os.path.abspath(path)) for path in _certain(job)),
            words=words,
            bytes=job.cost().bytes,
        )

    def _options(self, without):
        return option_words(self._context, without)

    def _memory(self):
        given = self._context.params.get("max_memory")
        return [] if given is None else ["--max-memory", str(given)]

    def _where(self):
        """``-o`` and ``--outdir`` as they were typed."""
        params = self._context.params
        return [*(["-o", params["output"]] if params.get("output") else []), *self._outdir()]

    def _exposure(self, job):
        """What a command takes that calibrates an exposure, perhaps with those that show its background."""
        files = list(getattr(job.request, "backgrounds", ()))
        if not files or job.request.single:
            return [job.name, *files], self._of_exposures(job)
        words = [word for file in files for word in ("--background", file)]
        # the name of its product, which an association may say
        return [job.name], [*self._of_exposures(job, OF_BACKGROUNDS), *words, "-o", str(job.writes[-1])]

    def _of_rates(self, job):
        """Options of a command that makes a rate, and no more."""
        from rtools.pipeline.jwst.awaiting import LAST

        return [*self._of_exposures(job, (*OF_BACKGROUNDS, *OF_WHOLE_CHAINS)), "--until", LAST, *self._outdir()]

    def _outdir(self):
        outdir = self._context.params.get("outdir")
        return ["--outdir", outdir] if outdir else []

    def _of_exposures(self, job, without=()):
        """Options of a command that calibrates exposures, or does one step; where to, if that is as it was typed."""
        where = [] if without else self._where()
        if self._to_products:
            return [*self._options(("settings", "skip", *without)), *of_chain(self._context), *where]
        if not self._to_mosaic:
            return [*self._options(without), *where]
        options = self._options((*OF_MOSAICS, "settings", "skip", *without))
        return [*options, *self._of_steps(_mission(job), mosaic=False), *([] if without else self._outdir())]

    def _of_steps(self, mission, *, mosaic):
        """``--set`` and ``--skip`` of those steps that exposures, or the mosaic, have; the catalog is of both."""
        from rtools.commands.kit.mosaic_requests import step_named

        words = []
        for option, key in (("--set", "settings"), ("--skip", "skip")):
            for word in self._context.params[key]:
                name, of_mosaic = step_named(word.partition("=")[0].partition(".")[0], mission)
                words += [option, word] if name == "catalog" or of_mosaic == mosaic else []
        return words

    def _aligned(self, job, name):
        """What a command takes that aligns these: the association, the files, or an association that is made for it."""
        if is_association(job.name):
            return [job.name]
        if job.request.single:
            return [member.name for member in job.members]
        catalogs = getattr(job.request, "catalogs", {})
        members = [AssociationMember(os.path.abspath(one.path), tweakreg_catalog=_absolute(catalogs.get(one.name)))
                   for one in job.members]  # fmt: skip
        return [self._association(f"{name}_asn.json", make_association("together", members))]

    def _future_mosaic(self, job, name):
        """Inputs and options of the command that makes a mosaic of images that others make."""
        files = [image.path for image in job.images]
        if job.association is not None:
            made = {os.path.abspath(image.name): os.path.abspath(image.path) for image in job.images}
            content = content_of(job.association.path)
            beside = Path(job.association.path).absolute().parent
            for member in (one for product in content["products"] for one in product["members"]):
                path = os.path.normpath(beside / member["expname"])
                member["expname"] = made.get(path, path)
            files = [self._association(Path(job.association.path).name, content)]
        suffix = job.request.rules.suffix
        options = [
            *self._options((*OF_EXPOSURES, "settings", "skip", "mosaic")),
            *self._of_steps(job.request.mission, mosaic=True),
        ]
        outdir = self._context.params["outdir"]
        where = ["-o", str(job.outputs[0][suffix])] if len(job.outputs) == 1 else []
        return files, ["--mosaic", *options, *self._memory(), *where, *(["--outdir", outdir] if outdir else [])]

    def _association(self, name, content):
        """Write an association beside the rules; its path."""
        path = self._folder / name
        path.write_text(json.dumps(content, indent=1))
        return str(path)


def _mission(job):
    from rtools.pipeline.jwst.awaiting import AwaitingJob
    from rtools.pipeline.jwst.job import JwstJob

    return "jwst" if isinstance(job, JwstJob | AwaitingJob) else "roman"


def _certain(job):
    """Products that a job makes for certain: a step that turns out not to apply has none of its own."""
    if not getattr(job.request, "save_steps", False):
        return job.writes
    companions = tuple(f"_{suffix}" for suffix in COMPANIONS)
    return [path for path in job.writes if path == job.writes[-1] or path.stem.endswith(companions)]


def _absolute(path):
    return None if path is None else os.path.abspath(path)
