"""Checks of plugins of other kinds than primitives: they find planted mistakes."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest
import torch

from artgen.registry import Registry
from artgen.testing import Failed, checks_for, examine, judge
from artgen.testing.candidate import find_entries
from artgen.testing.kit import offer_of
from artgen.testing.names import names
from artgen.testing.side_effects import check_same

HEAD = (
    "import dataclasses, json, math, random, sys, time\nimport numpy as np, torch\nimport artgen\n"
)
HOOKS = {"loss": "artgen_losses"}
OFFER = """
@artgen.hookimpl
def {hook}():
    return [artgen.Spec("{name}", "Planted.", bad)]
"""
SQUARE = "(image - target).square()"

LOSSES = {
    "unknown kind": (
        "marks",
        "@artgen.losses.for_targets('images')\ndef bad(image, target, weight): 0",
    ),
    "curve without a mark": ("marks", "@artgen.losses.for_targets('curve')\ndef bad(i, t, w): 0"),
    "a number": ("scalar", f"def bad(image, target, weight): return float({SQUARE}.mean())"),
    "no mean": ("scalar", f"def bad(image, target, weight): return {SQUARE}"),
    "detached": ("scalar", f"def bad(image, target, weight): return {SQUARE}.mean().detach()"),
    "double": ("scalar", f"def bad(image, target, weight): return {SQUARE}.double().mean()"),
    "root of 0": ("finite", f"def bad(image, target, weight): return {SQUARE}.mean().sqrt()"),
    "logarithm": ("finite", "def bad(image, target, weight): return (target - image.log()).mean()"),
    "sum of weights": (
        "finite",
        f"def bad(image, target, weight):\n  e = {SQUARE}.mean(0)\n"
        "  return e.mean() if weight is None else (e * weight).sum() / weight.sum()",
    ),
    "rounded": (
        "gradients",
        "def bad(image, target, weight):\n"
        f"  return {SQUARE}.mean() + (image.detach() - target).abs().mean()",
    ),
    "root of a difference": (
        "gradients",
        f"def bad(image, target, weight):\n  none = (image - image.detach()).abs().sqrt()\n"
        f"  return {SQUARE}.mean() + 0 * none.mean()",
    ),
    "likeness": ("likeness", f"def bad(image, target, weight): return -{SQUARE}.mean()"),
    "weights ignored": ("weights", f"def bad(image, target, weight): return {SQUARE}.mean()"),
    "weights not divided": (
        "weights",
        f"def bad(image, target, weight):\n  e = {SQUARE}.mean(0)\n"
        "  return (e if weight is None else e * weight).mean()",
    ),
    "state": (
        "purity",
        f"calls = []\ndef bad(image, target, weight):\n  calls.append(1)\n"
        f"  return {SQUARE}.mean() * len(calls)",
    ),
    "in place": (
        "purity",
        f"def bad(image, target, weight):\n  target.clamp_(0.2, 0.8)\n  return {SQUARE}.mean()",
    ),
    "random": (
        "purity",
        f"def bad(image, target, weight): return {SQUARE}.mean() + 0 * torch.rand(())",
    ),
    "neighbours": (
        "pixels",
        "@artgen.losses.per_pixel\ndef bad(image, target, weight):\n"
        "  return (image.diff(dim=-1) - target.diff(dim=-1)).square().mean()",
    ),
    "number of pixels": (
        "pixels",
        f"@artgen.losses.per_pixel\ndef bad(image, target, weight): return {SQUARE}.sum()",
    ),
}

WATCH = "@artgen.hookimpl\ndef artgen_observe(event):\n  "
AT = "if isinstance(event, artgen.events.{}): "
OBSERVERS = {
    "psnr of a curve": (
        "events",
        AT.format("Evaluated") + "print(f'{event.psnr:.1f}', file=sys.stderr)",
    ),
    "target of a curve": ("events", AT.format("Started") + "event.target.mean()"),
    "unknown field": ("events", AT.format("Advanced") + "event.total"),
    "frames": ("events", AT.format("FrameTaken") + "event.pixels"),
    "exit": ("events", AT.format("Finished") + "sys.exit()"),
    "missing start": (
        "runs",
        AT.format("Started") + "seen[event.run] = 0\n  seen[event.run] += 1",
    ),
    "resumed": ("runs", AT.format("Started") + "assert event.step == 0"),
    "one at a time": (
        "runs",
        AT.format("Started") + "seen.update(now=event.run)\n  assert seen.get('now') == event.run",
    ),
    "pictures": ("purity", AT.format("PreviewDrawn") + "event.pixels[:] = 255"),
    "recipe": ("purity", AT.format("Started") + "event.recipe.pop('seed')"),
    "an answer": ("purity", "return event.run"),
    "seed": ("result", "torch.manual_seed(0)"),
    "random": ("result", "random.random()"),
    "settings": ("result", "torch.set_default_dtype(torch.float64)"),
    "stdout": ("result", "print(event)"),
}

RAMP = "np.linspace(0, 1, 3 * 20 * 30).reshape(20, 30, 3)"
MADE = "artgen.targets.image_from_array({}, request, f'bad-{{rest}}', source=f'bad:{{rest}}')"
OPEN = "def bad(rest, request):\n  rest = str(float(rest or 1)) if rest.isdigit() or not rest else refuse(rest)\n"
OPEN += "  ramp = " + RAMP + " ** float(rest)\n  return "
REFUSE = "def refuse(rest): raise artgen.errors.InputError(f'{rest} is no number')\n"
TARGETS = {
    "values": (
        "opens",
        OPEN + "dataclasses.replace(" + MADE.format("ramp") + ", image=ramp * 255)",
    ),
    "name": (
        "opens",
        OPEN + "artgen.targets.image_from_array(ramp, request, f'bad:{rest}'), refuse and 0",
    ),
    "an array": ("opens", OPEN + "ramp"),
    "size": (
        "request",
        OPEN + MADE.format("ramp").replace("request", "artgen.targets.TargetRequest()", 1),
    ),
    "mask": (
        "request",
        OPEN
        + MADE.format("ramp").replace(
            "request", "artgen.targets.TargetRequest(size=request.size)", 1
        ),
    ),
    "random": ("again", OPEN + MADE.format("np.random.rand(20, 30, 3)")),
    "other data": ("again", OPEN + MADE.format("np.random.default_rng().random((20, 30, 3))")),
    "source": ("again", OPEN + MADE.format("ramp").replace("source=f'bad:", "source=f'ramp:")),
    "seed": ("again", OPEN + "np.random.seed(1) or " + MADE.format("ramp")),
    "same names": (
        "names",
        OPEN + "artgen.targets.image_from_array(ramp, request, 'bad', source=f'bad:{rest}')",
    ),
    "key": (
        "refusal",
        "def bad(rest, request):\n  ramp = {'': "
        + RAMP
        + "}[rest]\n  return "
        + MADE.format("ramp"),
    ),
    "number": (
        "refusal",
        "def bad(rest, request):\n  ramp = "
        + RAMP
        + " ** abs(float(rest or 1))\n  return "
        + MADE.format("ramp"),
    ),
    "nothing": (
        "refusal",
        "def bad(rest, request):\n  if not rest: return " + MADE.format(RAMP),
    ),
    "plain exception": (
        "refusal",
        "def bad(rest, request):\n  if rest: raise ValueError(rest)\n  return " + MADE.format(RAMP),
    ),
}

TYPED = "def bad(art, request):\n  "
DRAWN = "art.render(request.size, transparent=request.transparent)"
ALLOW = "request.allow('size', 'transparent')\n  "
EXPORTERS = {
    "text": ("content", TYPED + "return 'text'"),
    "nothing": ("content", TYPED + "return b''"),
    "JSON": ("content", TYPED + "return json.dumps({'x': float('nan')}).encode()", "json"),
    "XML": ("content", TYPED + "return b'<svg><g></svg>'", "svg"),
    "picture": ("content", TYPED + "return b'BM' + bytes(90)", "bmp"),
    "no recipe": ("provenance", TYPED + "return b'<svg/>'", "svg"),
    "other recipe": (
        "provenance",
        TYPED + "return json.dumps({'recipe': {'seed': 5}}).encode()",
        "json",
    ),
    "transparency": ("requests", TYPED + "return art.render(request.size).tobytes()"),
    "animation": ("requests", TYPED + f"return {DRAWN}.tobytes()"),
    "size": (
        "requests",
        TYPED + ALLOW + "return art.render(transparent=request.transparent).tobytes()",
    ),
    "one family": (
        "families",
        TYPED + ALLOW + "return art.drawing.tensors['angle'].numpy().tobytes()",
    ),
    "time": ("purity", TYPED + "return str(time.time()).encode()"),
    "date": ("purity", TYPED + "import datetime; return str(datetime.date.today()).encode()"),
    "random": ("purity", TYPED + "return bytes([random.randrange(256)])"),
    "in place": ("purity", TYPED + "art.drawing.tensors['xy'].mul_(0.5); return b'x'"),
    "in place once": (
        "purity",
        TYPED + "art.drawing.tensors['colour'].clamp_(0.4, 0.6); return b'x'",
    ),
    "a file": ("purity", TYPED + "open('side.txt', 'w').close(); return b'x'"),
}

ENGINE = '''
class bad(artgen.Engine):
    """Random changes."""
    def start(self, problem):
        self.problem, self.step = problem, 0
        self.rng = torch.Generator().manual_seed(problem.seed)
        self.values = {k: v.clone() for k, v in problem.drawing.tensors.items()}
        self.best, self.best_loss, self.pull = problem.drawing, math.inf, 0.0
        self.loss = self.judge(self.drawing(False))
    def judge(self, drawing):
        image = artgen.draw(drawing, self.problem.primitive)
        return float(self.problem.loss(image, self.problem.target, self.problem.weight))
    def advance(self, steps):
        for _ in range(steps):
            before, self.values = self.values, dict(self.values)
            noise = torch.randn(self.values["colour"].shape, generator=self.rng)
            self.values["colour"] = self.values["colour"] + 0.03 * noise
            loss = self.judge(self.drawing(False))
            if loss < self.loss: self.loss = loss
            else: self.values = before
            self.step += 1
    def drawing(self, best):
        if best: return self.best
        return dataclasses.replace(self.problem.drawing, tensors=self.values)
    def report(self):
        drawing = self.drawing(False)
        loss = self.judge(drawing)
        improved = loss < self.best_loss
        if improved: self.best, self.best_loss = drawing, loss
        return artgen.engines.Report(self.step, loss, 10.0, improved)
    def recover(self, rate):
        self.values, self.loss = dict(self.best.tensors), self.best_loss
    def state_dict(self):
        state = {"step": self.step, "loss": self.loss, "best_loss": self.best_loss}
        state["rng"] = self.rng.get_state()
        for k, v in self.values.items():
            state["now." + k], state["best." + k] = v, self.best.tensors[k]
        return state
    def load_state_dict(self, state):
        self.step, self.loss, self.best_loss = state["step"], state["loss"], state["best_loss"]
        self.rng.set_state(state["rng"])
        self.values = {k: state["now." + k] for k in self.values}
        best = {k: state["best." + k] for k in self.values}
        self.best = dataclasses.replace(self.problem.drawing, tensors=best)
'''
ENGINES = {
    "options": (
        "schema",
        "(artgen.Engine):",
        "(artgen.Engine):\n    @dataclasses.dataclass(frozen=True)\n    class Options:\n"
        "        reach: float = artgen.option(1.0, '')",
    ),
    "steps not counted": ("steps", "self.step += 1", "pass"),
    "steps counted twice": ("steps", "self.step += 1", "self.step += 2"),
    "another report": (
        "steps",
        "artgen.engines.Report(self.step, loss, 10.0, improved)",
        "(self.step, loss)",
    ),
    "a call counts": (
        "chunks",
        "for _ in range(steps):",
        "self.rng.manual_seed(self.step + steps)\n        for _ in range(steps):",
    ),
    "no generator in the state": ("resume", 'self.rng.set_state(state["rng"])', "pass"),
    "no step in the state": (
        "resume",
        'self.step, self.loss, self.best_loss = state["step"],',
        "self.step, self.loss, self.best_loss = 0,",
    ),
    "state is not plain": ("resume", '"loss": self.loss,', '"loss": {self.loss},'),
    "state changes": (
        "resume",
        'self.values["colour"] = self.values["colour"] + 0.03 * noise',
        'self.values["colour"].add_(0.03 * noise)',
        "else: self.values = before",
        "else: self.values['colour'].sub_(0.03 * noise)",
    ),
    "best is the last": (
        "best",
        "if best: return self.best",
        "pass",
        "if loss < self.loss: self.loss = loss",
        "if True: self.loss = loss",
    ),
    "weights ignored": ("weights", "self.problem.weight", "None"),
    "weights ignored in steps": (
        "weights",
        "self.problem.weight",
        "None",
        "        loss = self.judge(drawing)",
        "        problem, image = self.problem, artgen.draw(drawing, self.problem.primitive)\n"
        "        loss = float(problem.loss(image, problem.target, problem.weight))",
    ),
    "best not improved": ("best", "improved = loss < self.best_loss", "improved = True"),
    "no loss": (
        "best",
        "artgen.engines.Report(self.step, loss,",
        "artgen.engines.Report(self.step, math.nan,",
        "improved = loss < self.best_loss",
        "improved = False",
    ),
    "another loss": (
        "best",
        "artgen.engines.Report(self.step, loss,",
        "artgen.engines.Report(self.step, 2 * loss,",
    ),
    "no recovery": (
        "recovery",
        "self.values, self.loss = dict(self.best.tensors), self.best_loss",
        "pass",
        "if loss < self.loss: self.loss = loss",
        "if True: self.loss = loss",
    ),
    "clock": (
        "purity",
        "for _ in range(steps):",
        "began = time.perf_counter()\n        for _ in range(steps):",
    ),
    "print": (
        "purity",
        "for _ in range(steps):",
        "print(self.step)\n        for _ in range(steps):",
    ),
    "global randomness": ("purity", ", generator=self.rng)", ")"),
    "problem in place": (
        "purity",
        "v.clone() for",
        "v for",
        'self.values["colour"] = self.values["colour"] + 0.03 * noise',
        'self.values["colour"].add_(0.03 * noise)',
        "else: self.values = before",
        "else: pass",
    ),
    "seed": ("seed", "manual_seed(problem.seed)", "manual_seed(time.time_ns())"),
    "no progress": ("progress", "+ 0.03 * noise", "+ 0.0 * noise"),
}

FORMS = {
    "floats": ("frames", "lambda share: shot.still.astype(float)"),
    "gray": ("frames", "lambda share: shot.still[..., 0]"),
    "two sizes": ("frames", "lambda share: shot.still[: 9 if share else 12]"),
    "nothing": ("frames", "lambda share: None"),
    "state": (
        "order",
        "lambda share, seen=[]: seen.append(1) or np.full_like(shot.still, len(seen))",
    ),
    "an end": ("ends", "lambda share: (shot.still * share).astype(np.uint8)"),
    "clock": ("purity", "lambda share: [time.time(), shot.still][1]"),
    "print": ("purity", "lambda share: [print(share), shot.still][1]"),
    "global randomness": ("purity", "lambda share: [np.random.rand(), shot.still][1]"),
    "drawing in place": (
        "purity",
        "[shot.art.drawing.tensors['colour'].zero_(), lambda share: shot.still][1]",
    ),
}
FORM = "def bad(shot): return {}\nbad = artgen.animation.Form(bad, loops=True)"

EDITS = {
    "nothing": ("edits", "None"),
    "tensors alone": ("edits", "dict(parts.drawing.tensors)"),
    "an error": ("edits", "parts.drawing.tensors['color']"),
    "one part at least": ("chosen", "[parts.composed(parts.chosen), parts.chosen[1]][0]"),
    "a value unread": ("values", "[value == 'x' or float(value), parts.drawing][1]"),
    "in place": ("purity", "[parts.drawing.tensors['colour'].zero_(), parts.drawing][1]"),
    "clock": ("purity", "[time.time(), parts.drawing][1]"),
    "print": ("purity", "[print(value), parts.drawing][1]"),
    "global randomness": ("purity", "[np.random.rand(), parts.drawing][1]"),
    "state": (
        "purity",
        "calls.append(1) or parts.changed({**parts.drawing.tensors, 'colour': "
        "parts.drawing.tensors['colour'] * 0.9 ** len(calls)})",
    ),
}
EDIT = "calls = []\ndef bad(parts, value): return {}\nbad = artgen.editing.Operation(bad, 'x')"

VIEWS = {
    "gray": ("seen", "picture.mean(0)"),
    "no gradient": ("gradients", "picture.detach()"),
    "rounded": ("gradients", "picture + (picture.detach() - picture) / 2"),
    "root of 0": ("gradients", "picture + 0 * (picture - picture.detach()).abs().sqrt()"),
    "a value unread": ("values", "picture * float(value)"),
    "in place": ("seen", "picture.data.mul_(0.5)"),
    "clock": ("purity", "[time.time(), picture][1]"),
    "print": ("purity", "[print(value), picture][1]"),
    "state": ("purity", "calls.append(1) or picture * 0.9 ** len(calls)"),
}
VIEW = "calls = []\ndef bad(picture, value): return {}\nbad = artgen.losses.Way(bad, example='1')"

KINDS = {
    "edit": EDITS,
    "view": VIEWS,
    "loss": LOSSES,
    "form": FORMS,
    "observer": OBSERVERS,
    "target": TARGETS,
    "exporter": EXPORTERS,
    "engine": ENGINES,
}
PLANTED = [(kind, name) for kind, table in KINDS.items() for name in table]


def planted(kind: str, source: str, folder: Path, name: str = "bad"):
    """The offer of a loose plugin."""
    path = folder / "planted.py"
    hook = HOOKS.get(kind, f"artgen_{kind}s")
    offer = "" if kind == "observer" else OFFER.format(hook=hook, name=name)
    path.write_text(HEAD + source + "\n" + offer)
    registry = Registry(files=[path], environ={})
    [entry] = [each for each in registry.offered_by(path) if each.kind == kind]
    return offer_of(entry, registry, entry.load())


def source_of(kind: str, text: str, *changes: str) -> str:
    """The source of a planted mistake; an engine is a good one with pieces of text replaced."""
    if kind == "observer":
        return "seen = {}\n" + WATCH + text
    if kind == "target":
        return REFUSE + text
    if kind == "form":
        return FORM.format(text)
    if kind == "view":
        return VIEW.replace("{}", text)
    if kind == "edit":
        return EDIT.replace("{}", text)
    if kind != "engine":
        return text
    source, pieces = ENGINE, [text, *changes]
    for before, after in zip(pieces[::2], pieces[1::2], strict=True):
        assert before in source
        source = source.replace(before, after)
    return source


@pytest.mark.parametrize(("kind", "name"), PLANTED, ids=[f"{k}-{n}" for k, n in PLANTED])
def test_a_planted_mistake_is_found_with_its_line(kind, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    check, text, *more = KINDS[kind][name]
    suffix = more.pop() if kind == "exporter" and more else "bad"
    offer = planted(kind, source_of(kind, text, *more), tmp_path, suffix)
    [found] = [each for each in checks_for(offer) if each.__name__ == check]
    dtype = torch.get_default_dtype()
    try:
        outcome = judge(found, offer)
    finally:
        torch.set_default_dtype(dtype)
    assert outcome.status == "failed"
    assert re.search(r"\(planted\.py, line \d+", outcome.detail)
    assert outcome.hint


EXECUTOR = """
class Bad(artgen.tasks.Executor):
    number = 1
    def run(self, work, tasks, observe, control):
        for task in tasks:
            if {stops} and control.stop_requested: return
            try: result = work(task, observe, control)
            except ValueError as error: result = error
            {gives}

