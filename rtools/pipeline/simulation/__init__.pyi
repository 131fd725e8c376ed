from .job import plan_simulation

__all__ = [
    "plan_simulation",
]
