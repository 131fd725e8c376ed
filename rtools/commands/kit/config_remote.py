"""The table ``[remote]`` of a configuration file: how files that lie elsewhere are fetched, and where copies stay."""

from rtools.commands.kit.config_shown import REMOTE
from rtools.commands.kit.config_values import nearest, place_of, toml_text
from rtools.errors import UsageError
from rtools.remote import settings

__all__ = ["REMOTE", "remote_values", "take_remote"]


def remote_values(table):
    """What the table says, checked.

    Parameters
    ----------
    table : dict
        As TOML has it, its keys as they are shown.

    Returns
    -------
    dict of str to (str, int or float)
        Key of `rtools.remote.settings.SETTINGS` to value.

    Raises
    ------
    UsageError
        A key or a value of it means nothing.
    """
    for key, value in table.items():
        if key not in settings.SETTINGS:
            raise UsageError(f"{place_of(REMOTE)}: no such setting {key}", mend=nearest(key, settings.SETTINGS))
        setting, where = settings.SETTINGS[key], place_of(REMOTE, key)
        numbers = isinstance(value, int | float) and not isinstance(value, bool) and setting.default is not None
        if not (numbers or (isinstance(value, str) and key != "timeout")):
            raise UsageError(f"{where}: {setting.wanted}, not {toml_text(value)}")
        try:
            setting.parse(str(value))
        except (ValueError, OverflowError):
            raise UsageError(f"{where}: {setting.wanted}, not {toml_text(value)}") from None
    return table


def take_remote(ctx, values):
    """Let the values count until the command has ended.

    Parameters
    ----------
    ctx : click.Context
        Of the tool.
    values : dict
        From `remote_values`.
    """
    settings.configure(values)
    ctx.call_on_close(lambda: settings.configure({}))