def bad(place, *rest): return Bad()
"""


@pytest.mark.parametrize(
    ("stops", "gives", "says"),
    [
        (True, "yield task, result", ""),
        (True, "if result == 7: yield task, result", "come back as"),
        (True, "yield from 2 * [(task, result)]", "come back as"),
        (True, "yield task, 'a result'", "come back as"),
        (True, "if result != 7: raise result\n            yield task, result", "seven"),
        (False, "yield task, result", "after a stop"),
    ],
)
def test_an_executor_gives_every_task_back_once_and_stops(stops, gives, says, tmp_path):
    offer = planted("executor", EXECUTOR.format(stops=stops, gives=gives), tmp_path)
    [check] = [each for each in checks_for(offer) if each.__name__ == "tasks"]
    outcome = judge(check, offer)
    assert outcome.status == ("failed" if says else "ok")
    assert says in outcome.detail
    assert bool(says) == bool(re.search(r"\(planted\.py, line \d+", outcome.detail))


def test_an_executor_that_lacks_its_library_is_not_checked(tmp_path):
    text = "def bad(place, *rest): raise artgen.errors.UsageError('it needs the package moon')"
    offer = planted("executor", text, tmp_path)
    [check] = [each for each in checks_for(offer) if each.__name__ == "tasks"]
    outcome = judge(check, offer)
    assert outcome.status == "skipped"
    assert "it needs the package moon" in outcome.detail


MISSPELT = """
class Bad(artgen.Splat):
    \"\"\"A disc.\"\"\"
    params = {"size": artgen.Param(map="exp")}
    def footprint(self, dx, dy, p): return torch.exp(-dx * dx - dy * dy)
    def radius(self, p): return 3 * p.size
