"""Tables of steps in a configuration file: for all missions that have the step, or for one."""

from rtools.commands.kit.config_values import add_values, nearest, place_of, value_of_kind
from rtools.commands.kit.missions import MISSIONS
from rtools.errors import UsageError

__all__ = ["add_mission", "add_step", "all_steps", "joined"]


def joined(steps, special):
    """Tables of steps of all missions with those of one, which count more.

    Parameters
    ----------
    steps, special : dict
        Mission to {step: {option key: value}}.

    Returns
    -------
    dict
        The same.
    """
    return {
        mission: {name: of_all.get(name, {}) | of_one.get(name, {}) for name in {**of_all, **of_one}}
        for mission in {**steps, **special}
        for of_all, of_one in [(steps.get(mission, {}), special.get(mission, {}))]
    }


def add_step(steps, word, table):
    """Add the table of a step to those of each mission that has it; an option may be of one of them only.

    Parameters
    ----------
    steps : dict
        Mission to {step: {option key: value}}; changed.
    word : str
        What the table is called.
    table : dict
        As TOML has it.

    Returns
    -------
    bool
        False where no step is called so.

    Raises
    ------
    UsageError
        A key or a value means nothing to the step.
    """
    declared = _steps_called(word)
    if not declared:
        return False
    for key, value in table.items():
        takers = {mission: step for mission, step in declared.items() if _takes(step, key, mission)} or declared
        for mission, step in takers.items():
            values = steps.setdefault(mission, {}).setdefault(step.name, {})
            add_values(values, _step_options(word, {key: value}, step, mission), word)
    return True


def _takes(step, key, mission):
    from rtools.pipeline.job.settings import find_option

    return find_option(step, key, mission) is not None


def add_mission(steps, mission, tables):
    """Add the tables of steps of one mission, ``[jwst.rampfit]``.

    Parameters
    ----------
    steps : dict
        Step to {option key: value}; changed.
    mission : str
        Whose steps.
    tables : dict
        Name of a step to its table.

    Raises
    ------
    UsageError
        A name, a key or a value means nothing.
    """
    for word, table in tables.items():
        place = f"{mission} {word}"
        step = _steps_called(word).get(mission)
        if step is None:
            raise UsageError(f"{place_of(place)}: no step of this mission is called so")
        if not isinstance(table, dict):
            raise UsageError(f"{place_of(place)}: a table expected")
        add_values(steps.setdefault(step.name, {}), _step_options(place, table, step, mission), place)


def _steps_called(word):
    """Declaration of the step that --set calls so, by each mission that has it."""
    found = [step for step in all_steps() if word.lower() in (step.name, step.cal_step, step.suffix)]
    return {mission: step for step in found for mission in step.missions}


def all_steps():
    """Declarations of all steps of all missions."""
    from rtools.pipeline.job.steps import steps_in_order

    return [step for mission in MISSIONS for step in steps_in_order(mission)]


def _step_options(word, table, step, mission):
    """{option key: value} of the table of a step; options by their names here or in romancal, as --set takes them."""
    from rtools.pipeline.job.settings import check_option, find_option

    values = {}
    for key, value in table.items():
        option = find_option(step, key, mission)
        if option is None:
            names = [option.name for option in step.options_for(mission)]
            raise UsageError(f"{place_of(word)}: {step.tool} has no step option {key}", mend=nearest(key, names))
        add_values(
            values,
            {option.key: check_option(step, option, value_of_kind(option.kind, value, place_of(word, key)))},
            word,
        )
    return values
