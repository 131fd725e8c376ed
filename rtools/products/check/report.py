"""What was found in a file: a report of findings, whichever mission the file is of."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rtools.errors import RtoolsError
from rtools.findings import SEVERITIES, Finding, failed_check

__all__ = ["Report"]


@dataclass
class Report:
    """What was found in one file.

    Attributes
    ----------
    path : str or Path
        The file.
    kind : str or None
        None for a file that is cut off.
    profile : str or None
        The profile that its tags are of; None for files that are not of a profile.
    checked : list of str
        Names of the checks that were made.
    findings : list of Finding
        In the order in which they were found.
    product : Product, Catalog, JwstProduct or None
        The opened file, for checks that need science; None where its arrays are out of reach.
    """

    path: str | Path
    kind: str | None = None
    profile: str | None = None
    checked: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    product: Any = None

    def add(self, check: str, findings: Iterable[Finding]) -> None:
        """Take in the findings of a check that was made; the worst come first.

        Parameters
        ----------
        check : str
            Name of the check.
        findings : iterable of rtools.findings.Finding
            What it found, perhaps nothing.
        """
        if check not in self.checked:
            self.checked.append(check)
        self.findings += findings
        self.findings.sort(key=lambda finding: SEVERITIES.index(finding.severity))

    def attempt(self, check: str, function: Callable[..., Iterable[Finding] | None], *args: Any) -> None:
        """Make a check; what comes up because the file says what no check has foreseen is a finding, too.

        Parameters
        ----------
        check : str
            Name of the check.
        function : callable
            What makes it: ``function(*args)`` gives findings, or None where there is nothing to check.
        *args : object
            What it is called with.
        """
        try:
            found = function(*args)
            if found is not None:
                self.add(check, list(found))
        except (RtoolsError, OSError, MemoryError):
            raise
        except Exception as problem:
            self.add(check, [failed_check(check, problem)])

    def count(self, severity: str) -> int:
        """Number of findings of a severity.

        Parameters
        ----------
        severity : str
            One of `SEVERITIES`.
        """
        return sum(finding.severity == severity for finding in self.findings)
