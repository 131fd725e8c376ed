"""Console scripts, which follow from the names of files: every command has one, and every step."""

from pathlib import Path

from setuptools import setup

PACKAGE = Path(__file__).parent / "rtools"

commands = [path for path in PACKAGE.glob("commands/*.py") if "\nmain = " in path.read_text("utf-8")]
scripts = {path.stem: f"rtools.commands.step:{path.stem}" for path in PACKAGE.glob("**/steps/[!_]*.py")}
scripts |= {path.stem.rstrip("_"): f"rtools.commands.{path.stem}:main" for path in commands}

setup(
    entry_points={
        "console_scripts": [
            "rt = rtools.commands.rt:main",
            *(f"rt-{name} = {place}" for name, place in sorted(scripts.items())),
        ]
    }
)