"""


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ("    def elipse(self, p): return p.size\n", "'elipse': did you mean ellipse?"),
        ("    defualts = artgen.Preset(count=3)\n", "'defualts': did you mean defaults?"),
        (
            "    @dataclasses.dataclass(frozen=True)\n    class Options:\n"
            "        hard: float = artgen.option(1.5, 'hardness', low=1, high=8)\n",
            "the option 'hard'",
        ),
        ("    def corners(self): return 4\n", None),
    ],
)
def test_names_that_nothing_reads_are_found(more, says, tmp_path):
    path = tmp_path / "planted.py"
    path.write_text(HEAD + MISSPELT + more)
    registry = Registry(files=[path], environ={})
    [entry] = registry.offered_by(path)
    outcome = judge(names, offer_of(entry, registry, entry.load()))
    if says is None:
        assert outcome.status == "ok"
    else:
        assert re.search(rf"nothing reads {re.escape(says)} \(planted\.py, line", outcome.detail)


FOLDERS = """
def ramps(path, request):
    file = Path(path) / "ramp"
    if {checked} and (not file.is_file() or file.stat().st_size != 16):
        raise artgen.errors.InputError(f"{{path}} holds no ramp of 16 bytes")
    ramp = np.frombuffer(file.read_bytes(), np.uint8).reshape(4, 4)
    return artgen.targets.image_from_array(ramp, request, "ramp")

