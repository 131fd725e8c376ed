"""What is met while a guide-window or FACE file is read: remarks, and problems that make a part of it unusable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from rtools.errors import InputError
from rtools.products.io import Product

__all__ = ["Notes", "Problem", "refuse"]


class Problem(NamedTuple):
    """Why a part of a file cannot be used.

    Attributes
    ----------
    where : str
        Dotted path below ``roman``.
    message : str
        One line, to be read behind `where`.
    """

    where: str
    message: str


@dataclass
class Notes:
    """An opened file, and what was met in it.

    Attributes
    ----------
    product : Product
        The file.
    remarks : list of str
        What was read otherwise than the schema of today has it.
    problems : list of Problem
        What could not be read; it was left out.
    """

    product: Product
    remarks: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def remark(self, text: str) -> None:
        """Note what was read otherwise, once.

        Parameters
        ----------
        text : str
            One line.
        """
        if text not in self.remarks:
            self.remarks.append(text)

    def problem(self, where: str, message: str) -> None:
        """Note what cannot be read.

        Parameters
        ----------
        where : str
            Dotted path below ``roman``.
        message : str
            One line, to be read behind `where`.
        """
        self.problems.append(Problem(where, message))

    def refuse(self) -> None:
        """Raise the first problem, if there is one.

        Raises
        ------
        InputError
            Names the part of the file, and how many more problems there are.
        """
        refuse(self.problems, self.product.path)


def refuse(problems: Sequence[Problem], path: str | Path) -> None:
    """Raise the first of some problems, if there is one.

    Parameters
    ----------
    problems : sequence of Problem
        In the order in which they were met.
    path : str or pathlib.Path
        The file.

    Raises
    ------
    InputError
        Names the part of the file, and how many more problems there are.
    """
    if problems:
        where, message = problems[0]
        more = len(problems) - 1
        rest = f" (and {more} more {'problems' if more > 1 else 'problem'})" if more else ""
        raise InputError(f"{where}: {message}{rest}", mend="rt-validate tells all", path=path)
