"""What associations of the third stage, and of spectra of the second, ask for: which steps, on which files.

The recipes follow the mission's pipelines calwebb_tso3, calwebb_coron3, calwebb_ami3, calwebb_spec2 and calwebb_spec3.
Each step is a job of its own, which waits for those that make what it needs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from rtools.declare import Step
from rtools.errors import InputError
from rtools.jwst.suffixes import extension_of
from rtools.pipeline.job.job import Job
from rtools.pipeline.job.request import Request
from rtools.pipeline.mosaic import FutureImage, MosaicRequest, WantedGrid
from rtools.pipeline.mosaic.job import plan_future_mosaic
from rtools.pipeline.stage3.job import Awaited, plan_products
from rtools.pipeline.stage3.work import work_of
from rtools.products import names
from rtools.products.jwst import open_jwst
from rtools.reference.find import Config

__all__ = ["RECIPES", "Chain", "MemberFile"]


class MemberFile(NamedTuple):
    """A file that is there, or that a job of the run makes.

    Attributes
    ----------
    path : str
        Where it is, or will be.
    kind : str
        The product that it is.
    like : str
        A file that is there and has its metadata.
    key : str or None
        Of the job that makes it.
    """

    path: str
    kind: str
    like: str
    key: str | None = None

    @property
    def root(self) -> str:
        """Its name without suffix and directory."""
        return names.split_suffix(Path(self.path).name)[0]


@dataclass
class Chain:
    """Jobs of one product of an association, as they are planned.

    Attributes
    ----------
    product : str
        The name of the product, without suffix.
    asn_id : str
        The candidate, which stands in names of exposures.
    folder : Path
        Where products go.
    request : rtools.pipeline.job.request.Request
        What is asked; its `settings` are those of all steps.
    path : str
        The association, for messages.
    meta : mapping
        Of its first science member.
    planned : dict of str to Job
        What the run has planned so far, by keys, in the order in which it is done: what two products need is made once.
    jobs : list of Job
        Those of them that this product needs.
    """

    product: str
    asn_id: str
    folder: Path
    request: Request
    path: str
    meta: Mapping[str, Any]
    planned: dict[str, Job] = field(default_factory=dict)
    jobs: list[Job] = field(default_factory=list)

    @property
    def exposure_type(self) -> str:
        """EXP_TYPE of the first science member."""
        return str((self.meta.get("exposure") or {}).get("type"))

    def skips(self, step: str) -> bool:
        """Whether a step is not wanted.

        Parameters
        ----------
        step : str
            Its tool name.
        """
        return step in self.request.skip

    def add(self, job: Job) -> None:
        """Have a job done, once where it is planned again.

        Parameters
        ----------
        job : Job
            Which.

        Raises
        ------
        InputError
            Another job of the run makes the same files of others.
        """
        twin = self.planned.setdefault(job.key, job)
        if twin.reads != job.reads:
            raise InputError(f"{job.writes[-1]} would be made twice, of different files", path=self.path)
        self.jobs.append(twin)

    def of_exposure(self, piece: MemberFile) -> str:
        """Root of what is made of one exposure for this association: with the candidate's name.

        Parameters
        ----------
        piece : MemberFile
            The exposure.
        """
        ending = f"_{self.asn_id}"
        return piece.root if not self.asn_id or piece.root.endswith(ending) else piece.root + ending

    def do(self, step: str, pieces: Sequence[MemberFile | None], root: str) -> dict[str, MemberFile]:
        """Plan a step, if it is wanted.

        Parameters
        ----------
        step : str
            Its tool name.
        pieces : sequence of MemberFile or None
            What it is done on, in the order in which the tool takes them; None is what a skipped step would have made.
        root : str
            Names of its products without suffix.

        Returns
        -------
        dict of str to MemberFile
            Its products by suffix, the main one last; none where the step is skipped, or what it needs is not made.
        """
        files = [piece for piece in pieces if piece is not None]
        if self.skips(step) or len(files) < len(pieces):
            return {}
        work, settings = work_of(step), self.request.settings.get(step, {})
        options = work.step.defaults("jwst") | dict(settings)
        suffixes = work.gives(files[0].kind, options)
        outputs = {suffix: self.folder / f"{root}_{suffix}.{extension_of(suffix)}" for suffix in suffixes}
        request = replace(
            self.request,
            tool=work.step.tool,
            single=step,
            skip=frozenset(),
            settings={step: settings},
            references=_of_step(self.request.references, work.step),
        )
        after = {piece.path: Awaited(piece.key, piece.like, piece.kind) for piece in files if piece.key}
        paths = [piece.path for piece in files]
        job = plan_products(str(outputs[suffixes[-1]]), paths, request, outputs=outputs, after=after)
        self.add(job)
        return {suffix: MemberFile(str(path), suffix, files[0].like, job.key) for suffix, path in outputs.items()}


def _resample(chain: Chain, pieces: Sequence[MemberFile]) -> None:
    """The job of a mosaic of images with north up, which are made in the same run."""
    settings = {name: chain.request.settings[name] for name in ("resample",) if name in chain.request.settings}
    request = MosaicRequest(
        tool="rt-resample",
        single="resample",
        mission="jwst",
        settings=settings,
        wanted=WantedGrid(pa=0.0),
        output=str(chain.folder / f"{chain.product}_i2d.fits"),
        overwrite=chain.request.overwrite,
        resume=chain.request.resume,
    )
    images = [FutureImage(piece.path, piece.path, piece.key) for piece in pieces]
    like = [open_jwst(piece.like) for piece in pieces]
    chain.add(plan_future_mosaic(str(request.output), images, request, like))


def _of_step(config: Config, step: Step) -> Config:
    """Where references are looked for, without those that the step does not read: its tool does not know them."""
    types = {one.type for one in step.references}
    if not types:
        return Config()
    return replace(config, overrides={kind: path for kind, path in config.overrides.items() if kind in types})


Members = Mapping[str, Sequence[MemberFile]]
"""Files of the members of a product, by exptype."""


def _without_outliers(chain: Chain, pieces: Sequence[MemberFile]) -> list[MemberFile]:
    """Exposures with their outliers flagged, each in a file of its own; as they are, where that is not wanted."""
    done = [chain.do("outlier", [piece], chain.of_exposure(piece)) for piece in pieces]
    return [found.get("crfints", piece) for found, piece in zip(done, pieces, strict=True)]


IMAGES_IN_TIME = ("NRC_TSIMAGE", "MIR_IMAGE")
"""Types of time series that are images; the others are spectra."""


def _series(chain: Chain, members: Members) -> None:
    """tso3: outliers, and a light curve: of images by an aperture, of spectra in white light."""
    pieces = _without_outliers(chain, members["science"])
    if chain.exposure_type in IMAGES_IN_TIME:
        chain.do("phot", pieces, chain.product)
        return
    spectra = chain.do("x1d", pieces, chain.product)
    chain.do("whtlt", [spectra.get("x1dints")], chain.product)


def _coronagraphs(chain: Chain, members: Members) -> None:
    """coron3: outliers; reference stars together, aligned with each exposure, subtracted from it; the mosaic of all."""
    if not members.get("psf"):
        raise InputError("no member is a reference star (exptype psf)", path=chain.path)
    targets = _without_outliers(chain, members["science"])
    stack = chain.do("psfstack", _without_outliers(chain, members["psf"]), chain.product).get("psfstack")
    left: list[MemberFile] = []
    for target in targets:
        root = chain.of_exposure(target)
        aligned = chain.do("psfalign", [target, stack], root).get("psfalign")
        left += chain.do("psfsub", [target, aligned], root).values()
    if left and not chain.skips("resample"):
        _resample(chain, left)


def _interferometry(chain: Chain, members: Members) -> None:
    """ami3: observables of each exposure; those of the target divided by those of the reference star."""
    targets, stars = (
        [chain.do("ami", [piece], chain.of_exposure(piece)).get("ami-oi") for piece in members.get(exptype, ())]
        for exptype in ("science", "psf")
    )
    if len(stars) > 1:
        raise InputError(f"{len(stars)} members are reference stars: one calibrates a target", path=chain.path)
    for piece, target in zip(members["science"], targets, strict=True):
        root = chain.product if len(targets) == 1 else f"{chain.product}-{chain.of_exposure(piece)}"
        for star in stars:
            chain.do("aminorm", [target, star], root)


INTEGRAL_FIELD = ("MIR_MRS", "NRS_IFU")


def _spectra_of_exposures(chain: Chain, members: Members) -> None:
    """spec2: of one exposure a rectified image and a spectrum; of a series spectra of each integration."""
    (piece,) = members["science"]
    if piece.kind == "calints":
        chain.do("x1d", [piece], chain.product)
    elif chain.exposure_type in INTEGRAL_FIELD:
        chain.do("x1d", [chain.do("cube", [piece], chain.product).get("s3d")], chain.product)
    else:
        chain.do("x1d", [chain.do("resample", [piece], chain.product).get("s2d", piece)], chain.product)


def _spectra_of_targets(chain: Chain, members: Members) -> None:
    """spec3: of all exposures of a target one rectified image or cube and its spectrum, and their spectra combined."""
    science = list(members["science"])
    if chain.exposure_type in INTEGRAL_FIELD:
        chain.do("x1d", [chain.do("cube", science, chain.product).get("s3d")], chain.product)
        return
    chain.do("x1d", [chain.do("resample", science, chain.product).get("s2d")], chain.product)
    if len(science) > 1 and not chain.skips("c1d"):
        roots = [piece.root.removesuffix(f"_{chain.asn_id}") for piece in science]  # spectra of exposures have no more
        spectra = [chain.do("x1d", [piece], root).get("x1d") for piece, root in zip(science, roots, strict=True)]
        chain.do("c1d", spectra, chain.product)


class Stage3Recipe(NamedTuple):
    """What an association of one type asks for.

    Attributes
    ----------
    plan : callable
        ``plan(chain, members)`` plans all jobs.
    steps : tuple of str
        Tool names of the steps that it may have.
    out_of_reach : mapping of str to str
        EXP_TYPE of what is not done here, and why.
    """

    plan: Callable[[Chain, Members], None]
    steps: tuple[str, ...]
    out_of_reach: Mapping[str, str] = {}


OVERLAPPING = "spectra of overlapping orders (ATOCA) are not extracted here"
NO_SLITS = "spectra without slits are not cut out and extracted here"

RECIPES: Mapping[str, Stage3Recipe] = {
    "tso3": Stage3Recipe(_series, ("outlier", "phot", "x1d", "whtlt"), {"NIS_SOSS": OVERLAPPING}),
    "coron3": Stage3Recipe(_coronagraphs, ("outlier", "psfstack", "psfalign", "psfsub", "resample")),
    "ami3": Stage3Recipe(_interferometry, ("ami", "aminorm")),
    "spec2": Stage3Recipe(
        _spectra_of_exposures,
        ("resample", "cube", "x1d"),
        {"NIS_SOSS": OVERLAPPING, "NIS_WFSS": NO_SLITS, "NRC_WFSS": NO_SLITS},
    ),
    "spec3": Stage3Recipe(
        _spectra_of_targets, ("resample", "cube", "x1d", "c1d"), {"NIS_WFSS": NO_SLITS, "NRC_WFSS": NO_SLITS}
    ),
}
"""Recipes by the type of their associations."""
