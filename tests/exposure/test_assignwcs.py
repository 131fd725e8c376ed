"""The step that attaches the world coordinate system: metadata it reads and writes."""

import numpy as np
import pytest
from astropy.modeling.models import Const2D, Mapping

from rtools.exposure.steps import assignwcs
from tests.support.pointings import POINTING, REGION, SCALE, distortion
from tests.support.strips import exposure


def assigned(model=None, scale=SCALE, **wcsinfo):
    made = exposure(
        (6, 108, 208),
        wcsinfo={**POINTING._asdict(), "s_region": "as before", **wcsinfo},
        velocity_aberration={"scale_factor": scale},
    )
    assignwcs.apply(made, {"distortion": {"coordinate_distortion_transform": model or distortion()}}, {}, None)
    return made


def test_the_region_is_the_published_one():
    made = assigned()
    assert made.meta["wcsinfo"]["s_region"] == REGION
    assert made.meta["wcs"].bounding_box.bounding_box(order="F") == ((-0.5, 199.5), (-0.5, 99.5))
    assert {key: made.meta["wcsinfo"][key] for key in POINTING._fields} == POINTING._asdict()
    assert not made.messages


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan"), -999999.0, "?", 30.0])
def test_scale_that_cannot_be(scale):
    made = assigned(scale=scale)
    assert made.meta["wcs"](50, 30) == assigned(scale=None).meta["wcs"](50, 30)
    assert made.messages[0][0] == "warning"


def test_corners_without_a_position_leave_the_region():
    made = assigned(Mapping((0, 1, 0, 1)) | Const2D(np.nan) & Const2D(np.nan))
    assert made.meta["wcsinfo"]["s_region"] == "as before"
    assert made.messages[0][0] == "warning"


def test_may_run_again():
    made = assigned()
    refs = {"distortion": {"coordinate_distortion_transform": distortion()}}
    assignwcs.apply(made, refs, {}, None)
    assert made.meta["wcsinfo"]["s_region"] == REGION
    assert assignwcs.STEP.repeatable
