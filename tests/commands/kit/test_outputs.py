"""Where files are delivered to."""

from types import SimpleNamespace

import pytest

from rtools.commands.kit.outputs import deliver
from rtools.errors import RtoolsError


def test_a_directory_that_cannot_be_made_is_no_fault_of_the_input(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RtoolsError, match="cannot be made") as error:
        deliver(tmp_path / "file" / "x" / "y.json", "y.json", SimpleNamespace)
    assert error.value.exit_code == 1
