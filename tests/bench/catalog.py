"""Time the source catalog of one image.

usage: python tests/bench/catalog.py CAL --refdir DIR [--deep] [--jobs 2] [--repeat 3] [--peer DIR] [--json FILE]

Two times are given: that of the whole command, and that of reading, measuring and writing in a process that has its
imports and compiled kernels, which is how the peer is timed. With --peer, romancal's step runs on the same image
between our runs.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

INSIDE = """
import resource, sys, time
from rtools.commands.catalog import command
for name in ("astropy.table", "pyarrow.parquet", "gwcs", "asdf", "numba", "scipy.ndimage", "scipy.interpolate"):
    __import__(name)
words = sys.argv[1:]
command.main(words, standalone_mode=False)
started = time.perf_counter()
command.main(words, standalone_mode=False)
print("seconds", time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
"""

PEER = """
import os, resource, sys, time
from pathlib import Path
os.environ["STPIPE_DISABLE_CRDS_STEPPARS"] = "true"
from stpipe import crds_client
crds_client.get_context_used = lambda *_args, **_settings: "roman_0000.pmap"
crds_client.get_svn_version = lambda *_args, **_settings: "0.0"
import romancal.source_catalog._source_catalog as inner
from romancal.source_catalog import SourceCatalogStep
from romancal.stpipe import RomanStep
def offline(*_args, **_settings):
    raise RuntimeError("offline")
inner.getreferences = offline
asked = RomanStep.get_reference_file
references = Path(sys.argv[2])
RomanStep.get_reference_file = lambda self, model, kind: (
    str(references / f"{kind}.asdf") if kind in ("epsf", "apcorr") else asked(self, model, kind)
)
os.chdir(sys.argv[3])
started = time.perf_counter()
step = SourceCatalogStep()
step.save_results = True
catalog, _segments = step.run(sys.argv[1])
print("seconds", time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
"""


def main():
    """Entry point."""
    arguments = _arguments()
    image = arguments.image.resolve()
    found = {"image": image.name, "inside": [], "whole": [], "peer": []}
    with tempfile.TemporaryDirectory() as scratch:
        words = [str(image), "--outdir", scratch, "--overwrite", "-q", "-j", str(arguments.jobs)]
        words += ["--refdir", str(arguments.refdir.resolve())] + ["--deep"] * arguments.deep
        _run([sys.executable, "-c", INSIDE, *words])  # compiles what is not compiled yet
        for _ in range(arguments.repeat):
            found["inside"].append(_run([sys.executable, "-c", INSIDE, *words]))
            started = time.perf_counter()
            call = "from rtools.commands.catalog import main; main()"
            subprocess.run([sys.executable, "-c", call, *words], check=True, stdout=subprocess.DEVNULL)
            found["whole"].append({"seconds": time.perf_counter() - started})
            if arguments.peer:
                python = Path(arguments.peer) / "bin" / "python"
                peer = [str(python), "-c", PEER, str(image), str(arguments.refdir.resolve()), scratch]
                found["peer"].append(_run(peer))
        found["sources"] = _rows(next(Path(scratch).glob("*_cat.parquet")))
    _show(found)
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=2))


def _arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("image", type=Path, help="An L2 or L3 image.")
    parser.add_argument("--refdir", type=Path, required=True)
    parser.add_argument("--deep", action="store_true")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--peer", help="Environment that has romancal.")
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


def _run(words):
    """Seconds and peak memory that a process tells in its last line."""
    done = subprocess.run(words, check=True, capture_output=True, text=True, env=dict(os.environ))
    _word, seconds, peak = done.stdout.strip().splitlines()[-1].split()
    return {"seconds": float(seconds), "peak": int(peak)}


def _rows(path):
    from pyarrow import parquet

    return parquet.ParquetFile(path).metadata.num_rows


def _show(found):
    print(f"{found['image']}: {found['sources']} sources")
    best = {name: min((run["seconds"] for run in found[name]), default=None) for name in ("inside", "whole", "peer")}
    print(f"  after imports  {best['inside']:7.2f} s   {max(run['peak'] for run in found['inside']) / 2**30:.2f} GiB")
    print(f"  whole command  {best['whole']:7.2f} s")
    if best["peer"]:
        peak = max(run["peak"] for run in found["peer"]) / 2**30
        print(f"  romancal       {best['peer']:7.2f} s   {peak:.2f} GiB   ratio {best['peer'] / best['inside']:.1f}")


if __name__ == "__main__":
    main()
