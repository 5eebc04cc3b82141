"""The loss `text` with a CLIP of random weights, and losses by scoring networks."""

from __future__ import annotations

import gc
import gzip
import json
from pathlib import Path

import pytest
import torch
from helpers import recipe
from safetensors.torch import save_file

from artgen.cli import main
from artgen.errors import InputError, UsageError
from artgen.events import Advanced
from artgen.losses import View, Views, mse, parse_loss, parse_terms, scored
from artgen.losses._scores import cutouts
from artgen.losses.views import HOLD
from artgen.recipe import Recipe
from artgen.recipe.tables import Stage
from artgen.runs import run
from artgen.targets import TargetRequest
from artgen_plugins.words import VOCABULARY, Vocabulary, _parse, blank, load, text

MERGES = [("l", "i"), ("h", "o"), ("ho", "r"), ("s", "e</w>"), ("hor", "se</w>")]
ROWS = 514 + len(MERGES)


def write_clip(folder: Path, name: str = "tiny.safetensors", **changed: torch.Tensor) -> Path:
    """A CLIP of one block, 64 wide, with random weights; and its vocabulary."""
    rng, width = torch.Generator().manual_seed(0), 64

    def some(*shape: int, size: float = 0.2) -> torch.Tensor:
        return size * torch.randn(shape, generator=rng)

    def norm(at: str) -> dict[str, torch.Tensor]:
        return {f"{at}.weight": 1 + some(width), f"{at}.bias": some(width)}

    def block(prefix: str) -> dict[str, torch.Tensor]:
        at = f"{prefix}transformer.resblocks.0"
        return {
            **norm(f"{at}.ln_1"),
            **norm(f"{at}.ln_2"),
            f"{at}.attn.in_proj_weight": some(3 * width, width),
            f"{at}.attn.in_proj_bias": some(3 * width),
            f"{at}.attn.out_proj.weight": some(width, width),
            f"{at}.attn.out_proj.bias": some(width),
            f"{at}.mlp.c_fc.weight": some(2 * width, width),
            f"{at}.mlp.c_fc.bias": some(2 * width),
            f"{at}.mlp.c_proj.weight": some(width, 2 * width),
            f"{at}.mlp.c_proj.bias": some(width),
        }

    weights = {
        "visual.conv1.weight": some(width, 3, 8, 8),
        "visual.class_embedding": some(width),
        "visual.positional_embedding": some(5, width),
        **norm("visual.ln_pre"),
        **block("visual."),
        **norm("visual.ln_post"),
        "visual.proj": some(width, 32),
        "token_embedding.weight": some(ROWS, width, size=1.0),
        "positional_embedding": some(12, width),
        **block(""),
        **norm("ln_final"),
        "text_projection": some(width, 32),
        "logit_scale": torch.tensor(4.6),
    }
    save_file({**weights, **changed}, folder / name, {"license": "CC0-1.0"})
    lines = ["#version: 0.2", *(" ".join(pair) for pair in MERGES), "left over", ""]
    (folder / VOCABULARY).write_bytes(gzip.compress("\n".join(lines).encode(), mtime=0))
    return folder / name


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("clip"))


class Killed(BaseException):
    """The end of a run that nothing may catch."""


