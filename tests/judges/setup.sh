#!/bin/sh
# Make the environments in which three versions of roman_datamodels judge our files. They pin other versions of asdf and
# rad than each other, so each has an environment of its own. What stands already (.complete-2) is left alone.
# usage: sh tests/judges/setup.sh DIR
set -eu
dir=${1:?usage: sh tests/judges/setup.sh DIR}
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../../examples/python.sh"

judge() { # VERSION REQUIREMENT...
    version=$1
    shift
    target=$dir/roman_datamodels-$version
    if [ -f "$target/.complete-2" ] && "$target/bin/python" -c '' 2>/dev/null; then
        return
    fi
    rm -rf "$target"
    "$python" -m venv "$target"
    "$target/bin/python" -m pip install --quiet --disable-pip-version-check "roman_datamodels==$version" "$@" \
        lz4 gwcs astropy pyarrow pandas
    touch "$target/.complete-2"
}

mkdir -p "$dir"
python=$(find_python)
judge 1.0.0 'asdf>=5.4,<6' 'rad==1.0.*'
judge 1.1.0 'asdf>=5.4,<6' 'rad==1.1.*'
judge 1.2.0 'asdf>=6,<7'
