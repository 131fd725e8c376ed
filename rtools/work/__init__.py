"""What every run works with: one pool of threads, one log, one progress, and the loops that share them.

The floor above `wfi` and `errors`: it imports nothing else of rtools but `rtools.compiled`.
"""

from rtools.work.work import ALONE, Work, results_of

__all__ = ["ALONE", "Work", "results_of"]
