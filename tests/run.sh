#!/bin/sh
# Make an environment with rtools and its test tools, the judges' environments, and run the tests.
# usage: sh tests/run.sh [PYTEST ARGUMENTS]     environments go to .cache/, or to RTOOLS_CACHE
#        sh tests/run.sh --long                 the tests that are too long for every run, and only these
set -eu
cd "$(dirname "$0")/.."
. examples/python.sh
cache=${RTOOLS_CACHE:-$PWD/.cache}
make_environment "$cache/env" ".[test]"
RTOOLS_JUDGES=${RTOOLS_JUDGES:-$cache/judges}
export RTOOLS_JUDGES
sh tests/judges/setup.sh "$RTOOLS_JUDGES"
"$cache/env/bin/ruff" check .
"$cache/env/bin/ruff" format --check .
"$cache/env/bin/python" -m mypy
exec "$cache/env/bin/python" -m pytest -n 2 --dist worksteal "$@"
