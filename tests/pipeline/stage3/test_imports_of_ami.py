"""What rt-ami does not wait for: libraries that it has no use for where a file has no gwcs."""

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
image, folder = sys.argv[1:]
assert entry.run(command_of("ami"), [image, "--builtin", "--outdir", folder]) == 0
print(*{"asdf", "gwcs", "scipy.ndimage", "scipy.optimize", "astropy.table"} & {*sys.modules}, file=sys.stderr)
"""


def test_fringes_are_fitted_without_trees_tables_and_filters(tmp_path):
    words = (golden_product("ami_calints"), tmp_path)
    done = subprocess.run([sys.executable, "-c", CODE, *map(str, words)], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-1] == ""
