"""What `make size` and `make house` count, on small examples, and that they find faults."""

from tools import size
from tools.house import find_circles, find_floors
from tools.picture import reduce_lines

MODULE = '''"""A module."""

# A comment.
NUMBER = 1
"""What it is."""


def double(x):
    """Twice x."""
    return (
        2 * x
    )
'''


def test_lines_that_bear_code_are_no_comments_and_no_docstrings():
    assert size.count_lines(MODULE) == 5


def test_a_room_over_its_budget_fails_the_check(monkeypatch, tmp_path, capsys):
    (tmp_path / "artgen" / "engines").mkdir(parents=True)
    (tmp_path / "artgen" / "engines" / "climb.py").write_text(MODULE)
    budget = tmp_path / "budget.toml"
    monkeypatch.setattr(size, "HOUSE", tmp_path)
    monkeypatch.setattr(size, "BUDGET", budget)
    budget.write_text('[rooms]\n"artgen/engines" = 5\n')
    assert size.main(["--check"]) == 0
    budget.write_text('[rooms]\n"artgen/engines" = 4\n"artgen/gone" = 4\n')
    assert size.main([]) == 0
    assert size.main(["--check"]) == 1
    assert capsys.readouterr().err.splitlines() == [
        "error: artgen/engines has 1 lines too many: see tools/budget.toml",
        "error: artgen/gone is no room: see tools/budget.toml",
    ]


def test_floors_circles_and_lines_of_the_picture():
    house = {"cli": {"runs", "base"}, "runs": {"base"}, "base": set()}
    assert find_circles(house) == []
    assert find_floors(house) == {"cli": 3, "runs": 2, "base": 1}
    assert reduce_lines(house) == {"cli": {"runs"}, "runs": {"base"}, "base": set()}
    house["base"] = {"cli"}
    assert find_circles(house) == [{"cli", "runs", "base"}]
