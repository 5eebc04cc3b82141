"""The public surface: lazy, complete, and usable from Python alone."""

from __future__ import annotations

import ast
import base64
import io
import multiprocessing
import os
import pickle
import re
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import artgen
from artgen.events import Evaluated
from artgen.registry import Registry, reset_default

THREADS = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")


def test_importing_artgen_imports_nothing_heavy():
    heavy = {"torch", "numpy", "numba", "PIL", "av", "skimage", "pydantic"}
    code = f"import sys, artgen; print(sorted({heavy!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("given", [{}, {"OMP_WAIT_POLICY": "active"}, {"GOMP_SPINCOUNT": "7"}])
def test_threads_of_torch_sleep_soon_and_the_environment_stays(given):
    """In programs they waited in a loop, where those of commands slept."""
    code = """
import os, sys
names = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")
class Finder:
    def find_spec(name, path, target=None):
        if name == "torch":
            print([os.environ.get(each) for each in names])
            raise ImportError("found")
sys.meta_path.insert(0, Finder)
import artgen
try:
    artgen.Engine
except ImportError:
    print([os.environ.get(each) for each in names])
"""
    environment = {k: v for k, v in os.environ.items() if k not in THREADS} | given
    asked = {"capture_output": True, "text": True, "check": True, "env": environment}
    done = subprocess.run([sys.executable, "-c", code], **asked)
    inside, after = map(ast.literal_eval, done.stdout.splitlines())
    assert after == [given.get(name) for name in THREADS]
    expected = {"OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "2000"} | given
    assert inside == (after if "OMP_WAIT_POLICY" in given else list(expected.values()))


def test_all_is_what_there_is():
    assert all(getattr(artgen, name) is not None for name in artgen.__all__)
    assert sorted(dir(artgen)) == sorted(artgen.__all__)


def test_no_name_of_a_package_is_that_of_the_module_it_comes_from():
    """Once somebody imports that module, lazy-loader before 0.6 gives it in place of the name."""
    stubs = [*Path(artgen.__file__).parent.rglob("__init__.pyi")]
    shadowed = [
        f"{stub.parent.name}.{alias.name}"
        for stub in stubs
        for node in ast.walk(ast.parse(stub.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
        if alias.name == node.module.split(".")[0]
    ]
    assert len(stubs) > 5
    assert not shadowed


def test_documentation_for_plugins_needs_public_names_alone():
    docs = Path(__file__).parents[1] / "docs"
    pages = [
        *docs.glob("guides/*.md"),
        *(docs / f"{n}.md" for n in ("hooks", "plugins", "tutorial")),
    ]
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    modules = set(re.findall(r"^ *(?:from|import) artgen\.([\w.]+)", text, re.MULTILINE))
    assert modules <= set(artgen.__all__)


def test_the_public_face_is_small_and_documented():
    # Forty, the namespaces of those who write makers and operations on parts, and `edit`, which is
    # what `fit` is to drawings; the engine of shapes, whose search a rule can bound; and the
    # namespace of those who write executors.
    assert len(artgen.__all__) <= 46
    page = (Path(__file__).parents[1] / "docs" / "python.md").read_text(encoding="utf-8")
    text, table = page[page.index("## Public names") :].split("| namespace |")
    flat = set(re.findall(r"`(\w+)`", text))
    rows = re.findall(r"^\| `artgen\.(\w+)` \| .* \| (.+) \|$", table, re.MULTILINE)
    assert flat | {space for space, _ in rows} == set(artgen.__all__)
    spaces = {space: set(re.findall(r"`(\w+)`", names)) for space, names in rows}
    for space, names in spaces.items():
        assert names <= set(getattr(artgen, space).__all__), space
    shipped = Path(__file__).parents[1] / "plugins"
    for file in shipped.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("artgen."):
                space = str(node.module).removeprefix("artgen.")
                assert {each.name for each in node.names} <= spaces[space], file


def test_unknown_names_are_attribute_errors():
    for name in ("gaussian", "InputError"):  # the second was flat until version 0.3
        with pytest.raises(AttributeError, match=name):
            getattr(artgen, name)


def test_fit_from_a_name_save_load_and_render(tmp_path):
    art = artgen.fit("sample:chelsea", "gaussian", count=30, steps=25, size=48, seed=4)
    assert art.psnr > 15
    assert art.recipe.seed == 4
    art.save(tmp_path / "cat.art")
    with pytest.raises(artgen.errors.UsageError, match="exists"):
        art.save(tmp_path / "cat.art")

    again = artgen.load(tmp_path / "cat.art")
    assert again.to_bytes() == art.to_bytes()
    assert np.array_equal(again.render(), art.render())
    assert again.render(120).shape == (80, 120, 3)
    assert art._repr_png_().startswith(b"\x89PNG")


BLOBS = {"count": 12, "steps": 40, "size": 24, "seed": 4, "backend": "eager"}


def test_a_stream_is_the_same_fit_step_by_step(photo):
    plain = artgen.fit(photo, **BLOBS)
    run = artgen.stream(photo, **BLOBS)
    seen = list(run)
    history = [(each.step, each.loss, each.psnr) for each in plain.history]
    assert [(step.step, step.loss, step.psnr) for step in seen if step.evaluated] == history
    assert all(step.total_steps == 40 for step in seen)
    pictures = [step.picture for step in seen if step.picture is not None]
    assert pictures[-1].shape == (16, 24, 3)
    assert run.art.to_bytes() == plain.to_bytes()
    # It is over, and `art` alone does all of it.
    assert list(run) == []
    assert artgen.stream(photo, **BLOBS).art.to_bytes() == plain.to_bytes()


def test_a_long_stream_gives_steps_between_evaluations(photo, monkeypatch):
    monkeypatch.setattr("artgen.api.streams.STEP_SECONDS", 0.0)
    seen = list(artgen.stream(photo, **{**BLOBS, "steps": 300}))
    first, second = seen[:2]
    assert first.evaluated
    assert (second.evaluated, second.step) == (False, 1)
    assert (second.loss, second.psnr) == (first.loss, first.psnr)
    assert [step.step for step in seen] == sorted(step.step for step in seen)


def test_a_fit_within_the_observer_of_a_stream_is_another(photo):
    """Its steps were the stream's, and to leave the stream ended it."""
    inner = []

    def observe(event):
        if isinstance(event, Evaluated) and not inner:
            inner.append(None)
            inner[0] = artgen.fit(photo, **{**BLOBS, "steps": 7})

    run = artgen.stream(photo, observe=observe, **BLOBS)
    assert {step.total_steps for step in run} == {BLOBS["steps"]}
    assert inner[0].metrics["steps"] == 7


@pytest.mark.parametrize("background", [(1.0, 0.5, 0.0), [1, 0, 0], "#f00"])
def test_a_background_of_an_array_may_be_three_numbers(background):
    pixels = np.full((4, 6, 4), 128, np.uint8)
    art = artgen.fit(pixels, "triangle", count=1, steps=1, background=background)
    assert art.drawing.background[0] == 1.0


def test_leaving_a_stream_ends_the_fit(photo):
    threads = threading.active_count()
    run = artgen.stream(photo, **{**BLOBS, "steps": 4000})
    for step in run:
        if step.step > 0:
            break
    assert threading.active_count() == threads
    assert 0 < run.art.recipe.stage[0].stop < 4000


def test_a_stream_raises_what_the_fit_raises(photo):
    run = artgen.stream(photo, "no_such_primitive")
    with pytest.raises(artgen.errors.PluginError, match="no_such_primitive"):
        list(run)
    with pytest.raises(artgen.errors.PluginError, match="no_such_primitive"):
        _ = run.art


def test_a_film_is_a_video_in_a_notebook(photo):
    art = artgen.fit(photo, **BLOBS, history=3)
    html = art._repr_html_()
    assert html.startswith('<video width="24" height="16" controls')
    data = base64.b64decode(re.search('base64,([^"]*)', html)[1])
    assert data[4:8] == b"ftyp"
    assert artgen.fit(photo, **BLOBS)._repr_html_() is None


@pytest.mark.parametrize("kind", ["uint8", "float", "pillow"])
def test_fit_from_memory(kind):
    ramp = np.linspace(0, 255, 20 * 30 * 3).reshape(20, 30, 3).astype(np.uint8)
    target = {"uint8": ramp, "float": ramp / 255, "pillow": Image.fromarray(ramp)}[kind]
    art = artgen.fit(target, count=12, steps=20, seed=0, backend="eager")
    assert art.render().shape == (20, 30, 3)
    assert art.psnr > 14


def test_fit_takes_a_class_options_and_an_observer():
    class Blob(artgen.Splat):
        """A round blob."""

        params = {"size": artgen.Param(init=artgen.init.from_spacing(0.6), lr=0.05, map="exp")}

        def footprint(self, dx, dy, p):
            return 1 / (1 + (dx * dx + dy * dy) / (p.size * p.size)) ** 2

        def radius(self, p):
            return 6 * p.size

    events = []
    art = artgen.fit(
        "sample:coffee",
        Blob,
        count=20,
        steps=15,
        size=32,
        seed=1,
        backend="eager",
        engine_options={"rate": 0.5},
        observe=events.append,
    )
    assert art.recipe.stage[0].options["rate"] == 0.5
    assert art.recipe.primitive.name == "blob"
    assert any(isinstance(event, Evaluated) for event in events)


def test_fit_says_what_is_wrong():
    with pytest.raises(artgen.errors.PluginError, match="gausian"):
        artgen.fit("sample:cat", "gausian")
    with pytest.raises(artgen.errors.UsageError, match="blen"):
        artgen.fit("sample:cat", "gaussian", blen="depth")
    with pytest.raises(artgen.errors.InputError, match=r"no\.png"):
        artgen.fit("no.png")
    with pytest.raises(artgen.errors.UsageError, match="steps"):
        artgen.fit("sample:cat", steps=0)


@pytest.fixture
def empty_session():
    reset_default(Registry(environ={}))
    yield
    reset_default()


def grey(rest, request):
    """A grey picture."""
    pixels = np.full((8, 8), int(rest or 9), np.uint8)
    return artgen.targets.image_from_array(pixels, request, source=f"grey:{rest}")


@pytest.mark.usefixtures("empty_session")
class TestObjects:
    def test_loss_and_target_are_registered_by_their_names(self):
        def halved(image, target, weight):
            return (image - target).square().mean() / 2

        art = artgen.fit(grey, count=2, steps=3, loss=halved, backend="eager")
        assert art.recipe.target.source == "grey:"
        assert art.recipe.stage[0].loss == "halved"
        art = artgen.fit(grey, count=2, steps=3, loss=lambda *args: halved(*args))
        assert art.recipe.stage[0].loss == "loss"

    def test_engine_needs_a_family_or_a_primitive_that_names_it(self):
        class Still(artgen.Engine):
            """Leaves the drawing as it is."""

            def start(self, problem):
                self.kept = problem.drawing

            def advance(self, steps):
                self.step += steps

            def report(self):
                return artgen.engines.Report(self.step, 1.0, None, False)

            def drawing(self, best):
                return self.kept

            def state_dict(self):
                return {"step": self.step}

            def load_state_dict(self, state):
                self.step = state["step"]

        with pytest.raises(artgen.errors.UsageError, match="'splat' in `families`"):
            artgen.fit(grey, engine=Still)
        Still.families = ("splat",)
        art = artgen.fit(grey, count=3, steps=2, engine=Still)
        assert (art.recipe.stage[0].engine, art.metrics["count"]) == ("still", 3)
        with pytest.raises(artgen.errors.UsageError, match="does not work with engine 'still'"):
            artgen.fit(grey, "triangle", engine=Still)

    def test_a_loss_is_that_of_its_fit_alone(self):
        def own(sign):
            def same(image, target, weight):
                return sign * (image - target).abs().mean() + 1

            return same

        begun = threading.Barrier(2)

        def fit(sign):
            def wait(event):
                if isinstance(event, artgen.events.Started):
                    begun.wait(60)

            options = {"count": 3, "size": 16, "steps": 12, "seed": 1, "backend": "eager"}
            return artgen.fit("sample:cat", loss=own(sign), observe=wait, **options).psnr

        with ThreadPoolExecutor(2) as pool:
            near, far = pool.map(fit, (1, -1))
        assert near > far
        with pytest.raises(artgen.errors.UsageError, match="unknown loss 'same'"):
            artgen.fit(grey, loss="same", steps=1)

    @pytest.mark.parametrize(("name", "words"), [("mse", "one of artgen"), ("nan", "a number")])
    def test_a_loss_whose_name_means_something_else_is_refused(self, name, words):
        def loss(image, target, weight):
            return (image - target).abs().mean()

        loss.__name__ = name
        with pytest.raises(artgen.errors.PluginError, match=words):
            artgen.fit(grey, loss=loss, steps=1)

    def test_every_kind_can_be_registered_under_one_name(self, tmp_path):
        seen = []
        kinds = {
            "target": grey,
            "loss": lambda image, target, weight: (image - target).abs().mean(),
            "exporter": lambda art, request: b"exported",
            "observer": seen.append,
        }
        for kind, function in [*kinds.items(), *kinds.items()]:
            assert artgen.register(function, "same", kind=kind) == "same"
        artgen.fit("same:7", loss="same", count=2, steps=2).save(tmp_path / "art.same")
        assert (tmp_path / "art.same").read_bytes() == b"exported"
        assert len([event for event in seen if isinstance(event, artgen.events.Started)]) == 1

    @pytest.mark.parametrize(
        ("value", "kind", "words"),
        [
            (grey, None, "kind='loss', 'target'"),
            (artgen.making.Maker, None, "'maker'"),
            (7, "loss", "cannot be called"),
            (grey, "primitive", "not a subclass"),
            (grey, "los", "kind='loss', 'target'"),
        ],
    )
    def test_what_is_not_of_its_kind_is_refused(self, value, kind, words):
        with pytest.raises(artgen.errors.PluginError) as caught:
            artgen.register(value, kind=kind)
        assert words in str(caught.value)


FORKED = {"count": 9, "size": 48, "steps": 9, "seed": 1, "backend": "eager"}


def _fit_in_a_fork(expected, threads):
    art = artgen.fit("sample:cat", threads=threads, **FORKED)
    raise SystemExit(0 if art.psnr == expected else 1)


@pytest.mark.skipif(
    "fork" not in multiprocessing.get_all_start_methods(), reason="the system cannot fork"
)
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@pytest.mark.parametrize("threads", [None, 2])
def test_a_process_forked_after_a_fit_fits(threads):
    """It waited for ever for the threads of OpenMP, which it does not have."""
    expected = artgen.fit("sample:cat", threads=2, **FORKED).psnr
    fork = multiprocessing.get_context("fork").Process
    child = fork(target=_fit_in_a_fork, args=(expected, threads))
    child.start()
    child.join(60)
    child.kill()
    child.join()
    assert child.exitcode == 0


def test_an_observer_ends_the_fit_with_the_best_drawing():
    def decide(event):
        return isinstance(event, Evaluated) and event.step > 20

    asked = {"count": 9, "size": 24, "seed": 1, "backend": "eager"}
    art = artgen.fit("sample:cat", steps=300, observe=decide, **asked)
    assert art.recipe.stage[0].stop == art.history[-1].step == art.metrics["steps"] < 60
    assert [each.step for each in art.history] == sorted({each.step for each in art.history})
    assert art.history[-1].psnr == pytest.approx(art.psnr, abs=0.2)
    # A comparison with a number of numpy gives no bool of Python.
    numbers = artgen.fit("sample:cat", steps=300, observe=lambda e: np.bool_(decide(e)), **asked)
    assert numbers.metrics["steps"] == art.metrics["steps"]
    unstopped = artgen.fit("sample:cat", steps=3, observe=lambda event: 1, **asked)
    assert unstopped.metrics["steps"] == 3
    with pytest.raises(artgen.errors.UsageError, match="observe is 3, not a function"):
        artgen.fit("sample:cat", steps=3, observe=3, **asked)


@pytest.mark.parametrize("primitive", ["gaussian", "mesh", "mlp"])
def test_what_a_program_has_set_for_torch_changes_no_fit(primitive):
    """Under no_grad a primitive was said to have no gradient, and doubles gave other pictures."""
    picture = np.random.default_rng(0).random((12, 12, 3))
    asked = {"steps": 2, "seed": 1, **({} if primitive == "mlp" else {"count": 6})}
    usual = artgen.fit(picture, primitive, **asked).render(20)
    with torch.inference_mode():
        assert np.array_equal(artgen.fit(picture, primitive, **asked).render(20), usual)
    torch.set_default_dtype(torch.float64)
    try:
        assert np.array_equal(artgen.fit(picture, primitive, **asked).render(20), usual)
        assert torch.get_default_dtype() == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: artgen.fit(None), "array is no picture: NoneType"),
        (lambda: artgen.fit(5), "a Pillow image or an array"),
        (lambda: artgen.edit("a.art", "rotate=3"), r"edit\(artgen.load\(FILE\), ...\)"),
        (lambda: artgen.fit("sample:cat", init=Path), "init must be the path of a file, got type"),
        (lambda: artgen.fit("sample:cat", mask=np.ones((9, 9))), "a file, got ndarray"),
    ],
)
def test_things_of_other_kinds_are_refused_in_words(call, words):
    with pytest.raises(artgen.errors.ArtgenError, match=words):
        call()


