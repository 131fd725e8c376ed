# Sourced by the set-up scripts: finds a Python of 3.11 or newer, makes an environment with this package in it.
# usage: . examples/python.sh; make_environment DIR REQUIREMENT [OPTION OF PIP]     from the top of the checkout

find_python() {
    for candidate in "${PYTHON:-}" python3 python3.14 python3.13 python3.12 python3.11 python; do
        [ -n "$candidate" ] || continue
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    echo "Python 3.11 or newer is needed; name one with PYTHON=…" >&2
    return 1
}

make_environment() {
    python=$(find_python)
    [ -x "$1/bin/python" ] || "$python" -m venv "$1"
    rm -rf build ./*.egg-info # what an earlier build left there would be installed again: modules that have moved
    "$1/bin/python" -m pip install --quiet --disable-pip-version-check ${3:-} "$2"
}
