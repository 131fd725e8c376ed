"""Exit status of several pieces of work."""

__all__ = ["shared_status"]


def shared_status(*codes: int) -> int:
    """0 when all are 0, the code that all failures share, else 1."""
    failures = set(codes) - {0}
    return failures.pop() if len(failures) == 1 else int(bool(failures))