def test_a_fit_becomes_like_the_words_and_a_resumed_one_repeats(clip, tmp_path, registry):
    words = f'text:"a horse; 0.5*a storm; -0.3*two people; cutouts=3"@{clip}'
    asked = recipe(
        "blank:24x24",
        {"steps": 30, "loss": words},
        primitive={"count": 12},
        target={"size": 24},
        output={"video": False, "history": 0},
    )
    losses = []

    def watch(event):
        losses.append(getattr(event, "loss", None))

    whole = run(asked, registry, out=tmp_path / "whole", observers=[watch], checkpoint_every=10)
    seen = [each for each in losses if each is not None]
    assert seen[-1] < seen[0] - 0.05
    # Name, hash and licence are in the recipe, and no folder is.
    stored = json.loads(whole.art.recipe.to_json())["stage"][0]
    assert stored["loss_files"][0].keys() == {"name", "sha256", "licence"}
    assert stored["loss_files"][0]["licence"] == "CC0-1.0"
    assert stored["loss"].endswith('"@tiny.safetensors')

    def die(event):
        if isinstance(event, Advanced) and event.step >= 20:
            raise Killed

    with pytest.raises(Killed):
        run(asked, registry, out=tmp_path / "killed", observers=[die], checkpoint_every=10)
    again = run(asked, registry, out=tmp_path / "killed", resume=True)
    assert again.art.to_bytes() == whole.art.to_bytes()
    # The recipe alone says which file it was.
    (tmp_path / "other").mkdir()
    other = write_clip(tmp_path / "other", **{"visual.proj": torch.ones(64, 32)})
    with pytest.raises(InputError, match=r"tiny\.safetensors"):
        run(whole.art.recipe, registry, search=[other.parent])


def test_no_step_leaves_tensors_behind(clip):
    loss = text("a horse; cutouts=2", clip)
    image = torch.rand(3, 32, 32, requires_grad=True)

    def steps(number: int) -> int:
        for k in range(number):
            loss.at(k)(image, image.detach(), None).backward()
        gc.collect()
        return sum(type(each) is torch.Tensor for each in gc.get_objects())

    assert steps(2) == steps(20)


def test_a_wrong_file_is_refused_in_words(clip, tmp_path):
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"no weights at all")
    with pytest.raises(InputError, match=r"broken\.safetensors cannot be read as weights"):
        load(broken)
    torch.save({"state_dict": {"module.text_model.x": torch.ones(2)}}, tmp_path / "hf.pt")
    with pytest.raises(InputError, match="laid out as transformers does it"):
        load(tmp_path / "hf.pt")
    torch.save({"epoch": 3}, tmp_path / "nothing.pt")
    with pytest.raises(InputError, match="holds no tensors"):
        load(tmp_path / "nothing.pt")
    lone = tmp_path / "lone.safetensors"
    lone.write_bytes(clip.read_bytes())
    with pytest.raises(InputError, match="vocabulary"):
        load(lone)
    (tmp_path / VOCABULARY).write_bytes(gzip.compress(b"#version\na b\n"))
    with pytest.raises(InputError, match=f"not the vocabulary of these {ROWS} tokens"):
        load(lone)
    whole = gzip.compress(b"#version\na b\n")
    for damaged in (b"no gzip", whole[:-9], whole[:10] + b"\xff" * 20):
        (tmp_path / VOCABULARY).write_bytes(damaged)
        with pytest.raises(InputError, match="no vocabulary"):
            load(lone)
    narrow = write_clip(tmp_path, "narrow.safetensors", **{"visual.proj": torch.ones(3, 32)})
    with pytest.raises(InputError, match="not a CLIP that artgen can run"):
        load(narrow)


@pytest.mark.parametrize(
    ("prompts", "problem"),
    [
        ("; ", "no prompt"),
        ("0*a", "no prompt"),
        ("a; cutouts=999", "cutouts"),
        ("0,5*a", "'0,5\\*a' begins with no weight"),
        ("b; --2*a", "begins with no weight"),
        ("1..5 * a", "begins with no weight"),
        ("x" * 40, "tokens"),
    ],
)
def test_wrong_prompts_are_refused(clip, prompts, problem):
    with pytest.raises(UsageError, match=problem):
        text(prompts, clip)


@pytest.mark.parametrize(
    ("prompt", "weight"),
    [
        ("- 0.3*a", -0.3),
        ("2.*a", 2),
        ("1e-1*a", 0.1),
        ("+ .5 * a", 0.5),
        ("a 2*b", 1),
        ("3 a's", 1),
    ],
)
def test_weights_are_numbers_in_any_spelling(prompt, weight):
    """They were read as words of a prompt that is wanted."""
    [[(found, words)]], _ = _parse(prompt)
    assert found == pytest.approx(weight)
    assert words == (prompt if weight == 1 else "a")