def test_tensors_with_gradients_and_of_bfloat16_are_pictures():
    picture = torch.linspace(0, 1, 64).reshape(8, 8).bfloat16()
    asked = {"count": 2, "steps": 1, "seed": 0, "backend": "eager"}
    expected = artgen.fit(picture.float().numpy(), **asked).render()
    for given in (picture, picture.float().requires_grad_()):
        assert np.array_equal(artgen.fit(given, **asked).render(), expected)


def test_an_art_can_be_pickled_and_no_text_file_takes_its_bytes():
    art = artgen.fit(np.zeros((8, 8)), count=2, steps=1, backend="eager")
    assert np.array_equal(pickle.loads(pickle.dumps(art)).render(), art.render())
    with pytest.raises(artgen.errors.UsageError, match="the file object takes text"):
        art.save(io.StringIO(), format="svg")


def test_repr_is_short_and_says_what_it_is():
    target = artgen.targets.image_from_array(np.linspace(0, 1, 600).reshape(20, 30))
    art = artgen.fit(target, "triangle", count=3, steps=3)
    assert re.fullmatch(r"<Art triangle, 3 parts, 30x20, [\d.]+ dB>", repr(art))
    assert repr(target) == "<ImageTarget array, 30x20>"
    assert len(repr(art.drawing)) < 400


@pytest.mark.parametrize("size", [(10, 0), 2.5, "wide", 0])
def test_size_that_is_none_is_refused_in_words(size):
    art = artgen.fit(np.zeros((8, 8)), count=2, steps=1, backend="eager")
    with pytest.raises(artgen.errors.UsageError, match=r"size|--size"):
        art.render(size)
    with pytest.raises(artgen.errors.UsageError, match=r"size|--size"):
        artgen.fit(np.zeros((8, 8)), size=size)


def test_save_writes_the_format_of_the_suffix(tmp_path):
    art = artgen.fit(np.zeros((8, 8)), count=2, steps=1, backend="eager")
    art.save(tmp_path / "art.PNG", artgen.art.ExportRequest(size=32))
    with Image.open(tmp_path / "art.PNG") as picture:
        assert picture.size == (32, 32)
    with pytest.raises(artgen.errors.PluginError, match="unknown exporter 'xyzzy'"):
        art.save(tmp_path / "art.xyzzy")
