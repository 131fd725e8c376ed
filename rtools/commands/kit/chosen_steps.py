"""Steps as a user names them in rt-run, for the chain of each mission."""

from rtools.commands.kit.missions import MISSIONS
from rtools.commands.kit.step_options import read_settings
from rtools.errors import UsageError
from rtools.pipeline.job.steps import step_names, step_of

__all__ = ["ChosenSteps"]


class ChosenSteps:
    """The words of a command line that name steps, for one mission.

    A word that only another mission of the inputs knows is passed over; one that none knows is refused.

    Parameters
    ----------
    mission : str
        Whose steps are meant.
    missions : collection of str
        Of the inputs.
    """

    def __init__(self, mission, missions):
        self.mission = mission
        self.others = [other for other in MISSIONS if other in missions and other != mission]

    def order(self):
        """Tool names of the mission's steps on exposures, in order."""
        return tuple(name for name in step_names(self.mission) if step_of(name, self.mission).of_exposure)

    def name(self, word):
        """The tool name of one step; None where none is named, or only another mission has it.

        Parameters
        ----------
        word : str or None
            As it was typed.
        """
        if word is None:
            return None
        try:
            return _resolve(word, self.mission)
        except UsageError:
            for other in self.others:
                try:
                    _resolve(word, other)
                except UsageError:
                    continue
                return None
            raise

    def names(self, words):
        """Tool names of several steps.

        Parameters
        ----------
        words : iterable of str
            As they were typed.
        """
        return frozenset(name for name in map(self.name, words) if name is not None)

    def settings(self, words):
        """{step: {option key: value}} of words like ``rampfit.algorithm=likely``.

        Parameters
        ----------
        words : iterable of str
            As they were typed.
        """
        mine = {}
        for word in words:
            try:
                found = self._setting(word, self.mission)
            except UsageError:
                if not any(self._known(word, other) for other in self.others):
                    raise
                continue
            for step, values in found.items():
                mine.setdefault(step, {}).update(values)
        return mine

    def _known(self, word, mission):
        try:
            self._setting(word, mission)
        except UsageError:
            return False
        return True

    @staticmethod
    def _setting(word, mission):
        return read_settings([word], lambda step: step_of(_resolve(step, mission), mission))


def _resolve(word, mission):
    if mission == "jwst":
        from rtools.pipeline.jwst import chain
    else:
        from rtools.pipeline.exposure import chain
    return chain.resolve(word)
