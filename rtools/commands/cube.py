"""rt-cube: cubes of sky and wavelength."""

from rtools.commands.cubes.views import axis, collapse, merge, moments, plane, slice_
from rtools.commands.kit.entry import entry
from rtools.commands.kit.products import command as command_of_step
from rtools.commands.kit.tool import group
from rtools.spectra.steps.cube import STEP

__all__ = ["command", "main"]

DESCRIPTION = """\
Cubes (_s3d) have two axes on the sky and one in wavelength. build makes one of exposures of an integral-field
spectrograph; the others take cubes and write cubes: a plane, a range of planes, all planes collapsed into one, moments
along the wavelength, several ranges merged into one, the third axis told by a table or by three numbers. rt-x1d makes a
spectrum of a cube, rt-view shows its planes, rt-info what it holds."""

command = group(
    "rt-cube",
    summary="Cubes of sky and wavelength: made, cut, collapsed, merged.",
    description=DESCRIPTION,
    examples=(
        "rt-cube build X_mirifushort_cal.fits --channel 1 -o target_s3d.fits",
        "rt-cube plane X_s3d.fits --wave 5.34 -o line_s3d.fits",
        "rt-cube collapse X_s3d.fits --wave 5.2:5.3 --how median -o image_s3d.fits",
        "rt-cube moments X_s3d.fits --wave 5.32:5.36 -o moments_s3d.fits",
        "rt-cube merge ch1_s3d.fits ch2_s3d.fits -o both_s3d.fits",
    ),
)

for subcommand in (command_of_step(STEP), plane, slice_, collapse, moments, merge, axis):
    command.add_command(subcommand, subcommand.name.rpartition(" ")[2])

main = entry(command)