def test_a_text_needs_quotes_and_a_file(clip, tmp_path, capsys):
    with pytest.raises(UsageError, match="weights of a CLIP"):
        text("a horse", None)
    flags = ["-n", "4", "--size", "16", "--steps", "1", "--out", str(tmp_path)]
    for loss, found in [
        ('text:"a horse"', "needs the weights of a CLIP"),
        ('text:"a horse"@gone.pt', "gone.pt"),
    ]:
        assert main(["fit", "sample:cat", *flags, "--loss", loss]) != 0
        assert found in capsys.readouterr().err
    with pytest.raises(UsageError, match="needs a text in double quotes"):
        parse_loss("text:horse", lambda _: text, ["text"])
    with pytest.raises(InputError, match="no size"):
        blank("1x0", TargetRequest())


def test_quotes_keep_marks_and_files_out_of_the_mixture():
    loss = 'l1+0.5*text:"a + b, 2*c: d"@in/w.pt+mse'
    assert parse_terms(loss, ["l1", "text", "mse"])[1] == (0.5, 'text:"a + b, 2*c: d"@in/w.pt')
    stage = Stage.parse({"loss": loss})
    assert stage.loss == 'l1+0.5*text:"a + b, 2*c: d"@w.pt+mse'
    assert [file.name for file in stage.loss_files] == ["in/w.pt"]
    both = Recipe.from_request({"stage": [{"loss": 'text:"texture:x"@a.pt+texture:b.png'}]})
    assert [file.name for file in both.stage[0].loss_files] == ["a.pt", "b.png"]


def test_tokens_are_joined_by_the_ranks_of_their_pairs():
    words = Vocabulary(MERGES)
    start, *found, end = words.encode("  Horse's &amp; HO\u00df ")
    assert (start, end) == (512 + len(MERGES), 513 + len(MERGES))
    assert found[0] == 512 + 4  # hor se</w>
    known = {number: token for token, number in words.numbers.items()}
    assert [known[number] for number in found[1:4]] == ["'", "s</w>", "&</w>"]


def test_a_text_of_any_length_is_read_no_further_than_models_go():
    """All pairs of letters of a word were looked at for each that was joined."""
    assert len(Vocabulary(MERGES).encode("lx" * 200_000)) == 2**13 + 2


def test_each_view_has_its_own_prompts(clip):
    loss = parse_loss('text:"a horse | a storm"@w', lambda _: text, ["text"])
    loss = loss.with_pictures(lambda _: torch.zeros(3, 8, 8), lambda _: clip)
    image = torch.rand(3, 32, 32, generator=torch.Generator().manual_seed(1))
    first, second, third = (loss.of_view(k)(image, image, None) for k in range(3))
    assert float(first) != float(second) == float(third)
    goals = (View("plain", image), View("mirror", image))
    both = Views(goals, mse).over(loss)(image, image, None)
    mirrored = loss.of_view(1)(image.flip(2), image, None)
    assert float(both) == pytest.approx(float(HOLD * first + first / 2 + mirrored / 2))


def test_any_network_that_scores_is_a_loss():
    network = torch.nn.Sequential(
        torch.nn.Conv2d(3, 1, 4), torch.nn.Flatten(), torch.nn.Linear(25, 1)
    )
    loss = scored(network, 8, 5, best=2.0)
    image = torch.rand(3, 12, 20, requires_grad=True)
    value = loss(image, image.detach(), None)
    value.backward()
    assert image.grad.abs().sum() > 0
    assert all(each.grad is None for each in network.parameters())
    assert torch.equal(value, loss(image, image.detach(), None))
    assert not torch.equal(value, loss.at(7)(image, image.detach(), None))
    several = cutouts(image.detach(), 8, 5, seed=3)
    assert several.shape == (5, 3, 8, 8)
    assert torch.allclose(several[0].mean(), image[:, :, 4:16].mean(), atol=0.03)
