"""What every run works with: one pool of threads, one log, one progress, and the loops that share them.

The floor above `wfi` and `errors`: it imports nothing else of rtools but `rtools.compiled`.
"""

from rtools.work.work import ALONE, Work, aside, results_of, settle

__all__ = ["ALONE", "Work", "aside", "results_of", "settle"]
