"""What `make size` and `make house` count, on small examples, and that they find faults."""

import json
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import PATIENCE, wait_until

import artgen
from tools import forks, size, suite
from tools import mutants as mutation
from tools.house import find_circles, find_floors
from tools.mutants import mutants
from tools.picture import reduce_lines
from tools.size import HOUSE
from tools.suite import Suite, cut, main, sum_up

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


def test_modules_are_looked_up_by_name_where_names_are_data_alone():
    """A texture looked up the reader of SVG in a room above, past the contract of imports."""
    calls = {
        path.relative_to(HOUSE).as_posix()
        for path in (HOUSE / "artgen").rglob("*.py")
        if "resolve_name(" in path.read_text(encoding="utf-8")
    }
    registry = {f"artgen/registry/{name}.py" for name in ("_plugin", "_contract")}
    assert calls == {"artgen/cli/_request.py", *registry}


def test_long_files_are_cut_and_groups_become_smaller_towards_the_end(tmp_path, monkeypatch):
    monkeypatch.setattr(suite, "DURATIONS", tmp_path / "durations.json")
    seconds = {"a": 400.0, "b": 90.0, "c": 60.0, "d": 20.0, "e": 9.0, "f": 1.0}
    known = {file: {"seconds": each, "slow": {"it": each - 1}} for file, each in seconds.items()}
    suite.DURATIONS.write_text(json.dumps(known))
    assert [part.seconds for part in cut(seconds, quick=True, jobs=2)] == [1.0] * 6
    every = Suite(cut([*seconds, "new"], quick=False, jobs=2), 2, [])
    groups = []
    while group := every.take():
        groups.append([(part.file, part.number, part.parts) for part in group])
    assert groups == [
        *([("a", number, 3)] for number in range(3)),
        [("b", 0, 1)],
        [("c", 0, 1)],
        [("d", 0, 1), ("new", 0, 1)],
        [("e", 0, 1), ("f", 0, 1)],
    ]
    alone = cut(["b", "f"], quick=False, jobs=2)
    assert [(part.file, part.seconds) for part in alone] == [("b", 45.0), ("b", 45.0), ("f", 1.0)]
    assert sum_up({"x::one": 2.0, "x::two[a::b]": 0.5, "y::one": 0.05}) == {
        "x": {"seconds": 2.5, "slow": {"one": 2.0, "two[a::b]": 0.5}},
        "y": {"seconds": 0.05, "slow": {}},
    }


def test_as_many_processes_as_asked_have_room_in_memory(monkeypatch):
    assert suite.limit_jobs(0) == 1
    monkeypatch.setattr(suite, "MEMORY", 1)
    assert suite.limit_jobs(5) == 5
    monkeypatch.setattr(suite, "MEMORY", 2**60)
    assert suite.limit_jobs(5) == 1


def test_a_group_that_cannot_be_started_fails_and_so_does_a_run_without_tests(
    tmp_path, capsys, monkeypatch
):
    def run(*command, **options):
        raise OSError("no room for a process")

    monkeypatch.setattr("subprocess.run", run)
    for name in ("one.py", "two.py"):
        assert main([str(tmp_path / name), "-j", "1"]) == 1
        failed = f"FAILED {tmp_path / name}: OSError: no room for a process"
        assert failed in capsys.readouterr().out
    monkeypatch.setattr("subprocess.run", lambda *_, **__: subprocess.CompletedProcess([], 5, ""))
    assert main([str(tmp_path / "one.py"), "-j", "1"]) == 1
    assert "no test was selected" in capsys.readouterr().err


