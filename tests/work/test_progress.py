"""Progress: a bar on a terminal, lines elsewhere, nothing when quiet; messages and results pass by the bar."""

import io
import sys
import threading
import time

import pytest

from rtools.work import progress
from rtools.work.progress import ProgressReporter, TaskProgress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def terminal_of(monkeypatch):
    """stderr and stdout as one terminal, in the test itself: pytest puts its own there after the fixtures."""
    screen = Terminal()
    for name in ("stderr", "stdout"):
        monkeypatch.setattr(sys, name, screen)
    monkeypatch.setattr(progress, "BAR_AFTER", 0.01)
    monkeypatch.setattr(progress, "FRAMES_PER_SECOND", 50)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    return screen


def test_a_terminal_sees_a_bar_with_the_share(monkeypatch):
    terminal = terminal_of(monkeypatch)
    with ProgressReporter("rt-x").progress("frame.asdf", 4) as task:
        task.advance(3)
        time.sleep(0.3)
    assert "frame.asdf" in terminal.getvalue()
    assert "75%" in terminal.getvalue()
    assert sys.stderr is terminal


def test_what_is_short_shows_no_bar(monkeypatch):
    terminal = terminal_of(monkeypatch)
    monkeypatch.setattr(progress, "BAR_AFTER", 5)
    with ProgressReporter("rt-x").progress("frame.asdf", 4) as task:
        task.advance(4)
    assert terminal.getvalue() == ""


def test_messages_and_results_stay_on_lines_of_their_own(monkeypatch):
    terminal = terminal_of(monkeypatch)
    reporter = ProgressReporter("rt-x")
    with reporter.progress("frame.asdf", 4):
        time.sleep(0.2)
        reporter.say("rt-x: warning: something")
        print("result", "of", "it")
        print("begun", end="")
        time.sleep(0.1)
    lines = terminal.getvalue().replace("\r", "\n").split("\n")
    wiped = [line.rpartition("\x1b[2K")[2] for line in lines]
    assert "rt-x: warning: something" in wiped
    assert "result of it" in wiped
    assert terminal.getvalue().endswith("begun")


def test_no_color_gives_a_bar_without_colours(monkeypatch):
    terminal = terminal_of(monkeypatch)
    monkeypatch.setenv("NO_COLOR", "1")
    with ProgressReporter("rt-x").progress("frame.asdf", 4):
        time.sleep(0.3)
    assert "frame.asdf" in terminal.getvalue()
    assert "\x1b[3" not in terminal.getvalue()
    assert "\x1b[9" not in terminal.getvalue()


def test_elsewhere_a_line_is_written_now_and_then(monkeypatch, capsys):
    monkeypatch.setattr(progress, "LINES_EVERY", 0.05)
    with ProgressReporter("rt-x").progress("frame.asdf", 4) as task:
        task.advance()
        time.sleep(0.3)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("rt-x: frame.asdf: 25%, 0:00 gone")
    assert err.count("\n") >= 2


def test_quiet_says_nothing_and_starts_no_thread(monkeypatch):
    terminal = terminal_of(monkeypatch)
    before = threading.active_count()
    with ProgressReporter("rt-x", quiet=True).progress("frame.asdf", 4) as task:
        task.advance()
        assert threading.active_count() == before
        time.sleep(0.05)
    assert terminal.getvalue() == ""


def test_steps_of_many_threads_are_all_counted():
    task = TaskProgress("frame.asdf", 4000)
    threads = [threading.Thread(target=lambda: [task.advance() for _ in range(1000)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert task.done == 4000


def test_a_failure_takes_the_bar_away(monkeypatch):
    terminal = terminal_of(monkeypatch)
    with pytest.raises(ValueError), ProgressReporter("rt-x").progress("frame.asdf", 4):
        time.sleep(0.1)
        raise ValueError
    assert sys.stderr is terminal
    assert terminal.getvalue().rstrip().endswith("\x1b[2K\x1b[?25h")
