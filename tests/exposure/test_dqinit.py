"""From raw data to a ramp: values, flags, borders, amp33."""

import numpy as np
import pytest

from rtools.exposure.frame import Strip
from rtools.exposure.steps import dqinit
from tests.support.strips import exposure

ROWS, COLUMNS, GROUPS = 24, 256, 2
DNU, GW = 1, 16


@pytest.fixture
def raw():
    return np.random.default_rng(1).integers(500, 60000, (GROUPS, ROWS, COLUMNS)).astype(np.uint16)


class Raw:
    """A view of raw data."""

    def __init__(self, data, pixeldq=None):
        self.data, self.pixeldq = data, pixeldq

    def strip(self, start, stop):
        flags = None if self.pixeldq is None else self.pixeldq[:, start:stop].copy()
        return Strip(start, stop, self.data[..., start:stop].copy(), None, flags, ROWS, COLUMNS)


def run(view, *, mask=None, read=None, width=128, expand=0, amp33=None, reference_amp33=None, **meta):
    """The exposure and its strips after the step."""
    made = exposure((GROUPS, ROWS, COLUMNS))
    made.raw = view.pixeldq is None
    made.meta["instrument"].update(meta.pop("instrument", {}))
    made.meta.update(meta)
    made.amp33, made.reference_amp33 = amp33, reference_amp33
    prepared = dqinit.prepare(made, view, {}, {"expand_gw": expand})
    strips = []
    for start in range(0, COLUMNS, width):
        part = view.strip(start, min(start + width, COLUMNS))
        refs = {} if mask is None else {"mask": {"dq": mask[:, part.start : part.stop]}}
        if read is not None:
            part.reference_read = read[:, part.start : part.stop]
        dqinit.apply(part, refs, {"expand_gw": expand}, prepared)
        strips.append(part)
    return made, strips


def whole(strips, name):
    return np.concatenate([getattr(part, name) for part in strips], axis=-1)


def test_offset_and_reference_read(raw):
    read = np.random.default_rng(2).integers(0, 65536, (ROWS, COLUMNS)).astype(np.uint16)
    _made, strips = run(Raw(raw), read=read, instrument={"data_encoding_offset": 1000})
    data = whole(strips, "data")
    assert data.dtype == np.float32
    assert np.array_equal(data, raw.astype(float) + read - 1000)
    assert whole(strips, "groupdq").dtype == np.uint8
    assert not whole(strips, "groupdq").any()
    assert strips[0].reference_read is None


def test_groupdq_is_resultantdq(raw):
    view = Raw(raw)
    part = view.strip(0, 128)
    part.groupdq = np.full(part.data.shape, 8, np.uint8)
    prepared = dqinit.prepare(exposure(raw.shape), view, {}, {"expand_gw": 0})
    dqinit.apply(part, {}, {}, prepared)
    assert (part.groupdq == 8).all()


def test_amp33_is_clipped_not_wrapped(raw):
    amp33 = np.array([[[10, 60000, 3000]]], np.uint16)
    extra = np.array([[100, 10000, 200]], np.uint16)
    made, _strips = run(Raw(raw), amp33=amp33, reference_amp33=extra, instrument={"data_encoding_offset": 1000})
    assert made.amp33.dtype == np.uint16
    assert np.array_equal(made.amp33, [[[0, 65535, 2200]]])
    assert made.reference_amp33 is None


def test_borders_are_copies_of_the_ramp(raw):
    mask = np.random.default_rng(3).integers(0, 2**32, (ROWS, COLUMNS)).astype(np.uint32)
    # Odd widths: a border may be filled by two strips, and a strip may overlap the next.
    made, strips = run(Raw(raw), mask=mask, width=127, instrument={"data_encoding_offset": 7})
    data, flags = whole(strips, "data"), whole(strips, "pixeldq")
    assert np.array_equal(flags, mask)
    for side, where in {
        "left": np.s_[..., :4],
        "right": np.s_[..., -4:],
        "top": np.s_[..., :4, :],
        "bottom": np.s_[..., -4:, :],
    }.items():
        assert np.array_equal(made.borders[f"border_ref_pix_{side}"], data[where])
        assert np.array_equal(made.borders[f"dq_border_ref_pix_{side}"], flags[where])
        assert made.borders[f"border_ref_pix_{side}"].base is None


WINDOW = {"window_xstart": 120, "window_xstop": 136, "window_ystart": 2, "window_ystop": 6}


@pytest.mark.parametrize("expand", [0, 3])
def test_the_guide_window_and_its_surroundings_are_flagged(raw, expand):
    _made, strips = run(Raw(raw), expand=expand, guide_star=WINDOW)
    expected = np.zeros((ROWS, COLUMNS), np.uint32)
    expected[:, 120:136] = GW
    expected[max(0, 2 - expand) : 6 + expand, 120 - expand : 136 + expand] |= GW | DNU
    assert np.array_equal(whole(strips, "pixeldq"), expected)


@pytest.mark.parametrize(
    "change",
    [
        {"window_xstart": -999},
        {"window_ystart": -999999},
        {"window_xstart": COLUMNS},
        {"window_ystart": ROWS},
        {"window_xstop": None},
    ],
)
def test_no_window_no_flags(raw, change):
    _made, strips = run(Raw(raw), guide_star=WINDOW | change)
    assert not whole(strips, "pixeldq").any()


@pytest.mark.parametrize(
    ("change", "level"),
    [
        ({"window_xstop": -999999}, "warning"),
        ({"window_ystop": 0}, "warning"),
        (dict.fromkeys(WINDOW, -999999), "info"),
    ],
)
def test_half_a_window_is_told(raw, change, level):
    """Columns 120 to nowhere; but a window that nobody filled in at all is none."""
    made, strips = run(Raw(raw), guide_star=WINDOW | change)
    assert not whole(strips, "pixeldq").any()
    assert [said for said, text in made.messages if "window" in text] == [level]


def test_mask_adds_to_the_window(raw):
    mask = np.full((ROWS, COLUMNS), 1024, np.uint32)
    _made, strips = run(Raw(raw), mask=mask, guide_star=WINDOW)
    flags = whole(strips, "pixeldq")
    assert flags[3, 125] == 1024 | GW | DNU
    assert flags[20, 0] == 1024
    assert (mask == 1024).all()


def test_ramp_whose_mask_was_refused_keeps_its_values(raw):
    """Such a ramp has lost its offset already; a second run adds the mask and nothing else."""
    ramp = Raw(raw.astype(np.float32), np.full((ROWS, COLUMNS), 4, np.uint32))
    mask = np.full((ROWS, COLUMNS), 1024, np.uint32)
    amp33 = np.full((GROUPS, ROWS, 128), 5000, np.uint16)
    made, strips = run(
        ramp, mask=mask, amp33=amp33, instrument={"data_encoding_offset": 1000}, cal_step={"dq_init": "SKIPPED"}
    )
    assert np.array_equal(whole(strips, "data"), raw)
    assert (whole(strips, "pixeldq") == 1028).all()
    assert (made.amp33 == 5000).all()


@pytest.mark.parametrize(("before", "after"), [(True, "True"), (False, None), (None, None), ("why", "why")])
def test_a_data_problem_is_said_as_before(before, after):
    meta = {"exposure": {"data_problem": before, "type": "WFI_IMAGE"}, "instrument": {}}
    assert dqinit.ramp_meta(meta)["exposure"] == {"data_problem": after, "type": "WFI_IMAGE"}
    assert meta["exposure"]["data_problem"] == before
