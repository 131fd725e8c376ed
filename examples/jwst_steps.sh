#!/bin/sh
# The commands of examples/jwst.sh, for tools that are installed.
# usage: [SUBARRAY=NAME] sh examples/jwst_steps.sh [DIR]     default DIR: jwst
set -eux
cd "${1:-jwst}"
root=jw01234001001_02101
part=${SUBARRAY:-SUB320}
# two dithers of a sub-array, with truth beside them: _truth.fits and _truth.ecsv
rt-sim ${root}_00001_nrca1_uncal.fits --subarray "$part" --ngroups 6 --ra 80.0 --dec -69.5 --overwrite -q
rt-sim ${root}_00002_nrca1_uncal.fits --subarray "$part" --ngroups 6 --ra 80.0002 --dec -69.5001 --overwrite -q
rt-info ${root}_00001_nrca1_uncal.fits
# _rate and _cal of both, one step after another
rt-run ${root}_0000?_nrca1_uncal.fits --builtin --overwrite -q -j 0
rt-info ${root}_00001_nrca1_cal.fits
rt-stat ${root}_00001_nrca1_cal.fits
rt-dq ${root}_00001_nrca1_cal.fits
rt-validate ${root}_0000?_nrca1_rate.fits ${root}_0000?_nrca1_cal.fits
# pictures: the image, and the ramp of a pixel with the rate that was fitted to it
rt-view ${root}_00001_nrca1_cal.fits -o cal.png --overwrite
rt-run ${root}_00001_nrca1_uncal.fits --builtin --until jump --overwrite -q
rt-view ${root}_00001_nrca1_ramp.fits --ramp 30,30 --rate ${root}_00001_nrca1_rate.fits -o ramp.png --overwrite
