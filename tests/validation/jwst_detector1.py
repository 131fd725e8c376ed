"""The mission's detector1 on raw exposures, with references that are given; runs in an environment that has jwst.

usage: jwst_detector1.py REFERENCES UNCAL… OUT

REFERENCES is a directory with one file of each type, as ``rt-refs make`` writes them. Products go to the directory OUT.
Nothing is asked of the network. The step that corrects the capacitance between pixels is off, as in the archive, and
so are those that have no reference here.
"""

import logging
import os
import sys
from pathlib import Path

TYPES = {
    "dq_init": ("mask",),
    "saturation": ("saturation", "superbias"),
    "superbias": ("superbias",),
    "linearity": ("linearity",),
    "dark_current": ("dark",),
    "jump": ("gain", "readnoise"),
    "ramp_fit": ("gain", "readnoise"),
    "gain_scale": ("gain",),
}
"""Reference types by step."""

OFF = ("ipc", "persistence", "charge_migration", "clean_flicker_noise")


def go_offline():
    """Have the mission's software ask nobody: there are the references that steps are given, and no others."""
    os.environ.update(
        STPIPE_DISABLE_CRDS_STEPPARS="true", CRDS_SERVER_URL="https://127.0.0.1:9", CRDS_PATH="/nonexistent",
        CRDS_OBSERVATORY="jwst",
    )  # fmt: skip
    from stpipe import Pipeline, Step, crds_client

    crds_client.get_context_used = lambda *_, **__: "jwst_0000.pmap"
    crds_client.get_svn_version = lambda *_, **__: "0.0"
    Pipeline._precache_references = lambda *_, **__: None
    get = Step.get_reference_file
    Step.get_reference_file = lambda self, data, kind: (
        get(self, data, kind) if getattr(self, f"override_{kind}", None) else "N/A"
    )
    logging.disable(logging.WARNING)


def main(references, *files):
    *exposures, out = files
    go_offline()
    from jwst.pipeline import Detector1Pipeline

    found = {
        kind: str(next(Path(references).glob(f"*_{kind}_*.fits"))) for kind in {k for v in TYPES.values() for k in v}
    }
    steps = {step: {f"override_{kind}": found[kind] for kind in kinds} for step, kinds in TYPES.items()}
    steps |= {step: {"skip": True} for step in OFF}
    for exposure in exposures:
        Detector1Pipeline.call(exposure, steps=steps, save_results=True, output_dir=out)


if __name__ == "__main__":
    main(*sys.argv[1:])
