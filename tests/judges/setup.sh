#!/bin/sh
# Make the environments in which roman_datamodels, and stdatamodels for JWST, judge our files. They pin other versions of
# asdf and rad than each other, so each has an environment of its own. What stands already (.complete-2) is left alone.
# With --long the oldest version of roman_datamodels gets one, too, and Snakemake, which carries emitted rules out.
# usage: sh tests/judges/setup.sh DIR [--long]
set -eu
dir=${1:?usage: sh tests/judges/setup.sh DIR [--long]}
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../../examples/python.sh"

judge() { # PACKAGE VERSION REQUIREMENT...
    package=$1 version=$2
    shift 2
    target=$dir/$package-$version
    if [ -f "$target/.complete-2" ] && "$target/bin/python" -c '' 2>/dev/null; then
        return
    fi
    rm -rf "$target"
    "$python" -m venv "$target"
    "$target/bin/python" -m pip install --quiet --disable-pip-version-check --no-compile "$package==$version" "$@"
    touch "$target/.complete-2"
}

mkdir -p "$dir"
python=$(find_python)
judge roman_datamodels 1.2.0 'asdf>=6,<7' lz4 pyarrow pandas gwcs astropy
judge roman_datamodels 1.1.0 'asdf>=5.4,<6' 'rad==1.1.*' lz4 pyarrow pandas gwcs astropy
judge stdatamodels 6.0.0 gwcs astropy
[ "${2:-}" = --long ] || exit 0
judge roman_datamodels 1.0.0 'asdf>=5.4,<6' 'rad==1.0.*' lz4 pyarrow pandas gwcs astropy
judge snakemake 9.27.1
