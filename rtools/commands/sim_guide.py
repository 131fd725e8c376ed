"""Options of rt-sim about Roman alone: guide windows, and what comes from files."""

from dataclasses import replace

from rtools.errors import UsageError
from rtools.simulate.guide.request import AcquisitionRequest, parse_dithers, parse_numbers

__all__ = ["guided", "is_windows", "sources_of", "tables_of"]

GUIDED = ("drift", "motion", "exposures", "mag", "dither", "gap", "fault")
"""Options about guide windows alone."""

SEVERAL = ("exposures", "dither")
"""Those of them that are about several exposures, which NAME_gw.asdf has."""

LARGEST_JITTER = 1000.0
"""mas: more is none."""


def guided(names, settings):
    """What each name is simulated with, as fields of a `SimulationRequest`: a function of the name.

    Options about guide windows are taken out of `settings`; refused where they go with none of the names.
    """
    typed = {key: settings.pop(key) for key in GUIDED}
    guide, jitter = settings.pop("guide"), _jitter(settings.pop("jitter"))
    asked = {key: value for key, value in typed.items() if value not in (None, ())}
    windows = any(map(is_windows, names))
    for key in asked:
        if not (windows or (guide and key not in SEVERAL)):
            others = "" if key in SEVERAL else ", or --guide"
            raise UsageError(f"--{key} is about guide windows", mend=f"give NAME_gw.asdf{others}")
    request = AcquisitionRequest(jitter=jitter, **_parsed(asked))

    def of(name):
        if is_windows(name):
            return {"guide": request}
        return {"guide": replace(request, exposures=1, dither=())} if guide else {"jitter": jitter}

    return of


def is_windows(name):
    """Whether a name is that of guide windows."""
    return str(name).lower().endswith("_gw.asdf")


def _jitter(word):
    """Numbers of --jitter, with the position angle."""
    if word is None:
        return None
    first, second, *angle = parse_numbers("--jitter", word, (2, 3))
    if min(first, second) < 0 or max(first, second) >= LARGEST_JITTER:
        raise UsageError(f"--jitter {word}: between 0 and {LARGEST_JITTER:g} mas expected")
    return first, second, (angle[0] if angle else 90.0)


def _parsed(asked):
    """Values of options as fields of an `AcquisitionRequest`."""
    parsed = {"exposures": asked.get("exposures", 1), "gap": asked.get("gap", 3), "magnitude": asked.get("mag")}
    parsed["faults"] = tuple(dict.fromkeys(asked.get("fault", ())))
    if "drift" in asked:
        parsed["drift"] = parse_numbers("--drift", asked["drift"], (2,))
    if "dither" in asked:
        parsed["dither"] = parse_dithers(asked["dither"])
    if "motion" in asked:
        from rtools.simulate.files import read_motion

        parsed["motion"] = read_motion(asked["motion"])
    return parsed


def tables_of(path):
    """Further read patterns of --matable, or None."""
    if path is None:
        return None
    from rtools.simulate import files

    return files.read_tables(path)


def sources_of(path, request):
    """Sources of --sources, or None."""
    if path is None or not request.has_sky:
        return None
    from rtools.simulate import files

    return files.read_sources(path, request.element)
