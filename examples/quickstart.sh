#!/bin/sh
# From nothing to a calibrated image: environment, simulated full-size exposure, rt-run, rt-info and rt-view.
# usage: sh examples/quickstart.sh [DIR]     default DIR: quickstart
set -eu
cd "$(dirname "$0")/.."
. examples/python.sh
dir=${1:-quickstart}
mkdir -p "$dir"
make_environment "$dir/env" .
PATH="$PWD/$dir/env/bin:$PATH"
case $dir in /*) PATH="$dir/env/bin:$PATH" ;; esac
root=r0000101001001001001_0001_wfi01_f158
set -x
rt-sim "$dir/${root}_uncal.asdf" -j 0 --overwrite
rt-run "$dir/${root}_uncal.asdf" -j 0 --overwrite --timings
rt-info "$dir/${root}_cal.asdf"
rt-view "$dir/${root}_cal.asdf" -o "$dir/${root}_cal.png" --overwrite
