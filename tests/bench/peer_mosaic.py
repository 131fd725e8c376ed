"""Run romancal's mosaic pipeline on L2 files; to be run by an interpreter that has romancal.

usage: peer_mosaic.py OUTDIR CAL…

The grid covers all inputs, members are in memory, and there is no catalog. Prints what `peer.py` prints.
"""

import json
import os
import sys
from pathlib import Path

os.environ["STPIPE_DISABLE_CRDS_STEPPARS"] = "true"

from peer import offline, run, timed_steps


def main():
    outdir, *files = (Path(word).resolve() for word in sys.argv[1:])
    offline()
    from romancal.pipeline import MosaicPipeline

    outdir.mkdir(parents=True, exist_ok=True)
    os.chdir(outdir)
    members = [{"expname": str(file), "exptype": "science"} for file in files]
    association = {"asn_type": "image", "asn_id": "a3001", "asn_pool": "none", "program": "00001", "target": "None",
                   "products": [{"name": "peer", "members": members}]}  # fmt: skip
    Path("peer_asn.json").write_text(json.dumps(association))
    pipeline = MosaicPipeline(steps={"source_catalog": {"skip": True}})
    pipeline.resample_on_skycell = False
    run(pipeline, "peer_asn.json", timed_steps())


if __name__ == "__main__":
    main()
