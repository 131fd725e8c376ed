#!/bin/sh
# The commands of examples/jwst.sh, for tools that are installed.
# usage: [SUBARRAY=NAME] sh examples/jwst_steps.sh [DIR]     default DIR: jwst
set -eux
cd "${1:-jwst}"
root=jw01234001001_02101
part=${SUBARRAY:-SUB320}
# four dithers of a sub-array, with truth beside them: _truth.fits and _truth.ecsv
number=0
for place in 80.0,-69.5 80.0002,-69.5001 80.0001,-69.5002 80.0003,-69.5; do
    number=$((number + 1))
    rt-sim ${root}_0000${number}_nrca1_uncal.fits --subarray "$part" --ngroups 6 --crowded 200000 --overwrite -q \
        --ra ${place%,*} --dec ${place#*,}
done
rt-info ${root}_00001_nrca1_uncal.fits
# _rate and _cal of all, one step after another
rt-run ${root}_0000?_nrca1_uncal.fits --builtin --overwrite -q -j 0
rt-info ${root}_00001_nrca1_cal.fits
rt-stat ${root}_00001_nrca1_cal.fits
rt-dq ${root}_00001_nrca1_cal.fits
rt-validate ${root}_0000?_nrca1_rate.fits ${root}_0000?_nrca1_cal.fits
# pictures: the image, and the ramp of a pixel with the rate that was fitted to it
rt-view ${root}_00001_nrca1_cal.fits -o cal.png --overwrite
rt-run ${root}_00001_nrca1_uncal.fits --builtin --until jump --overwrite -q
rt-view ${root}_00001_nrca1_ramp.fits --ramp 30,30 --rate ${root}_00001_nrca1_rate.fits -o ramp.png --overwrite
# the mosaic of the four, with its catalog and segmentation map; faint stars have fewer pixels than the 25 of the archive
rm -f ./*_asn.json
rt-asn --rule image3 ${root}_0000?_nrca1_cal.fits
rt-run ./*_image3_*_asn.json --set catalog.npixels=5 --overwrite -q
rt-info ./*_i2d.fits
rt-validate ./*_i2d.fits ./*_segm.fits ./*_cat.ecsv
rt-table ./*_cat.ecsv --columns label,xcentroid,ycentroid,aper_total_flux,aper_total_abmag --sort -aper_total_flux --head 5
# pictures of the mosaic with the sources of its catalog, and of the segments
rt-view ./*_i2d.fits --sources ./*_cat.ecsv -o mosaic.png --overwrite
rt-view ./*_segm.fits -o segments.png --overwrite