def test_a_group_says_what_failed_what_was_skipped_and_what_is_left_to_the_night(
    tmp_path, capsys, monkeypatch
):
    conftest = Path(__file__).with_name("conftest.py").read_text()
    hook = conftest[conftest.index("def pytest_collection") : conftest.index("@pytest.fixture")]
    known = {"test_it.py": {"seconds": 1.0, "slow": {"test_good": 1.0}}}
    (tmp_path / "conftest.py").write_text(f"import pytest\n\nDURATIONS = {known}\n\n\n{hook}")
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = nightly\n    slow\n")
    file = tmp_path / "test_it.py"
    file.write_text(
        "import pytest\n"
        "def test_good(): pass\n"
        "def test_bad(): assert False\n"
        "def test_skipped(): pytest.skip('needs a thing')\n"
        "@pytest.mark.nightly\ndef test_late(): assert False\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
    monkeypatch.setenv(forks.VARIABLE, sys.executable)
    monkeypatch.setattr(suite, "DURATIONS", Path("durations.json"))
    long = tmp_path / "test_long.py"
    long.write_text("import pytest\n@pytest.mark.parametrize('n', range(7))\ndef test_n(n): pass\n")
    Path("durations.json").write_text(json.dumps({str(long): {"seconds": 400, "slow": {}}}))
    broken = tmp_path / "test_broken.py"
    broken.write_text("import nothing_of_this_name\n")
    assert main([str(file), str(long), str(broken), "-j", "1", "--record"]) == 1
    printed = capsys.readouterr().out
    for line in (
        "FAILED test_it.py::test_bad",
        "FAILED test_broken.py",
        "1  needs a thing",
        "1  left to the night",
        "long (3 of 3)",
        "8 passed, 2 failed, 1 skipped",
    ):
        assert line in printed
    assert "test_it.py" in json.loads((tmp_path / "durations.json").read_text())
    with pytest.raises(SystemExit):
        main([str(file), "-k", "good", "--record"])
    assert main([str(file), "-m", "not slow", "-j", "1"]) == 1
    assert "0 passed, 1 failed, 1 skipped" in capsys.readouterr().out
    monkeypatch.setattr(suite, "TESTS", Path("."))
    assert main(["-k", "good", "-j", "1"]) == 1
    assert "passed, 1 failed" in capsys.readouterr().out
    assert "test_it.py::test_good" in json.loads(suite.EVERY_TEST.read_text())


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="forks as Linux does")
def test_a_forked_python_does_what_python_does(tmp_path, monkeypatch):
    monkeypatch.setenv("A_WORD", "said")
    program = (
        "import os, signal, sys\n"
        "print(os.getcwd(), os.environ['A_WORD'], sys.argv, __name__, sys.stdin.read(), flush=True)\n"
        "print('wrong', file=sys.stderr)\n"
        "{}"
    )

    def done(python: list[str], *arguments: str) -> tuple[int, str, str]:
        command = [*python, *arguments]
        found = subprocess.run(
            command, cwd=tmp_path, input="given", capture_output=True, text=True, check=False
        )
        return found.returncode, found.stdout, found.stderr

    with forks.serving():
        python = forks.python()
        assert python != [sys.executable]
        for end in ("", "sys.exit(3)", "sys.exit('so')", "os.kill(os.getpid(), signal.SIGKILL)"):
            line = "-c", program.format(end), "one", "two words"
            assert done(python, *line) == done([sys.executable], *line)
        code, out, err = done(python, "-m", "artgen", "--version")
        assert (code, out.split()[:2], err) == (0, ["artgen", artgen.__version__], "")
        program = (
            "import os, signal, sys\n"
            "signal.signal(signal.SIGTERM, lambda *_: sys.exit(5))\n"
            "print(os.getpid(), flush=True)\n"
            "while True:\n    signal.pause()\n"
        )
        for signal_, expected in ((signal.SIGTERM, 5), (signal.SIGKILL, -signal.SIGKILL)):
            with subprocess.Popen([*python, "-c", program], stdout=subprocess.PIPE) as process:
                forked = Path("/proc", process.stdout.readline().decode().strip())
                assert forked.exists()
                process.send_signal(signal_)
                assert process.wait(PATIENCE) == expected
            wait_until(lambda path=forked: not path.exists())


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="forks as Linux does")
def test_what_multiprocessing_spawns_is_forked_too():
    program = (
        "import multiprocessing, sys\n"
        "with multiprocessing.get_context('spawn').Pool(1) as pool:\n"
        '    print(pool.apply(eval, (\'"torch" in __import__("sys").modules\',)))\n'
    )
    with forks.serving():
        line = [*forks.python(), "-c", program]
        done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("True\n", "")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="forks as Linux does")
def test_a_signal_waits_until_it_can_be_passed_on(tmp_path):
    # The forked program may write before the one that asked knows its number.
    program = [sys.executable, "-c", "import signal\nsignal.pause()"]
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address := str(tmp_path / "forks"))
        listener.listen()
        line = [sys.executable, "-S", "-I", forks.__file__, address, "-c", ""]
        forked, asking = subprocess.Popen(program), subprocess.Popen(line)
        try:
            connection, _ = listener.accept()
            with connection, connection.makefile("rb") as file:
                file.read(int.from_bytes(file.read(forks.WORD)))
                asking.send_signal(signal.SIGTERM)
                connection.sendall(forked.pid.to_bytes(forks.WORD))
                assert forked.wait(PATIENCE) == -signal.SIGTERM
                connection.sendall((5).to_bytes(forks.WORD, signed=True))
                assert asking.wait(PATIENCE) == 5
        finally:
            for process in (forked, asking):
                process.kill()
                process.wait()


def test_mutants_differ_in_one_place_and_annotations_stay():
    source = "def f(x: int = 1) -> bool:\n    return x < 2 and not x\n"
    texts = [text for text, _, _ in mutants(source)]
    assert set(texts) == {
        "def f(x: int=2) -> bool:\n    return x < 2 and (not x)",
        "def f(x: int=1) -> bool:\n    return None",
        "def f(x: int=1) -> bool:\n    return x < 2 or not x",
        "def f(x: int=1) -> bool:\n    return x <= 2 and (not x)",
        "def f(x: int=1) -> bool:\n    return x < 3 and (not x)",
        "def f(x: int=1) -> bool:\n    return x < 2 and x",
    }
    assert len(texts) == 6
    assert [line for _, line, _ in mutants("x = 1\ny = True\n")] == [1, 2]


def test_a_report_of_mutants_goes_on_where_it_ended(tmp_path, monkeypatch, capsys):
    path, seen = tmp_path / "report.json", []
    module = "plugins/artgen_plugins/sets/idx.py"
    source = Path(module).read_text(encoding="utf-8")

    def result(folder, tests, limit):
        text = (folder / module).read_text(encoding="utf-8")
        if text == source:
            return "survived"
        seen.append(text)
        return ("caught", "hung", "survived")[len(seen) % 3]

    monkeypatch.setattr(mutation, "copy_repository", lambda folder: _copy(module, folder))
    monkeypatch.setattr(mutation, "result", result)
    line = [module, "--sample", "3", "--report", str(path)]
    assert mutation.main([*line, "--minutes", "-1"]) == 0
    assert "3 not tried" in capsys.readouterr().out
    assert mutation.main(line) == 0
    assert len(set(seen)) == 3
    first = json.loads(path.read_text())
    assert sorted(each["result"] for each in first["mutants"]) == ["caught", "hung", "survived"]
    assert mutation.main(line) == 0
    assert len(seen) == 3
    assert "2 of 3 mutants caught, 0 not tried" in capsys.readouterr().out
    with pytest.raises(SystemExit):  # another sample
        mutation.main([*line, "--seed", "1"])


def _copy(module: str, folder: Path) -> None:
    (folder / module).parent.mkdir(parents=True)
    shutil.copy(module, folder / module)
