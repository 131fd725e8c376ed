"""What the client of CRDS does, in a process of its own: it keeps its server and settings for as long as it lives.

`fetching` starts it as ``python -m rtools.reference.crds_process`` with variables of CRDS in its environment. Each line
of its standard input is a question, each of its standard output the answer, both JSON.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from typing import Any

__all__: list[str] = []

PATIENCE = 60
"""Seconds for which a server may say nothing."""


def choose(question: dict[str, Any]) -> dict[str, Any]:
    """Names of the best references.

    Parameters
    ----------
    question : dict
        ``observatory``; ``server``: whether a server is asked, or the cache; ``context``, or None for the latest;
        ``exposures``: lists of ``parameters`` and ``reftypes``.

    Returns
    -------
    dict
        ``context`` that ruled; ``chosen``: for every exposure type to name, or to what the rules say in its place;
        ``bad``: names of files that the mission takes for invalid.
    """
    from crds.client import api

    if question["server"]:
        info = api.get_server_info()
        if info["observatory"] != question["observatory"]:
            raise ValueError(f"this server is of {info['observatory']}")
        context = question["context"] or info.get("latest_context") or info["operational_context"]
        chosen = [api.get_best_references(context, one["parameters"], one["reftypes"]) for one in question["exposures"]]
        bad = info.get("bad_files_list") or []
    else:
        from crds.core import heavy_client

        context = heavy_client.get_processing_mode(question["observatory"], question["context"])[1]
        chosen = [_best_of_cache(heavy_client, context, one) for one in question["exposures"]]
        bad = list(heavy_client.get_config_info(question["observatory"]).bad_files_set)
    texts = [{name: str(found) for name, found in one.items()} for one in chosen]
    return {"context": context, "chosen": texts, "bad": bad}


def _best_of_cache(heavy_client, context, exposure):
    return heavy_client.hv_best_references(context, exposure["parameters"], exposure["reftypes"])


def bring(question: dict[str, Any]) -> dict[str, Any]:
    """Files brought into the cache, where a server is asked, and where they are.

    Parameters
    ----------
    question : dict
        ``observatory``, ``server`` and ``context`` as for `choose`; ``files``: names.

    Returns
    -------
    dict
        ``paths``: name to path of those that are there.
    """
    from rtools.reference.crds_cache import locate_in_cache

    names = question["files"]
    if question["server"]:
        from crds.client import api

        api.dump_references(question["context"], baserefs=list(names))
    paths = {name: locate_in_cache(os.environ["CRDS_PATH"], question["observatory"], name) for name in names}
    return {"paths": {name: path for name, path in paths.items() if path}}


def main() -> None:
    """Answer questions until there are no more."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what the client prints is no answer
    socket.setdefaulttimeout(PATIENCE)
    for line in sys.stdin:
        question = json.loads(line)
        try:
            answer = bring(question) if "files" in question else choose(question)
        except Exception as error:  # every one of its many errors is told by its text
            answer = {"error": " ".join(str(error).split()) or type(error).__name__}
        print(json.dumps(answer), file=out, flush=True)


if __name__ == "__main__":
    main()
