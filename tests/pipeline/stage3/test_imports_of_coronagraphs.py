"""What the tools of coronagraphs do not wait for: libraries of kernels, tables and trees that they have no use for."""

import subprocess
import sys

import pytest

from tests.support.places import ROOT
from tests.support.stage3_files import golden_product

pytestmark = pytest.mark.slow

CODE = """
import sys
from rtools.commands.kit import entry
from rtools.commands.kit.tools import command_of
stack, aligned, target = sys.argv[1:]
assert entry.run(command_of("psfalign"), [target, stack, "--ref", "psfmask=none", "-o", aligned]) == 0
assert entry.run(command_of("psfsub"), [target, aligned, "-o", aligned.replace("align", "sub")]) == 0
print(*{name.partition(".")[0] for name in sys.modules} & {"numba", "asdf", "gwcs", "scipy"}, file=sys.stderr)
print("astropy.table" in sys.modules, file=sys.stderr)
"""


def test_no_kernels_tables_and_trees_are_imported_to_subtract_a_star(tmp_path):
    """It took two seconds of two and a half."""
    words = [golden_product("psfstack"), tmp_path / "a_psfalign.fits", golden_product("coronagraph")]
    done = subprocess.run([sys.executable, "-c", CODE, *map(str, words)], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-2:] == ["", "False"]
