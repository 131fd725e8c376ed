"""Associations of JWST in rt-run: of exposures, whose backgrounds are made rates first, or of mosaics."""

import os
from contextlib import suppress

from rtools.commands.kit.associations import folder_of
from rtools.commands.kit.inputs import is_association, local_path
from rtools.errors import RtoolsError, UsageError
from rtools.pipeline.job.status import shared_status

__all__ = ["are_of_mosaics", "are_of_types", "associations_of_jwst", "exposures_in", "plans_of_associated"]

MOSAICS = ("image3",)
"""Types of associations whose images become one mosaic."""


def associations_of_jwst(inputs):
    """Those of the inputs that are associations of JWST.

    Parameters
    ----------
    inputs : sequence of str
        As they were typed.

    Returns
    -------
    list of str
    """
    from rtools.products.mosaic.association import content_of
    from rtools.products.mosaic.jwst_association import is_of_jwst

    found = []
    for name in filter(is_association, inputs):
        with suppress(RtoolsError):  # told where it is planned
            if is_of_jwst(content_of(local_path(name))):
                found.append(name)
    return found


def are_of_mosaics(inputs):
    """Whether associations of JWST are of mosaics.

    Parameters
    ----------
    inputs : sequence of str
        The associations.

    Returns
    -------
    bool

    Raises
    ------
    UsageError
        Some of them are, others not.
    """
    return are_of_types(inputs, MOSAICS, "a mosaic")


def are_of_types(inputs, types, title):
    """Whether associations of JWST are of some types.

    Parameters
    ----------
    inputs : sequence of str
        The associations.
    types : collection of str
        Values of asn_type.
    title : str
        What text calls what these make.

    Returns
    -------
    bool

    Raises
    ------
    UsageError
        Some of them are, others not.
    """
    from rtools.products.mosaic.jwst_association import read_jwst_association

    found = {}
    for name in inputs:
        with suppress(RtoolsError):  # told where it is planned
            found.setdefault(read_jwst_association(local_path(name)).asn_type in types, name)
    if len(found) > 1:
        raise UsageError(f"{found[True]} is of {title}, {found[False]} is not", mend="run one after the other")
    return True in found


def exposures_in(inputs, others, report, *, fail_fast=False):
    """Exposures that associations of JWST ask for, and what is left of other inputs.

    An input that is among the exposures counts once; one that is a ramp of which a background is made goes on from that
    rate.

    Parameters
    ----------
    inputs : sequence of str
        The associations.
    others : mapping of str to str
        Other exposures, and the groups that they are aligned with.
    report : rtools.commands.kit.reports.RunReport
        Is told of associations that cannot be read.
    fail_fast : bool
        Stop at the first of these.

    Returns
    -------
    exposures : list of rtools.pipeline.jwst.association.AssociatedExposure
        Each once.
    others : dict of str to str
        Those that are none of them.
    status : int
        Exit code of what cannot be read.

    Raises
    ------
    UsageError
        Two products are of one exposure, with other backgrounds or names.
    """
    from rtools.pipeline.jwst.association import AssociatedExposure, FoundMember, exposures_of

    found, codes = {}, []
    for name in inputs:
        try:
            exposures = exposures_of(local_path(name), folder_of(name))
        except Exception as error:
            codes.append(report.failed(name, error))
            if fail_fast:
                break
            continue
        for one in exposures:
            if found.setdefault(one.science.there, one) != one:
                raise UsageError(f"two products are of {one.science.there}", mend="run one after the other")
    exposures, given = list(found.values()), set(map(os.path.abspath, others))
    for ramp in dict.fromkeys(member.there for member in _to_be_made(exposures)):
        if ramp not in found and os.path.abspath(ramp) in given:
            exposures.append(AssociatedExposure(str(ramp), FoundMember(ramp, ramp), ()))
    known = {os.path.abspath(one.science.there) for one in exposures}
    left = {name: group for name, group in others.items() if os.path.abspath(name) not in known}
    return exposures, left, shared_status(*codes)


def _to_be_made(exposures):
    """Members that show a background and of which only ramps are there, once each."""
    members = (member for one in exposures for member in one.backgrounds)
    return list(dict.fromkeys(member for member in members if member.there != member.wanted))


def plans_of_associated(exposures, request):
    """What plans each exposure, after the rates of backgrounds of which only ramps are there.

    Parameters
    ----------
    exposures : sequence of rtools.pipeline.jwst.association.AssociatedExposure
        From `exposures_in`.
    request : rtools.pipeline.exposure.request.ExposureRequest
        What is asked of them.

    Returns
    -------
    list of (str, callable)
        As `rtools.pipeline.job.run.run_jobs` takes them.

    Raises
    ------
    UsageError
        Rates would be written beside what goes to standard output.
    """
    from rtools.pipeline.jwst.awaiting import RatesToMake, plan_associated

    if not _reaches_images(request):
        exposures = [one._replace(backgrounds=()) for one in exposures]
    ramps = _to_be_made(exposures)
    if ramps and request.to_stdout:
        raise UsageError("-o - takes one product, and rates of the background are made, too", mend="give -o a name")
    rates = RatesToMake(request)
    return [
        *((str(member.there), lambda member=member: rates.plan(member)) for member in ramps),
        *((str(one.science.there), lambda one=one: [plan_associated(one, request, rates)]) for one in exposures),
    ]


def _reaches_images(request):
    """Whether exposures go on to where the background is subtracted."""
    from rtools.pipeline.jwst.chain import step_called

    return request.last is None or not (step_called(request.last).reads_ramp or request.last == "gainscale")
