"""Tables of text: aligned by what a terminal shows, in panels that fit it, folded, tab-separated in a pipe."""

from rtools.show import table
from rtools.show.table import TextColumn, aligned, print_columns, print_table


def on_a_terminal(monkeypatch, width):
    monkeypatch.setattr(table.sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("NO_COLOR", "1")


def test_labels_stand_to_the_left_and_numbers_to_the_right():
    assert aligned(("name", "n"), [("a", "1"), ("bb", "200")], labels=1, width=80) == [
        "name    n",
        "a       1",
        "bb    200",
    ]


def test_letters_that_take_two_cells_are_counted_twice():
    assert aligned((), [("日本", "x"), ("abcde", "y")]) == ["日本   x", "abcde  y"]


def test_panels_repeat_the_labels_and_fit_the_width():
    lines = aligned(("name", "first", "second"), [("a", "1", "2")], labels=1, width=12)
    assert lines == ["name  first", "a         1", "", "name  second", "a          2"]


def test_a_table_without_rows_has_its_head_alone():
    assert aligned(("name", "n"), [], labels=1, width=80) == ["name  n"]
    assert aligned((), []) == []


def test_a_pipe_gets_tabs_and_no_head(capsys):
    print_table(("name", "n"), [("a", "1")], title="file")
    assert capsys.readouterr().out == "file\ta\t1\n"


def test_a_last_column_of_sentences_is_folded(monkeypatch, capsys):
    on_a_terminal(monkeypatch, 30)
    print_columns([TextColumn(["error", "info"]), TextColumn(["one two three four five six", "good"])],
                  labels=None, fold=True)  # fmt: skip
    assert capsys.readouterr().out.splitlines() == ["error  one two three four five", "       six", "info   good"]


def test_units_stand_below_names(monkeypatch, capsys):
    on_a_terminal(monkeypatch, 30)
    print_columns([TextColumn(["1"], ("label", "")), TextColumn(["2.5"], ("ra", "deg"), right=True)])
    assert capsys.readouterr().out.splitlines() == ["label   ra", "       deg", "1      2.5"]
