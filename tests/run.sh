#!/bin/sh
# Make an environment with rtools and its test tools, the judges' environments, and run the tests.
# usage: sh tests/run.sh [PYTEST ARGUMENTS]     environments go to .cache/, or to RTOOLS_CACHE
#        sh tests/run.sh --quick                under two minutes: no full frames, no judges, no whole runs
#        sh tests/run.sh --long                 the tests that are too long for every run, then all others with the
#                                               coverage of the package by lines: in .cache/coverage.txt, too
set -eu
cd "$(dirname "$0")/.."
. examples/python.sh
cache=${RTOOLS_CACHE:-$PWD/.cache}
unset PYTHONDONTWRITEBYTECODE # to compile modules and tests anew in every process takes minutes
RTOOLS_JUDGES=${RTOOLS_JUDGES:-$cache/judges}
export RTOOLS_JUDGES
if [ "${1:-}" != --quick ]; then
    sh tests/judges/setup.sh "$RTOOLS_JUDGES" "${1:-}" &
    installing=$!
fi
make_environment "$cache/env" ".[test]" --no-compile # most modules of what is installed are never loaded
python=$cache/env/bin/python

run_tests() { # [PYTEST ARGUMENTS]
    "$python" -m pytest -n 2 --dist worksteal "$@"
}

check_types() { # and meanwhile compile kernels, and the modules of the tests, for which pytest takes its time
    "$python" -m mypy &
    checking=$!
    warm_up >"$cache/warm_up.log" 2>&1 || : # what goes wrong there, the tests will say
    wait $checking
}

warm_up() (
    for part in roman jwst guide; do
        "$python" -m tests.support.warm_up $part &
    done
    "$python" -m pytest --collect-only --quiet
    wait
)

measure_coverage() { # workers and tools in processes of their own as well (pyproject.toml)
    rm -rf "$cache/coverage"
    mkdir -p "$cache/coverage"
    COVERAGE_FILE=$cache/coverage/data
    export COVERAGE_FILE
    "$python" -m coverage run -m pytest -n 2 --dist worksteal || failed=1
    "$python" -m coverage combine --quiet
    "$python" -m coverage report | tee "$cache/coverage.txt"
}

"$cache/env/bin/ruff" check .
"$cache/env/bin/ruff" format --check .
if [ "${1:-}" != --quick ]; then
    check_types
    wait $installing
fi
failed=0
run_tests "$@" || failed=1
[ "${1:-}" != --long ] || measure_coverage
exit $failed
