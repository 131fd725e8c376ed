"""The streaming engine with small steps made for the purpose."""

import numpy as np
import pytest

from rtools.declare import FitStep, ImageStep, NotApplicable, RampStep, Reference, Skip
from rtools.exposure.frame import Exposure, Strip
from rtools.pipeline.exposure.engine import Engine
from rtools.pipeline.exposure.sinks import ImageSink
from rtools.pipeline.exposure.task import StripTask
from rtools.products.io.reading import one_by_one
from rtools.work import Work

ROWS, COLUMNS, RESULTANTS = 32, 1280, 3  # ten channels: more than one group of eight


class Ramp:
    """A source of strips from an array."""

    def __init__(self, data):
        self.data = data

    def checks(self):
        return []

    def spans(self, spans, _work):
        shapes = [(RESULTANTS, ROWS, stop - start) for start, stop in spans]
        return {"data": one_by_one(lambda start, stop: self.data[..., start:stop], spans, shapes, "f4")}

    def strip(self, start, stop, arrays):
        part = arrays["data"]
        return Strip(start, stop, part, np.zeros(part.shape, "u1"), np.zeros(part.shape[1:], "u4"), ROWS, COLUMNS)


class Planes:
    """A reference source that counts how often each column is read."""

    def __init__(self, **arrays):
        self.arrays = arrays
        self.read = []

    def checks(self, _names):
        return []

    def spans(self, name, spans):
        self.read += [(name, start, stop) for start, stop in spans]
        array = self.arrays[name]
        shapes = [(*array.shape[:-1], stop - start) for start, stop in spans]
        return one_by_one(lambda start, stop: array[..., start:stop], spans, shapes, array.dtype)

    def row_spans(self, name, spans):
        array = self.arrays[name]
        shapes = [(stop - start, *array.shape[1:]) for start, stop in spans]
        return one_by_one(lambda start, stop: array[start:stop], spans, shapes, array.dtype)

    def node(self, path):
        return self.arrays[path]


def task(functions, *, kind=RampStep, references=(), sources=None, options=None):
    named = dict.fromkeys(("name", "cal_step", "suffix", "summary", "description"), "x")
    return StripTask(kind(**named, references=references, **functions), options or {}, sources or {})


def to_image(strip, refs, options, prepared):
    rows, columns = strip.science
    mean = strip.data.mean(axis=0)[rows, columns]
    strip.image = {"data": mean, "dq": strip.pixeldq[rows, columns], "err": np.abs(mean)}


FIT = {"apply": to_image}


@pytest.fixture
def data():
    return np.random.default_rng(1).normal(100, 10, (RESULTANTS, ROWS, COLUMNS)).astype("f4")


def sink():
    return ImageSink((ROWS, COLUMNS), {"data": "f4", "dq": "u4", "err": "f2"})


def run(data, tasks, threads=1):
    exposure = Exposure({}, data.shape)
    out = sink()
    tasks[-1].sinks.append(out)
    with Engine(Ramp(data), exposure, tasks, Work(threads)) as engine:
        engine.prepare(0, len(tasks))
        engine.run()
    return out


def test_image_is_the_trimmed_frame(data):
    out = run(data, [task(FIT, kind=FitStep)])
    assert np.array_equal(out.planes["data"], data.mean(axis=0)[4:-4, 4:-4])
    assert out.planes["err"].dtype == np.float16


def add_plane(strip, refs, options, prepared):
    strip.data += refs["flat"]["data"]
    return {"pixels": strip.data[0].size}


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_references_are_cut_to_the_strip_and_each_column_is_read_once(data, threads):
    plane = np.arange(ROWS * COLUMNS, dtype="f4").reshape(ROWS, COLUMNS)
    source = Planes(data=plane)
    first = task({"apply": add_plane}, references=(Reference("flat", planes=("data",)),), sources={"flat": source})
    out = run(data, [first, task(FIT, kind=FitStep)], threads)
    assert np.array_equal(out.planes["data"], (data + plane).mean(axis=0)[4:-4, 4:-4])
    assert sorted(source.read) == [("data", start, start + 128) for start in range(0, COLUMNS, 128)]
    assert first.total() == {"pixels": ROWS * COLUMNS}


