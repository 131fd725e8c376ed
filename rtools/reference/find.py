"""Which reference serves an exposure: ``--ref``, a directory, a CRDS cache, the built-in set, in this order.

The built-in set serves where it is asked for, and simulated data where no directory or cache is configured: no product
has an invented calibration, or mixes it with a real one, because a setting was lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rtools.errors import MissingReferenceError, UsageError
from rtools.reference.lock import ObeyedLock, lock_of
from rtools.reference.roman import RomanRules
from rtools.reference.rules import Case, MissionRules, SearchedPlace
from rtools.wfi.frame import FRAME

if TYPE_CHECKING:
    from pathlib import Path

    from rtools.declare import Reference
    from rtools.reference.source import ReferenceSource

__all__ = ["Answer", "Config", "references", "survey"]

ROMAN: MissionRules = RomanRules()

NOT_FOR_SCIENCE = "uses the built-in nominal instrument, not for science"
NOT_ASKED_FOR = "and the built-in set serves simulated data only, unless it is asked for"


@dataclass(frozen=True)
class Config:
    """Where references are looked for.

    Attributes
    ----------
    overrides : mapping of str to (str or Path)
        Type to path, or ``none`` to do without.
    refdir : str, Path or None
        Directory of reference files.
    builtin : bool or None
        True: fill gaps from the built-in set; False: never use it; None: only for simulated data, and only where
        nothing else is configured.
    crds : bool
        Whether a CRDS cache that the environment names is asked.
    """

    overrides: Mapping[str, str | Path] = field(default_factory=dict)
    refdir: str | Path | None = None
    builtin: bool | None = None
    crds: bool = True


@dataclass(frozen=True)
class Answer:
    """What was found for one type.

    Attributes
    ----------
    type : str
        The reference type.
    source : ReferenceSource or None
        What the reference is read from; None where there is none.
    status : str
        ``found``, ``none`` (the user's word), ``absent`` (allowed) or ``missing`` (exit 4).
    note : str
        What there is to say: where it was looked for, or a doubt about what was found.
    """

    type: str
    source: ReferenceSource | None
    status: str
    note: str = ""


def references(
    meta: Mapping[str, Any],
    uses: Iterable[Reference],
    config: Config | None = None,
    *,
    simulated: bool = False,
    frame: tuple[int, int] = (FRAME, FRAME),
    log: Callable[[str, str], None] | None = None,
    rules: MissionRules = ROMAN,
) -> dict[str, ReferenceSource | None]:
    """The reference of every type that steps use.

    Parameters
    ----------
    meta : mapping of str to object
        Metadata of the exposure; of Roman exposure.type, exposure.start_time, instrument.detector,
        instrument.optical_element.
    uses : iterable of rtools.declare.Reference
        What the steps of the run read.
    config : Config, optional
        Where references are looked for; what the environment says by default.
    simulated : bool
        Whether the data are (`rtools.products.schema.history.is_simulated`): only then the built-in set serves unasked.
    frame : tuple of int
        Rows and columns of the exposure's full frame; built-in references are made for it.
    log : callable, optional
        ``log(level, text)`` for warnings, as that a file is for another detector, and for a caution that the built-in
        set is not for science.
    rules : MissionRules
        Of the exposure's mission (`rtools.reference.missions.rules_of`); Roman's by default.

    Returns
    -------
    dict of str to (ReferenceSource or None)
        Type to source (`rtools.reference.files.FileSource` or `rtools.reference.builtin.Builtin`); None where the user
        said ``none``, or where the type may be absent and is.

    Raises
    ------
    MissingReferenceError
        A type that is needed is nowhere, or would come from the built-in set that nobody asked for; all such types
        are named, and where they were looked for.
    InputError
        A file given for a type cannot be read or is of another type.
    UsageError
        An override for a type that does not exist.
    """
    config = config or Config()
    log = log or (lambda level, text: None)
    answers = survey(meta, uses, config, simulated=simulated, frame=frame, log=log, rules=rules)
    missing = [answer for answer in answers if answer.status == "missing"]
    if missing:
        raise _missing(missing, rules.wanted(meta), config, rules)
    if any(answer.source is not None and answer.source.origin == "builtin" for answer in answers):
        log("caution", NOT_FOR_SCIENCE)
    return {answer.type: answer.source for answer in answers}


def survey(
    meta: Mapping[str, Any],
    uses: Iterable[Reference],
    config: Config | None = None,
    *,
    simulated: bool = False,
    frame: tuple[int, int] = (FRAME, FRAME),
    log: Callable[[str, str], None] | None = None,
    rules: MissionRules = ROMAN,
) -> list[Answer]:
    """As `references`, but a missing type is an answer and not an error.

    Parameters
    ----------
    meta, uses, config, simulated, frame, log, rules
        As for `references`.

    Returns
    -------
    list of Answer
        In the order of `uses`, each type once.

    Raises
    ------
    InputError, UsageError
        As `references`.
    """
    config = config or Config()
    log = log or (lambda level, text: None)
    overrides = _overrides(config, rules)
    want = rules.wanted(meta)
    uses = _merge(uses)
    for reftype in overrides.keys() - {*rules.applied, *(use.type for use in uses)}:
        log("warning", f"--ref {reftype}: no tool applies a reference of this type")
    places = _places(config, [use.type for use in uses if use.type not in overrides], meta, log, rules)
    case = Case(want, (frame[0], frame[1]), log, simulated)
    return [_answer(use, overrides.get(use.type), _Search(places, config, case, rules)) for use in uses]


@dataclass(frozen=True)
class _Search:
    """Where is looked, for which exposure, by which rules."""

    places: list[SearchedPlace]
    config: Config
    case: Case
    rules: MissionRules


def _merge(uses):
    """Uses by type, each once; a type may be absent only where every step can do without it."""
    merged: dict[str, Reference] = {}
    for use in uses:
        known = merged.get(use.type)
        merged[use.type] = use if known is None or known.absent == "skip" else known
    return list(merged.values())


def _overrides(config, rules):
    overrides = {}
    for word, path in config.overrides.items():
        reftype = rules.type_of(word)
        if reftype is None:
            raise UsageError(f"--ref {word}=…: no such reference type", mend=f"types: {' '.join(rules.types)}")
        overrides[reftype] = str(path)
    return overrides


def _places(config, reftypes, meta, log, rules):
    """What is configured, in the order in which it is asked."""
    places = []
    if config.refdir is not None:
        candidates, lock = rules.scan(config.refdir), lock_of(config.refdir)
        obeyed = ObeyedLock(config.refdir, lock) if lock else None
        if obeyed:
            candidates = obeyed.named(candidates, log)
        for candidate in candidates:
            if candidate.problem:
                log("warning", f"{candidate.path}: {candidate.problem}; ignored")

        def in_directory(reftype):
            candidate, note = rules.best(candidates, reftype, rules.wanted(meta))
            if candidate and obeyed:
                obeyed.refuse_changed(candidate.path)
            return (candidate.path if candidate else None), note

        places.append(SearchedPlace(str(config.refdir), in_directory, "file"))
    cache = rules.crds(reftypes, meta, log) if config.crds else None
    return places if cache is None else [*places, cache]


def _answer(use, override, search):
    reftype, config, case, rules = use.type, search.config, search.case, search.rules
    if override is not None and override.lower() == "none":
        if not use.refusable:
            return Answer(reftype, None, "missing", f"--ref {reftype}=none, but nothing can be done without it")
        return Answer(reftype, None, "none", f"--ref {reftype}=none")
    if override is not None:
        return _open(reftype, override, "file", search, "--ref")
    notes = []
    for place in search.places:
        path, note = place.look(reftype)
        if path is not None:
            if note:
                case.log("warning", f"{path}: {note}; this one taken")
            return _open(reftype, path, place.origin, search, note)
        notes.append(f"{place.name} ({note})" if note else place.name)
    has_builtin = reftype in rules.applied and rules.has_builtin(reftype, case)
    unasked = config.builtin is None and not search.places and has_builtin
    if has_builtin and (config.builtin or (unasked and case.simulated)):
        case.log("info", f"{reftype}: built-in nominal reference")
        return Answer(reftype, rules.builtin(reftype, case), "found")
    if unasked and reftype not in rules.lackable:
        doubt = f", {rules.crds_doubt()}" if rules.crds_doubt() else ""
        return Answer(reftype, None, "missing", f"no place is configured{doubt}, {NOT_ASKED_FOR}")
    where = ", ".join(notes) or "no place is configured"
    return Answer(reftype, None, "absent" if use.absent == "skip" else "missing", where)


def _open(reftype, path, origin, search, note):
    source, wrong = search.rules.open(reftype, path, origin, search.case)
    if wrong:
        note = f"for {wrong}; the exposure is {search.case.want}"
        search.case.log("warning", f"{reftype} reference {path}: {note}")
    return Answer(reftype, source, "found", note)


def _missing(answers, want, config, rules):
    """The error that names every missing type and the places asked."""
    if len(answers) == 1:
        what = f"no {answers[0].type} reference for {want}: {answers[0].note}"
    else:
        places = {answer.note for answer in answers}
        listed = ", ".join(
            f"{answer.type}" if len(places) == 1 else f"{answer.type} [{answer.note}]" for answer in answers
        )
        what = f"no references for {want}: {listed}" + (f": {places.pop()}" if len(places) == 1 else "")
    refused = any(answer.type in _overrides(config, rules) for answer in answers)
    nominal = ", or --builtin for nominal ones, not for science" if config.builtin is None and not refused else ""
    mend = f"give --refdir DIR or --ref TYPE=FILE{nominal}"
    return MissingReferenceError(what, mend=mend)
