"""The job of a step on whole products: planned from names and headers, carried out on what lies there then."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from rtools.errors import InputError, MissingReferenceError, UsageError
from rtools.jwst.suffixes import extension_of
from rtools.pipeline.job.compiling import announced
from rtools.pipeline.job.job import (
    Cost,
    Description,
    Failure,
    Job,
    Messages,
    Outcome,
    PlannedMember,
    PlannedStep,
    Result,
)
from rtools.pipeline.job.journal import Journal
from rtools.pipeline.job.outputs import check_outputs, make_directory, name_outputs, refuse_inputs, refuse_several
from rtools.pipeline.job.process import PROCESS_BYTES, peak_memory, settled
from rtools.pipeline.job.records import options_of, record_of
from rtools.pipeline.job.request import Request
from rtools.pipeline.job.settings import check_options
from rtools.pipeline.job.steps import StepPlan
from rtools.pipeline.stage3.making import ProductMaking
from rtools.pipeline.stage3.work import ProductWork, nth_product, with_candidate, without_segment, work_of
from rtools.products import names
from rtools.products.jwst import open_jwst
from rtools.products.schema import history
from rtools.products.schema.record import JobRecord
from rtools.reference import find
from rtools.reference.missions import rules_of
from rtools.work import Work

__all__ = ["Awaited", "ProductsJob", "plan_products"]


class Awaited(NamedTuple):
    """A file that another job of the run makes.

    Attributes
    ----------
    key : str
        Of that job.
    like : str
        A file that is there, whose metadata choose references and whose pixels say what memory is needed.
    kind : str
        The product that it will be.
    """

    key: str
    like: str
    kind: str


@dataclass(frozen=True, eq=False)
class ProductsJob(Job):
    """Do a step on whole products.

    Attributes
    ----------
    files : tuple of str
        What it is done on, in the order in which the tool takes them.
    called : str
        What outputs are named after: the first file, or the name that standard input gives itself.
    step : rtools.pipeline.job.steps.StepPlan
        Options and references.
    outputs : mapping of str to Path
        Products by suffix, the main one last.
    messages : rtools.pipeline.job.job.Messages
        What is to be said before the work.
    bytes : int
        Of the arrays of all files.
    after : mapping of str to Awaited
        Those of the files that are made in the same run.
    """

    files: tuple[str, ...]
    called: str
    step: StepPlan
    outputs: Mapping[str, Path]
    messages: Messages
    bytes: int
    after: Mapping[str, Awaited] = field(default_factory=dict)

    kind = "products"

    def __reduce__(self):
        return _planned_again, (self.name, self.files, self.request, self.called, self.outputs, self.after)

    @property
    def _work(self) -> ProductWork:
        return work_of(self.step.step.name)

    @cached_property
    def record(self) -> JobRecord | None:
        """The files, and the step of the plan; what it is of files that are not there yet, nobody knows."""
        if self.is_future:
            return None
        step = self.step.step
        return record_of(
            self.request,
            self.files,
            options_of([self.step]),
            mission=step.mission,
            declared={step.name: step},
            references=self.step.references,
            folder=self.writes[-1].parent,
        )

    @property
    def waits_for(self) -> tuple[str, ...]:
        """Keys of the jobs that make its files."""
        return tuple(dict.fromkeys(awaited.key for awaited in self.after.values()))

    @property
    def is_future(self) -> bool:
        """Whether some of its files are made in the same run."""
        return bool(self.after)

    @property
    def reads(self) -> tuple[str, ...]:
        """The files."""
        return self.files

    @property
    def writes(self) -> tuple[Path, ...]:
        """Its products, the main one last."""
        return tuple(self.outputs.values())

    def cost(self) -> Cost:
        """Memory by the arrays of its files."""
        return Cost(bytes=int(PROCESS_BYTES + self._work.copies * self.bytes))

    def describe(self) -> Description:
        """The step with its options and references, and the products."""
        found = {kind: source.label if source else None for kind, source in self.step.references.items()}
        step = self.step.step
        several = len(self.files) > 1
        return Description(
            input=self.name,
            steps=(PlannedStep(step.name, self.step.status, self.step.options, found, step.mission),),
            outputs=("-",) if self.request.to_stdout else tuple(map(str, self.writes)),
            warnings=(*self.messages.cautions, *self.messages.warnings),
            members=tuple(PlannedMember(file) for file in self.files) if several else (),
            waits_for=self.waits_for,
        )

    def moved_to(self, folder: Path) -> ProductsJob:
        """The same job with its main product alone, in a directory."""
        main = list(self.outputs)[-1]
        return replace(self, outputs={main: folder / self.outputs[main].name})

    def settled(self, before: Mapping[str, Sequence[Outcome]], *, whole: bool = False) -> ProductsJob:
        """The job when all its files are there; where one of them could not be made it is refused."""
        for file, awaited in self.after.items():
            outcomes = before.get(awaited.key, ())
            if not whole and any(isinstance(one, Failure) for one in outcomes):
                raise InputError("could not be made", path=file)
        if not self.after:
            return self
        return _planned_again(self.name, self.files, self.request, self.called, self.outputs, {})

    def carry_out(self, work: Work, before: Mapping[str, Sequence[Outcome]]) -> Sequence[Outcome]:
        """Make the products."""
        if self.is_future:
            return self.settled(before).carry_out(work, before)
        started, journal = time.perf_counter(), Journal(work.log, self.called)
        for folder in {path.parent for path in self.writes}:
            make_directory(folder)
        with settled(), announced(journal.tell):
            journal.begin(self.messages)
            stages = self._made(work.with_log(journal.log))
        outputs = tuple(stages[suffix].commit() for suffix in self.outputs if suffix in stages)
        seconds = time.perf_counter() - started
        name = self.step.step.name
        return [
            Result(
                input=self.name,
                outputs=outputs,
                statuses={self.step.step.cal_step: "COMPLETE"},
                seconds={name: seconds, "total": seconds},
                peak_memory=peak_memory(),
                warnings=tuple(journal.warned),
                members=self.files if len(self.files) > 1 else (),
            )
        ]

    def _made(self, work):
        """Products under temporary names."""
        step, products = self.step, tuple(map(open_jwst, self.files))
        found = {kind: source for kind, source in step.references.items() if source}
        entry = self.asked.entry(
            parameters={step.step.name: dict(step.options)}, inputs=list(self.files), references=found
        )
        making = ProductMaking(products, step.options, step.references, self.outputs, entry, work)
        try:
            self._work.make(making)
            making.finish()
        except BaseException:
            making.discard()
            raise
        return making.stages


def plan_products(
    name: str,
    files: Sequence[str],
    request: Request,
    *,
    called: str | None = None,
    outputs: Mapping[str, Path] | None = None,
    after: Mapping[str, Awaited] | None = None,
) -> ProductsJob:
    """Decide how a step is done on whole products, or refuse it.

    Parameters
    ----------
    name : str
        What the job is called: the first file, or the product.
    files : sequence of str
        In the order in which the tool takes them.
    request : rtools.pipeline.job.request.Request
        Its `single` names the step.
    called : str, optional
        What outputs are named after, where that is not the first file.
    outputs : mapping of str to Path, optional
        Products by suffix, where the request does not say their names; the main one last.
    after : mapping of str to Awaited, optional
        Those of the files that are made in the same run.

    Returns
    -------
    ProductsJob

    Raises
    ------
    InputError, UsageError, MissingReferenceError, RtoolsError
        A file is of another kind, an option is wrong, a reference is missing, or an output exists.
    """
    after, called = dict(after or {}), str(called or files[0])
    work, messages = work_of(str(request.single)), Messages()
    if work.segments and len(files) > 1:
        called = without_segment(called)
    step = work.step
    options = step.defaults("jwst") | check_options(step, request.settings.get(step.name, {}))
    products = tuple(open_jwst(after[file].like if file in after else file) for file in files)
    kinds = [after[file].kind if file in after else one.kind for file, one in zip(files, products, strict=True)]
    kind = kinds[0]
    work.refuse_misfit(list(zip(files, kinds, strict=True)))
    if work.foresee is not None:
        work.foresee(kind, products, options)
    if not after and work.check is not None:
        work.check(products, options)
    if outputs is None:
        outputs = _named(work, kind, options, request, called, files=files)
    messages.warnings += check_outputs(outputs, list(outputs)[-1], request, [called])
    refuse_inputs(outputs.values(), files)
    found = find.references(
        products[0].meta,
        step.references if work.uses is None else work.uses(products, options),
        request.references,
        simulated=history.is_simulated(products[0].history),
        log=messages.log,
        rules=rules_of("jwst"),
    )
    if work.lacks is not None and (lack := work.lacks(kind, products, options, found)):
        raise MissingReferenceError(lack.why, mend=_mended(lack, step, in_run=bool(after)), path=products[0].path)
    size = sum(one.dtype.itemsize * math.prod(one.shape) for product in products for one in product.arrays.values())
    plan = StepPlan(step, options, found)
    return ProductsJob(name, request, tuple(files), called, plan, outputs, messages, size, after)


def _mended(lack, step, *, in_run):
    """What to give where something lacks: to the tool of the step, or to a run of many."""
    if in_run:
        setting = f"--set {step.name}.{lack.option.replace(' ', '=')}"
        return f"--ref {lack.type}=FILE or {setting} gives it, --skip {step.name} does without"
    return f"--ref {lack.type}=FILE or --{lack.option} gives it"


def _named(work, kind, options, request, called, *, files):
    suffixes = work.gives(kind, options)
    if kind in work.compares and len(files) > 1:
        return _each_named(suffixes[-1], request, files)
    if work.together and len(files) > 1 and not request.output:
        raise UsageError("the product has no name", mend=f"use -o NAME_{suffixes[-1]}.{extension_of(suffixes[-1])}")
    stem = with_candidate(names.split_suffix(Path(called).name)[0], request.asn_id)
    extensions = {suffix: extension_of(suffix) for suffix in suffixes}
    return name_outputs(request, Path(called).parent, stem, extensions, suffixes[-1])


def _each_named(suffix, request, files):
    refuse_several(request, len(files))
    found: dict[str, Path] = {}
    for number, file in enumerate(files):
        stem = with_candidate(names.split_suffix(Path(file).name)[0], request.asn_id)
        extension = {suffix: extension_of(suffix)}
        found[nth_product(suffix, number)] = name_outputs(request, Path(file).parent, stem, extension, suffix)[suffix]
    return found


def _planned_again(name, files, request, called, outputs, after):
    return plan_products(name, files, request, called=called, outputs=outputs, after=after)
