"""What goes wrong between here and a server: what is tried again, how long is waited, and what is told in the end."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NoReturn, TypeVar

from rtools.errors import InputError, RtoolsError
from rtools.remote import settings
from rtools.remote.names import shown, shown_in

__all__ = ["PAUSE", "TRIES", "timeout", "told", "tried"]

TRIES = 3
PAUSE = 0.5
"""Seconds before the second try; twice as many before the third."""

DENIED = (401, 403)
GONE = (404, 410)
CHANGED = 412
BROKEN = {"ClientPayloadError", "IncompleteReadError", "ServerDisconnectedError", "ResponseStreamingError"}
"""Errors of drivers when less came than was promised."""

NO_ADDRESS = {"InvalidURL", "InvalidUrlClientError", "ParamValidationError", "UnicodeError", "ValueError"}
"""Errors of drivers of a name that no server can have."""

BUSY = (408, 425, 429, 500, 502, 503, 504)

Value = TypeVar("Value")


def timeout() -> float:
    """Seconds that are waited for a connection, and for each answer.

    Returns
    -------
    float

    Raises
    ------
    RtoolsError
        What is said of it is no number of seconds.
    """
    return float(settings.said("timeout"))


def tried(url: str, function: Callable[[], Value], passes: type[Exception] | tuple[()] = ()) -> Value:
    """Call a function again where a server was busy or a connection broke; what goes wrong in the end is told.

    Parameters
    ----------
    url : str
        Whole name of the file that it is about.
    function : callable
        Asks a driver.
    passes : type, optional
        An error of the driver that the caller takes.

    Returns
    -------
    object
        What it returns.

    Raises
    ------
    InputError
        It failed every time.
    """
    for number in range(TRIES):
        try:
            return function()
        except (RtoolsError, InterruptedError, TypeError, AttributeError, MemoryError):
            raise
        except Exception as error:
            if isinstance(error, passes):
                raise
            if number == TRIES - 1 or not _may_pass(error) or _was_tried(url, error) or (number and _is_late(error)):
                _tell(url, error)
        time.sleep(PAUSE * 2**number)
    raise AssertionError("every try ends")


def _chain(error):
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _status(error):
    """Number of a server's answer, where there was one and that is what went wrong."""
    if any(type(one).__name__ in BROKEN for one in _chain(error)):
        return None
    for one in _chain(error):
        answer = getattr(one, "response", None)
        number = getattr(one, "status", None) or getattr(one, "code", None)
        if isinstance(answer, dict):
            number = answer.get("ResponseMetadata", {}).get("HTTPStatusCode")
        if str(number).isdecimal():
            return int(number)
        if type(one) is OSError and str(one).startswith("Forbidden"):
            return 403  # all that gcsfs says of it
    return None


def _may_pass(error):
    status = _status(error)
    if status is not None:
        return status in BUSY
    if isinstance(error, ValueError):
        return False
    return not any(isinstance(one, PermissionError) for one in _chain(error)) and not (
        type(error) is FileNotFoundError and error.__cause__ is None
    )


def _was_tried(url, error):
    """Whether the driver has tried again by itself, for half a minute."""
    return url[:2].lower() == "gs" and not isinstance(error, ConnectionResetError)


def _is_late(error):
    """Whether no answer came in time; it is waited for twice."""
    return any(isinstance(one, TimeoutError) or "Timeout" in type(one).__name__ for one in _chain(error))


def _tell(url, error) -> NoReturn:
    raise InputError(told(error), path=shown(url)) from None


def told(error: BaseException) -> str:
    """What went wrong, in words without a name.

    Parameters
    ----------
    error : Exception
        What the driver raised.

    Returns
    -------
    str
    """
    status, whole = _status(error), list(_chain(error))
    if status in DENIED or (status is None and any(isinstance(one, PermissionError) for one in whole)):
        return f"denied ({status or 'permission'})"
    if status in GONE or (status is None and all(isinstance(one, FileNotFoundError) for one in whole)):
        return "no such file"
    if status == CHANGED:
        return "was changed while it was fetched"
    if status is not None and status >= 400:
        return f"the server failed ({status})"
    if _is_late(error):
        return f"no answer within {timeout():g} s"
    if type(error) is ConnectionResetError and str(error):
        return str(error)
    names = {type(one).__name__ for one in whole}
    if type(error) is ValueError and "endpoint" in str(error):  # which the environment gives
        return f"cannot be asked for ({shown_in(' '.join(str(error).split()))})"
    if names & NO_ADDRESS:
        return "no valid address"
    if names & BROKEN:
        return "cut off: the connection broke"
    if names & {"NoCredentialsError", "PartialCredentialsError"}:
        return "denied (no credentials)"
    return f"cannot be reached ({type(whole[-1]).__name__})"
