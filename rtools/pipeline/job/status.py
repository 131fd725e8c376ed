"""Exit status of several pieces of work."""

__all__ = ["shared_status"]


def shared_status(*codes: int) -> int:
    """The exit status of a run: 0 when all codes are 0, the code that all failures share, else 1.

    Parameters
    ----------
    *codes : int
        Exit codes of the pieces of work; 0 is success.

    Returns
    -------
    int
        0 for no codes at all.
    """
    failures = set(codes) - {0}
    return failures.pop() if len(failures) == 1 else int(bool(failures))
