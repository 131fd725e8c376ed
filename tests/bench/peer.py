"""Run romancal's exposure pipeline on one L1 file with local references; to be run by an interpreter that has romancal.

usage: peer.py UNCAL REFDIR OUTDIR

Prints one JSON object: seconds per step, total seconds without import, ru_maxrss in bytes. The reference client is
kept from the network, and source catalog and alignment are left out.
"""

import json
import os
import resource
import sys
import time
from pathlib import Path

os.environ["STPIPE_DISABLE_CRDS_STEPPARS"] = "true"
os.environ.setdefault("CRDS_OBSERVATORY", "roman")

REFERENCES = {
    "dq_init": ("mask",),
    "saturation": ("saturation",),
    "refpix": ("refpix",),
    "dark_decay": ("darkdecaysignal",),
    "linearity": ("linearity", "inverselinearity", "integralnonlinearity"),
    "dark_current": ("dark",),
    "rampfit": ("gain", "readnoise"),
    "assign_wcs": ("distortion",),
    "flatfield": ("flat",),
    "photom": ("photom",),
}


def offline():
    """Keep the reference client from the network."""
    from stpipe import crds_client

    crds_client.get_context_used = lambda *_args, **_settings: "roman_0000.pmap"
    crds_client.get_svn_version = lambda *_args, **_settings: "0.0"


def timed_steps():
    """Seconds of each step that will have run, by the name of its class."""
    from romancal.stpipe import RomanStep

    seconds = {}
    plain_run = RomanStep.run

    def timed_run(step, *args, **settings):
        started = time.perf_counter()
        result = plain_run(step, *args, **settings)
        seconds[type(step).__name__] = time.perf_counter() - started
        return result

    RomanStep.run = timed_run
    return seconds


def run(pipeline, source, seconds):
    """Run a pipeline here; print what it took."""
    pipeline.save_results = True
    pipeline.output_dir = "."
    started = time.perf_counter()
    pipeline.run(str(source))
    total = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print("\n" + json.dumps({"seconds": seconds, "total": total, "peak_memory": peak}))


def main():
    uncal, refdir, outdir = (Path(word).resolve() for word in sys.argv[1:4])
    offline()
    from romancal.pipeline import ExposurePipeline

    seconds = timed_steps()
    steps = {
        name: {f"override_{kind}": str(refdir / f"{kind}.asdf") for kind in kinds} for name, kinds in REFERENCES.items()
    }
    steps |= {"source_catalog": {"skip": True}, "tweakreg": {"skip": True}}
    outdir.mkdir(parents=True, exist_ok=True)
    os.chdir(outdir)
    run(ExposurePipeline(steps=steps), uncal, seconds)


if __name__ == "__main__":
    main()