def test_trimmed_and_channel_references(data):
    trimmed = np.arange((ROWS - 8) * (COLUMNS - 8), dtype="f4").reshape(ROWS - 8, COLUMNS - 8)
    per_channel = np.arange(10.0)

    def apply(strip, refs, options, prepared):
        strip.image["data"] += refs["r"]["t"] + np.float32(refs["r"]["c"])

    use = Reference("r", trimmed=("t",), channels=("c",))
    second = task({"apply": apply}, kind=ImageStep, references=(use,), sources={"r": Planes(t=trimmed, c=per_channel)})
    out = run(data, [task(FIT, kind=FitStep), second])
    channel = np.arange(COLUMNS)[4:-4] // 128
    expected = data.mean(axis=0)[4:-4, 4:-4] + (trimmed + channel.astype("f4"))
    assert np.array_equal(out.planes["data"], expected)


def neighbour_sum(strip, refs, options, prepared):
    padded = np.pad(strip.data, ((0, 0), (0, 0), (3, 3)))
    strip.data = sum(padded[..., i : i + strip.data.shape[2]] for i in range(7)).astype("f4")


def test_halo_makes_a_strip_see_its_neighbours(data):
    whole = np.pad(data, ((0, 0), (0, 0), (3, 3)))
    expected = sum(whole[..., i : i + COLUMNS] for i in range(7)).astype("f4")
    functions = {"apply": neighbour_sum, "halo": lambda options: 3}
    out = run(data, [task(functions), task(FIT, kind=FitStep)], 2)
    assert np.array_equal(out.planes["data"], expected.mean(axis=0)[4:-4, 4:-4])


def test_prepare_sees_the_frame_as_earlier_steps_leave_it(data):
    def double(strip, refs, options, prepared):
        strip.data *= 2

    def prepare(exposure, view, refs, options):
        left = view.strip(0, 4).data
        means = view.map_channels(lambda strip: float(strip.data.mean()))
        return left, means

    seen = task({"prepare": prepare, "apply": lambda *_: None})
    run(data, [task({"apply": double}), seen, task(FIT, kind=FitStep)], 2)
    left, means = seen.prepared
    assert np.array_equal(left, 2 * data[..., :4])
    assert np.allclose(means, [2 * data[..., c * 128 : (c + 1) * 128].mean() for c in range(10)], rtol=1e-6)


@pytest.mark.parametrize(("answer", "status"), [(Skip("why"), "SKIPPED"), (NotApplicable("why"), "N/A")])
def test_prepare_may_decline(data, answer, status):
    def fail(*_):
        raise AssertionError("apply must not run")

    idle = task({"prepare": lambda *_: answer, "apply": fail})
    run(data, [idle, task(FIT, kind=FitStep)])
    assert idle.status == status


