"""Measured figures of README and docs are those of benchmarks/RESULTS.md, by name."""

from __future__ import annotations

import re
import tomllib

import pytest

from benchmarks.__main__ import BENCHMARKS, GPUS
from tools import figures

RESULTS = figures.RESULTS.read_text(encoding="utf-8")
NAMES = figures.NAMES.read_text(encoding="utf-8")
KNOWN = figures.values(RESULTS, NAMES)
TEXTS = {path: path.read_text(encoding="utf-8") for path in figures.pages()}
each_page = pytest.mark.parametrize("page", TEXTS, ids=lambda page: page.name)

MEASURED = re.compile(r"\d(?:[\d,.]*\d)? ?(?:dB|CPU seconds?|CPU s|ms|G/s)\b")
SAID_BY_US = (
    "0.01 dB of PSNR",  # the key `plateau`
    "a test allows 0.05 dB",
    "at most 0.05 dB",  # `--precision auto`, here and in the next two
    "at least 40 dB alike",
    "or 50 dB where",
    "chunks of about 50 ms",
)
"""Limits and definitions, which nobody measures."""
TABLE = """\
## speed

### Threads

| threads | ms                  | parts        |
| ------- | ------------------: | -----------: |
| 1       | 8.44 (8.40 to 8.51) | 1,000 / 2    |
| 2       | -6.52               | 12,345.6 / 3 |
"""


@each_page
def test_a_page_has_the_figures_of_the_results(page):
    assert figures.renewed(TEXTS[page], KNOWN) == TEXTS[page], "run `make figures`"


@each_page
def test_a_measured_figure_has_a_name(page):
    prose = re.sub(r"^```.*?^```$", "", TEXTS[page], flags=re.MULTILINE | re.DOTALL)
    if page.name == "reliability.md":
        # Its tables are written from soak/results.json.
        prose = prose.partition("## Promises and trials")[0]
    for limit in SAID_BY_US:
        prose = prose.replace(limit, "")
    assert MEASURED.findall(prose) == []


@each_page
def test_no_mark_begins_a_line(page):
    # There it would be a block of HTML, which ends the paragraph.
    assert not re.search(r"^[ >*-]*<!-- figure", TEXTS[page], re.MULTILINE)
    assert TEXTS[page].count("<!-- figure: ") == len(figures.MARK.findall(TEXTS[page]))


def test_every_name_is_used():
    used = {match["name"] for text in TEXTS.values() for match in figures.MARK.finditer(text)}
    assert used == set(tomllib.loads(NAMES))


def test_every_section_of_the_results_has_a_command_and_a_commit():
    sections = re.split(r"^## (.+)\n", RESULTS, flags=re.MULTILINE)[1:]
    devices = {f"{name}-{device}" for device, names in GPUS.items() for name in names}
    for name, text in zip(sections[::2], sections[1::2], strict=True):
        assert name in {*BENCHMARKS, *devices}
        command = name if name in BENCHMARKS else name.replace("-", " --device ")
        assert re.search(
            rf"`python -m benchmarks {command}( --[^`]+)?`, commit [0-9a-f]{{7}}", text
        ), name
    assert set(BENCHMARKS) <= {*sections[::2]}


def test_cells_are_found_by_name():
    names = """
        two = { cell = ["speed", "Threads", "2", "ms"] }
        spread = { cell = ["speed", "Thr*", "1", "ms"], part = 2 }
        most = { cell = ["speed", "Threads", "*", "parts"], pick = "largest", times = 0.001 }
    """
    assert figures.values(TABLE, names) == {
        "two": -6.52,
        "spread": 8.51,
        "most": pytest.approx(12.3456),
    }


@each_page
def test_a_sign_that_a_page_says_in_words_is_named(page):
    names, said = tomllib.loads(NAMES), figures.MARK.finditer(TEXTS[page])
    words = {match["name"] for match in said if match["value"][0] not in "+-"}
    assert [name for name in words if KNOWN[name] < 0 and "sign" not in names[name]] == []


@pytest.mark.parametrize("sign", "+-")
def test_a_change_of_sign_that_words_would_hide_is_refused(sign):
    name = f'a = {{ cell = ["speed", "Threads", "2", "ms"], sign = "{sign}" }}'
    if sign == "-":
        assert figures.values(TABLE, name) == {"a": -6.52}
    else:
        with pytest.raises(ValueError, match=r"a is -6\.52 now"):
            figures.values(TABLE, name)


@pytest.mark.parametrize("cell", [("speed", "Threads", "3", "ms"), ("speed", "*", "*", "ms")])
def test_a_name_of_no_cell_or_of_several_is_refused(cell):
    with pytest.raises(ValueError, match=r"wrong: .+ names [02] cells"):
        figures.values(TABLE, f"wrong = {{ cell = {list(cell)} }}")


def test_a_page_keeps_its_decimals_and_its_sign():
    page = "from 7.0<!-- figure: a --> to +1<!-- figure: b --> and 9,999<!-- figure: c -->"
    new = figures.renewed(page, {"a": -6.52, "b": 2.4, "c": 12345.6})
    assert new == "from 6.5<!-- figure: a --> to +2<!-- figure: b --> and 12,346<!-- figure: c -->"


def test_the_tool_says_what_differs_and_writes_it(tmp_path, monkeypatch, capsys):
    (tmp_path / "docs").mkdir()
    page = tmp_path / "README.md"
    page.write_text("takes 7.0<!-- figure: two --> ms")
    monkeypatch.setattr(figures, "ROOT", tmp_path)
    for name, text in (
        ("RESULTS", TABLE),
        ("NAMES", 'two = { cell = ["speed", "Threads", "2", "ms"] }'),
    ):
        path = tmp_path / name
        path.write_text(text)
        monkeypatch.setattr(figures, name, path)
    monkeypatch.setattr("sys.argv", ["figures"])
    assert figures.main() == 1
    assert capsys.readouterr().out == "README.md: 7.0 is 6.5: two\n"
    monkeypatch.setattr("sys.argv", ["figures", "--write"])
    assert figures.main() == 0
    assert page.read_text() == "takes 6.5<!-- figure: two --> ms"
