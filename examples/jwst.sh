#!/bin/sh
# JWST from nothing: environment, four simulated dithers, rt-run to calibrated images and their mosaic, rt-info, rt-stat and pictures.
# usage: sh examples/jwst.sh [DIR]     default DIR: jwst
set -eu
cd "$(dirname "$0")/.."
. examples/python.sh
dir=${1:-jwst}
mkdir -p "$dir"
make_environment "$dir/env" .
PATH="$PWD/$dir/env/bin:$PATH"
case $dir in /*) PATH="$dir/env/bin:$PATH" ;; esac
sh examples/jwst_steps.sh "$dir"
