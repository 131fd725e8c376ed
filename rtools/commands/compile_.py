"""rt compile: all kernels compiled beforehand."""

import tempfile
import time
from contextlib import chdir, redirect_stderr, redirect_stdout
from io import StringIO

import click

from rtools.commands.kit.entry import run
from rtools.commands.kit.surroundings import without_settings
from rtools.commands.kit.tool import tool
from rtools.commands.kit.tools import command_of
from rtools.errors import RtoolsError

__all__ = ["command"]

DESCRIPTION = """\
Runs small simulated exposures of both missions through the tools, in a temporary directory, so that the machine code of
the kernels is there when it is needed. Otherwise the first run of each tool takes longer. It belongs into the recipe of
a container, and behind an installation for many users. Code is kept beside the package, or where NUMBA_CACHE_DIR says.
Settings of RT_OPTION and of CRDS do not matter. A kernel that meets other types of arrays is compiled for those when it
does. With -v those that no job reached are named."""


@tool(
    "rt compile",
    summary="Compile all kernels beforehand.",
    description=DESCRIPTION,
    examples=("rt compile", "NUMBA_CACHE_DIR=/opt/rtools/kernels rt compile"),
)
def command(console):
    from rtools.commands.kit.compiling import JOBS, all_kernels, is_kept_compiled
    from rtools.compiled import is_kept

    kernels = all_kernels()
    if not is_kept():
        raise RtoolsError("no directory can be written where kernels are kept", mend="NUMBA_CACHE_DIR=DIR names one")
    begun, before = time.monotonic(), sum(map(is_kept_compiled, kernels.values()))
    with tempfile.TemporaryDirectory() as place, chdir(place), without_settings():
        for number, (tool_name, *arguments) in enumerate(JOBS):
            console.log("info", f"{number + 1}/{len(JOBS)}: rt-{tool_name} {' '.join(arguments)}")
            told = StringIO()
            with redirect_stdout(told), redirect_stderr(told):
                status = run(command_of(tool_name), [*arguments, "-q"])
            if status:
                last = (told.getvalue().splitlines() or ["no word"])[-1]
                raise RtoolsError(f"rt-{tool_name} ended with exit status {status}: {last}")
    left = [name for name, kernel in kernels.items() if not is_kept_compiled(kernel)]
    for name in left:
        console.log("info", f"not reached: {name}")
    now = len(kernels) - len(left)
    click.echo(
        f"{now} of {len(kernels)} kernels are kept, {now - before} of them new, {time.monotonic() - begun:.0f} s"
    )