@artgen.hookimpl
def artgen_targets():
    files = ("*.ramps/",)
    return [artgen.Spec("ramps", "Planted.", ramps, files=files, example={{"ramp": bytes(16)}})]
"""


@pytest.mark.parametrize("checked", [True, False])
def test_a_target_of_folders_gets_wrong_folders(checked, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "planted.py"
    path.write_text(HEAD + "from pathlib import Path\n" + FOLDERS.format(checked=checked))
    registry = Registry(files=[path], environ={})
    [entry] = registry.offered_by(path)
    failed = {each.check: each.detail for each in examine(entry, registry) if each.status != "ok"}
    assert set(failed) == (set() if checked else {"refusal"})
    assert checked or "planted.py, line" in failed["refusal"]


def test_a_form_that_is_called_as_one_of_artgens_is_the_one_that_is_checked(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    source = HEAD + FORM.format("lambda share: [share and print(share), shot.still][1]")
    source += OFFER.format(hook="artgen_forms", name="wipe")
    (tmp_path / "planted_wipe.py").write_text(source)
    registry, [entry] = find_entries(importlib.import_module("planted_wipe"))
    offer = offer_of(entry, registry, entry.load())
    [purity] = [each for each in checks_for(offer) if each.__name__ == "purity"]
    assert "prints" in judge(purity, offer).detail


def test_known_deviations_without_reasons_are_found(tmp_path):
    offer = planted("exporter", TYPED + "return b'x'\nbad.known_deviations = {'content'}", tmp_path)
    outcome = judge(checks_for(offer)[0], offer)
    assert outcome.status == "failed"
    assert "known_deviations gives no reason for 'content'" in outcome.detail


@pytest.mark.parametrize("other", [{"xy": torch.ones(2, 4)}, {"size": torch.ones(3)}, {}])
def test_drawings_of_other_parts_differ(other):
    with pytest.raises(Failed, match=r"^two fits differ in \w+$"):
        check_same({"xy": torch.zeros(2, 3)}, other, "two fits differ")
    with pytest.raises(Failed, match=r"^two fits differ in xy, by up to 1$"):
        check_same({"xy": torch.zeros(2, 4)}, {"xy": torch.ones(2, 4)}, "two fits differ")


def test_a_good_engine_passes(tmp_path):
    offer = planted("engine", ENGINE, tmp_path)
    assert [
        each for check in checks_for(offer) if (each := judge(check, offer)).status != "ok"
    ] == []


@pytest.mark.parametrize("kind", KINDS)
def test_there_are_at_least_eight_planted_mistakes(kind):
    assert len(KINDS[kind]) >= 8


LATE = ("gif",)
"""What takes seconds to judge: by day apng and webp, which are written alike."""
SHIPPED = [
    pytest.param(
        entry.kind,
        entry.name,
        marks=[pytest.mark.nightly] * (entry.name in LATE),
    )
    for kind in ("engine", "exporter", "form", "loss", "target")
    for entry in Registry(environ={}).entries(kind)
    # Those of the shipped plugins are judged in test_conformance; two need the network.
    if entry.plugin.name != "artgen_plugins" and entry.name not in ("http", "https")
]


@pytest.mark.parametrize(("kind", "name"), SHIPPED)
def test_what_artgen_ships_passes(kind, name):
    registry = Registry(environ={})
    entry = registry.find(kind, name)
    results = list(examine(entry, registry))
    # A check that lacks a reader on this machine names it.
    lacking = [each for each in results if (each.status, each.detail[:6]) == ("skipped", "needs ")]
    assert [each for each in results if each.status not in ("ok", "known")] == lacking


def test_a_check_without_a_reader_of_the_format_is_skipped(monkeypatch):
    monkeypatch.setattr("PIL.EpsImagePlugin.gs_binary", False)  # as where it is not installed
    registry = Registry(environ={})
    results = {each.check: each for each in examine(registry.find("exporter", "eps"), registry)}
    content = results.pop("content")
    assert (content.status, content.detail) == ("skipped", "needs Ghostscript, which reads EPS")
    assert {each.status for each in results.values()} == {"ok"}
