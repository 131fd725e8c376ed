"""What rt-run asks of exposures, and of the mosaic that they become."""

from rtools.commands.kit.chosen_steps import ChosenSteps
from rtools.commands.kit.config import with_tables
from rtools.commands.kit.grid_options import wanted_grid
from rtools.commands.kit.step_options import read_settings
from rtools.errors import UsageError
from rtools.pipeline.job.steps import step_names, step_of

__all__ = ["StepsOfRun", "requests_of", "step_named"]


def requests_of(options, mission, references, catalog, *, of_images):
    """What is asked of the exposures, and what of the mosaic.

    Parameters
    ----------
    options : dict
        Of `rt-run`, for files of this mission.
    mission : str
        Whose they are.
    references : rtools.reference.find.Config
        Where reference files are looked for.
    catalog : dict
        Options of the catalog by key that environment or configuration give.
    of_images : bool
        Nothing is calibrated, so that no step of exposures can be named.

    Returns
    -------
    exposures : rtools.pipeline.exposure.request.ExposureRequest
    mosaic : rtools.pipeline.mosaic.request.MosaicRequest

    Raises
    ------
    UsageError
        A word means nothing, or a step is skipped without which there is no mosaic.
    """
    chosen = StepsOfRun(mission, of_images=of_images)
    words = ["outlier.keep-values=true"] * bool(options.get("keep_values"))
    named, skip = chosen.settings([*words, *options["settings"]]), chosen.names(options["skip"])
    for name, why in (("flux", "a mosaic is in MJy/sr"), ("resample", "there is no mosaic without it")):
        if name in skip:
            raise UsageError(f"--skip {name}: {why}", mend="leave it out")
    shared = {key: options[key] for key in ("overwrite", "compression", "profile", "form") if key in options}
    shared |= {"tool": "rt-run", "references": references, "save_steps": options["save_steps"]}
    known = step_of("catalog", mission).defaults()
    catalog = {key: value for key, value in catalog.items() if key in known}
    mosaic = _mosaic(options, chosen, named, skip, catalog, shared)
    return _exposures(options, chosen, named, skip, catalog, shared), mosaic


def step_named(word, mission):
    """A step of exposures or of a mosaic that a word names.

    Parameters
    ----------
    word : str
        Its tool name, cal_step key or suffix.
    mission : str
        Whose step it is.

    Returns
    -------
    name : str
        The tool name.
    of_mosaic : bool
        Whether a mosaic has it; the catalog is of both.
    """
    chosen = StepsOfRun(mission, of_images=False)
    name = chosen.name(word)
    return name, name in chosen.of_mosaic


def _mosaic(options, chosen, named, skip, catalog, shared):
    from rtools.pipeline.mosaic.request import MosaicRequest

    wanted, cells = wanted_grid(options)
    steps = (*chosen.of_mosaic, "catalog")
    return MosaicRequest(
        mission=chosen.mission,
        skip=skip & {*steps},
        settings=_with_tables({key: named[key] for key in named if key in steps}, steps, chosen.mission, catalog),
        wanted=wanted,
        skycells=cells,
        add=options["add"],
        output=options["output"],
        outdir=None if options["output"] else options["outdir"],
        steps_in=options["outdir"],
        **shared,
    )


def _exposures(options, chosen, named, skip, catalog, shared):
    from rtools.pipeline.exposure.request import ExposureRequest

    order, mission = chosen.order(), chosen.mission
    named = {key: dict(values) for key, values in named.items() if key in order}
    if options.get("refcat") is not None:
        named.setdefault("tweakreg", {}).setdefault("refcat", options["refcat"])
    return ExposureRequest(
        first=chosen.of_exposures(options["first"]),
        last=chosen.of_exposures(options["last"]),
        skip=skip & {*order},
        also=frozenset(map(chosen.of_exposures, options.get("also", ()))),
        settings=_with_tables(named, order, mission, catalog if mission == "roman" else {}),
        named=named,
        strict=options.get("strict", False),
        guide=options.get("guide"),
        high_frequency=options.get("high_frequency", "none"),
        together=True,
        outdir=options["outdir"],
        **shared,
    )


def _with_tables(settings, names, mission, catalog):
    """Options of steps with those of the configuration's tables, and with those of the catalog that were given."""
    found = with_tables(settings, names, mission)
    return found | {"catalog": catalog | found.get("catalog", {})} if catalog else found


class StepsOfRun(ChosenSteps):
    """Words that name steps of a mosaic or on whole products, or of the exposures that these are made of.

    Parameters
    ----------
    mission : str
        Whose steps are meant.
    of_images : bool
        Nothing is calibrated, so that no step of exposures can be named.
    """

    def __init__(self, mission, *, of_images):
        from rtools.pipeline.mosaic.missions import mission_named

        super().__init__(mission, {mission})
        self.of_mosaic, self.of_images = mission_named(mission).steps, of_images

    def of_exposures(self, word):
        """The tool name of a step of exposures; None where none is named."""
        return super().name(word)

    def name(self, word):
        """The tool name of a step.

        Parameters
        ----------
        word : str
            As it was typed.
        """
        return self._declared(word).name

    def settings(self, words):
        """As `ChosenSteps.settings`.

        Parameters
        ----------
        words : iterable of str
            As they were typed.
        """
        return read_settings(words, self._declared, self.mission)

    def _of_products(self):
        return () if self.of_images else [one for one in step_names(self.mission) if not self._in_chain(one)]

    def _in_chain(self, name):
        return step_of(name, self.mission).in_chain

    def _declared(self, word):
        """Declaration of a step, by tool name, cal_step key or suffix."""
        plain = word.lower().removeprefix("rt-")
        for step in (step_of(name, self.mission) for name in (*self.of_mosaic, "catalog", *self._of_products())):
            if plain in (step.name, step.cal_step, step.suffix):
                return step
        if self.of_images:
            known = " ".join([*self.of_mosaic, "catalog"])
            raise UsageError(f"no step of a mosaic is called {word!r}", mend=f"steps: {known}")
        try:
            return step_of(self.of_exposures(word), self.mission)
        except UsageError:
            known = " ".join(dict.fromkeys([*self.order(), *self.of_mosaic]))
            raise UsageError(f"no step is called {word!r}", mend=f"steps: {known}") from None