def test_revise_repeats_channels_and_keeps_one_count(data):
    passes = []

    def apply(strip, refs, options, prepared):
        to_image(strip, refs, options, prepared)
        passes.append(strip.channel)
        if passes.count(strip.channel) == 2:
            strip.image["data"] += 1
        return {"channels": 1}

    fit = task({"apply": apply, "revise": lambda prepared, options: [3, 9]}, kind=FitStep)
    out = run(data, [fit], 2)
    expected = data.mean(axis=0)[4:-4, 4:-4].copy()
    again = np.isin(np.arange(COLUMNS)[4:-4] // 128, [3, 9])
    expected[:, again] += 1
    assert np.array_equal(out.planes["data"], expected)
    assert fit.total() == {"channels": 10}


def test_failure_in_a_strip_ends_the_run_with_that_error(data):
    def apply(strip, refs, options, prepared):
        if strip.channel == 5:
            raise ValueError("strip 5")

    with pytest.raises(ValueError, match="strip 5"):
        run(data, [task({"apply": apply}), task(FIT, kind=FitStep)], 2)


def test_sink_counts_what_float16_cannot_hold(data):
    data[:, 10, 300] = 1e6
    out = run(data, [task(FIT, kind=FitStep)])
    assert out.overflows() == {"err": 1}
    assert np.isinf(out.planes["err"][6, 296])


def test_jumps_are_ordered_by_resultant_then_row(data):
    def apply(strip, refs, options, prepared):
        to_image(strip, refs, options, prepared)
        x = strip.trimmed.start
        strip.jumps = np.array([[2, 5, x], [1, 7, x]], "i2")

    jumps = run(data, [task({"apply": apply}, kind=FitStep)], 2).jumps()
    assert len(jumps) == 20
    assert np.array_equal(jumps, jumps[np.lexsort(jumps.T[::-1])])


@pytest.mark.parametrize("threads", [1, 3])
def test_memory_of_a_group_serves_the_next_and_no_strip_sees_another_one_s(data, threads):
    plane = np.arange(ROWS * COLUMNS, dtype="f4").reshape(ROWS, COLUMNS)
    places = []

    def apply(strip, refs, options, prepared):
        places.append(refs["flat"]["data"].ctypes.data)
        assert np.array_equal(refs["flat"]["data"], plane[:, strip.start : strip.stop])
        strip.data *= 1  # in place: the input of this strip alone

    use = (Reference("flat", planes=("data",)),)
    first = task({"apply": apply}, references=use, sources={"flat": Planes(data=plane)})
    out = run(data, [first, task(FIT, kind=FitStep)], threads)
    assert np.array_equal(out.planes["data"], data.mean(axis=0)[4:-4, 4:-4])
    assert len(places) == 10
    assert len(set(places)) == 8  # the two channels of the second group have memory of the first


def test_strip_that_is_kept_is_computed_once(data):
    seen = []

    def prepare(exposure, view, refs, options):
        seen.append(view.strip(0, 128))

    exposure = Exposure({}, data.shape)
    tasks = [task({"apply": lambda *_: seen.append("applied")}), task({"prepare": prepare, **FIT}, kind=FitStep)]
    with Engine(Ramp(data), exposure, tasks, Work(1)) as engine:
        kept = engine.strip(1, 0, 128, keep=True)
        engine.prepare(0, 2)
        assert seen == ["applied", kept]
        engine.strip(1, 0, 128)
    assert seen.count("applied") == 2


def test_view_maps_on_the_threads_in_order(data):
    def prepare(exposure, view, refs, options):
        return view.map(lambda number: number**2, range(20))

    first = task({"prepare": prepare, "apply": lambda *_: None})
    run(data, [first, task(FIT, kind=FitStep)], 3)
    assert first.prepared == [number**2 for number in range(20)]


def test_halo_of_a_task_that_declines_is_cut_off_again(data):
    widths = []
    decline = {"prepare": lambda *_: Skip("why"), "apply": neighbour_sum, "halo": lambda options: 3}
    look = {"apply": lambda strip, *_: widths.append(strip.data.shape[2])}
    tasks = [task(decline), task(look), task(FIT, kind=FitStep)]
    exposure = Exposure({}, data.shape)
    tasks[-1].sinks.append(sink())
    with Engine(Ramp(data), exposure, tasks, Work(1)) as engine:
        engine.read_ahead()
        engine.prepare(0, 3)
        engine.run()
    assert set(widths) == {128}
    assert np.array_equal(tasks[-1].sinks[0].planes["data"], data.mean(axis=0)[4:-4, 4:-4])


@pytest.mark.parametrize("threads", [1, 3])
def test_sweep_of_prepare_takes_the_memory_that_was_read_ahead(data, threads):
    plane = np.arange(ROWS * COLUMNS, dtype="f4").reshape(ROWS, COLUMNS)
    places = []

    def apply(strip, refs, options, prepared):
        places.append(refs["flat"]["data"].ctypes.data)
        assert np.array_equal(refs["flat"]["data"], plane[:, strip.start : strip.stop])

    def prepare(exposure, view, refs, options):
        return view.map_channels(lambda strip: strip.start)

    use = (Reference("flat", planes=("data",)),)
    first = task({"apply": apply}, references=use, sources={"flat": Planes(data=plane)})
    second = task({"prepare": prepare, **FIT}, kind=FitStep)
    second.sinks.append(sink())
    with Engine(Ramp(data), Exposure({}, data.shape), [first, second], Work(threads)) as engine:
        engine.read_ahead()
        engine.prepare(0, 2)
        engine.run()
    assert second.prepared == list(range(0, COLUMNS, 128))
    assert len(places) == 20
    assert len(set(places)) == 8
