"""Codecs: exactly the published layers, metrics that can be computed otherwise, and training."""

from __future__ import annotations

import gc
from typing import Any, ClassVar

import numpy as np
import pytest
import torch

import artgen
from artgen import Canvas
from artgen.engines.gradient.schedule import rate_factor
from artgen.errors import UsageError
from artgen.events import Evaluated
from artgen.families.codec.batches import Batches, BatchOptions, augmented
from artgen.families.codec.objective import CodecTrial
from artgen.families.codec.paint import pass_through
from artgen.init import Context
from artgen.losses import mse
from artgen.losses.metrics import equivalent_rank, rank_errors
from artgen.primitives import Params
from artgen.raster import reconstruct
from artgen.targets import set_from_arrays
from artgen.values.examples import Examples
from artgen_plugins import pca
from artgen_plugins.autoencoder import Autoencoder
from artgen_plugins.bce import bce
from artgen_plugins.conditional import Conditional
from artgen_plugins.pca import PCA
from artgen_plugins.samples.sets import open_set
from artgen_plugins.svd import SVD
from artgen_plugins.vae import VAE


@pytest.fixture(scope="module")
def digits():
    return open_set("digits?n=360")


def made(cls, subject=None, preset=None, **options):
    codec = cls(options, preset=preset)
    codec.take(subject)
    codec.resolve_options(Canvas(codec.width, codec.height))
    rng = torch.Generator().manual_seed(0)
    return codec, codec.initial(Context(rng, Canvas(8, 8), 1))


def solved(cls, target, **options):
    codec = cls(options)
    codec.take(target.subject)
    training = Examples.from_arrays(target.training, target.training_labels)
    return codec, codec.solve([training.images.float() / 255])


# ---- the published layers ------------------------------------------------------------------------


LOSSY = [
    *(640, 64, 73856, 128, 73792, 64, 2080, 32),
    *(9248, 32, 25632, 32, 25104, 16, 25616, 16, 3208, 8, 73),
]
"""Weights and biases of each layer, and its slopes, as the article lists them."""


def test_the_lossy_one_is_as_published():
    codec, tensors = made(Autoencoder, preset="lossy")
    assert sum(tensor.numel() for tensor in tensors.values()) == 239_641
    counts = []
    for name, shape, _, biases, slopes in codec.layers():
        counts.append(tensors[f"{name}_weight"].numel() + biases)
        counts += [slopes] if slopes else []
        assert tuple(tensors[f"{name}_weight"].shape) == shape
    assert counts == LOSSY
    assert codec.latent == (32,)
    assert 28 * 28 / codec.floats == 24.5
    images = torch.rand(2, 1, 28, 28)
    assert codec.encode(images, Params(tensors)).shape == (2, 32)
    assert codec.folds == [(28, 28), (13, 13), (5, 5), (1, 1)]
    assert codec.unfolds == [(n, n) for n in (3, 7, 13, 22, 26, 28)]


def test_the_lossless_one_is_as_published():
    codec, tensors = made(Autoencoder, preset="lossless")
    assert sum(tensor.numel() for tensor in tensors.values()) == 2_464_896
    assert codec.latent == (784,)


def test_it_computes_what_the_layers_of_torch_compute():
    codec, tensors = made(Autoencoder, preset="lossy")
    nn = torch.nn
    names = [name for name, *_ in codec.layers()]
    kinds = [*[nn.Conv2d] * 4, *[nn.ConvTranspose2d] * 6]
    modules: list[torch.nn.Module] = []
    for name, kind in zip(names, kinds, strict=True):
        weight = tensors[f"{name}_weight"]
        ends = weight.shape[1::-1] if kind is nn.Conv2d else weight.shape[:2]
        layer = kind(*ends, weight.shape[2])
        layer.load_state_dict({"weight": weight, "bias": tensors[f"{name}_bias"]})
        modules.append(layer)
        if f"{name}_slope" in tensors:
            prelu = nn.PReLU(weight.shape[0 if kind is nn.Conv2d else 1])
            prelu.load_state_dict({"weight": tensors[f"{name}_slope"]})
            modules.append(prelu)
        if name in ("encode0", "encode1", "encode2"):
            modules.append(nn.AvgPool2d(2))
    images = torch.rand(3, 1, 28, 28)
    with torch.no_grad():
        expected = nn.Sequential(*modules, nn.Sigmoid())(images)
    found = reconstruct(
        codec, tensors, Examples((images * 255).round().byte(), torch.zeros(3, dtype=torch.int64))
    )
    images = (images * 255).round() / 255
    with torch.no_grad():
        expected = nn.Sequential(*modules, nn.Sigmoid())(images)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)


def test_at_the_start_pictures_still_differ_behind_all_layers():
    """Layers that shrink what they are given would make the first epochs a waste."""
    images = torch.rand(16, 1, 28, 28)
    for preset in ("lossy", "lossless"):
        codec, tensors = made(Autoencoder, preset=preset)
        latents = codec.encode(images, Params(tensors))
        assert 0.05 < latents.std() < 3
        outputs = codec.decode(torch.randn(latents.shape), Params(tensors), torch.zeros(16).long())
        assert 0.3 < outputs.logit().std() < 3
        assert all((tensors[name] == 0.25).all() for name in tensors if name.endswith("slope"))


@pytest.mark.parametrize("shape", [(12, 12, 1), (16, 20, 3), (32, 24, 1), (5, 4, 1)])
def test_pictures_of_other_sizes(shape):
    subject = set_from_arrays(np.zeros((6, *shape))).subject
    for cls, options in ((Autoencoder, {"latent": 7}), (Autoencoder, {"network": "dense"})):
        codec, tensors = made(cls, subject, **options)
        images = torch.rand(2, shape[2], *shape[:2])
        latents = codec.encode(images, Params(tensors))
        assert latents.shape == (2, *codec.latent)
        assert codec.decode(latents, Params(tensors), torch.zeros(2).long()).shape == images.shape


def test_options_found_from_pictures_can_be_given():
    """A file with a latent of so many pixels could not be opened."""
    subject = set_from_arrays(np.zeros((2, 160, 160, 3))).subject
    codec = Autoencoder({"network": "dense", "hidden": 2})
    codec.take(subject)
    codec.resolve_options(Canvas(160, 160))
    assert Autoencoder(codec.option_values()).options.latent == 76800


def test_too_small_a_picture_is_refused():
    subject = set_from_arrays(np.zeros((6, 3, 9))).subject
    with pytest.raises(UsageError, match="cannot fold pictures of 9x3"):
        made(Autoencoder, subject)


def test_the_conditional_one_listens():
    subject = set_from_arrays(np.zeros((12, 12, 12)), np.arange(12) % 3).subject
    codec, tensors = made(Conditional, subject, latent=4)
    p = Params(tensors)
    latents = torch.rand(1, 4).expand(3, 4)
    pictures = codec.decode(latents, p, torch.tensor([0, 1, 2]))
    assert not torch.allclose(pictures[0], pictures[1])
    plain, _ = made(Autoencoder, subject, latent=4)
    extra = sum(t.numel() for t in tensors.values()) - sum(
        p.shape.numel() if hasattr(p.shape, "numel") else int(np.prod(p.shape))
        for p in plain.parameters().values()
    )
    kernel = tensors["decode0_weight"].shape[2:].numel()
    assert extra == 3 * 4 * kernel
    # A plot of it with another set was an internal error.
    with pytest.raises(UsageError, match="has learned 3 classes, and the set has more"):
        codec.decode(latents, p, torch.tensor([0, 1, 3]))
    with pytest.raises(UsageError, match="needs a set with labels"):
        made(Conditional, set_from_arrays(np.zeros((12, 12, 12))).subject)


# ---- closed forms --------------------------------------------------------------------------------


@pytest.mark.parametrize("rank", [1, 5, 28, 40])
def test_svd_is_the_best_matrix_of_its_rank(rank, digits):
    codec, tensors = solved(SVD, digits, rank=rank)
    test = Examples.from_arrays(digits.test, digits.test_labels)
    found = mse(reconstruct(codec, tensors, test), test.images / 255, None)
    errors = rank_errors(digits.test)
    assert float(found) == pytest.approx(errors[min(rank, 28)], rel=1e-3, abs=1e-9)
    assert codec.floats == 57 * rank
    assert equivalent_rank(errors, float(found)) == min(
        rank, np.flatnonzero(errors > 1e-9).max() + 1
    )


def test_pca_is_the_best_shared_basis(digits):
    codec, tensors = solved(PCA, digits, rank=9)
    images = digits.training.reshape(len(digits.training), -1) / 255.0
    centred = images - images.mean(0)
    values = np.linalg.svd(centred, compute_uv=False)
    expected = (values[9:] ** 2).sum() / images.size
    training = Examples.from_arrays(digits.training, digits.training_labels)
    outputs = reconstruct(codec, tensors, training)
    assert float(mse(outputs, training.images / 255, None)) == pytest.approx(expected, rel=1e-3)
    basis = tensors["basis"].flatten(1)
    torch.testing.assert_close(basis @ basis.t(), torch.eye(9), atol=1e-5, rtol=0)


def test_pca_compares_whichever_are_fewer(monkeypatch):
    """Of 25 pictures of 36 values their products, of each three times those of the values."""
    monkeypatch.setattr(pca, "SMALL", 1)
    few = np.random.default_rng(0).integers(0, 256, (30, 6, 6), dtype=np.uint8)
    target = set_from_arrays(few)
    number = len(target.training)
    codec = PCA({"rank": number + 3})
    codec.take(target.subject)
    images = Examples.from_arrays(target.training, target.training_labels).images.float() / 255
    of_pictures = codec.solve([images[:5], images[5:]])
    of_values = codec.solve([images, images, images[:7], images[7:]])
    torch.testing.assert_close(of_pictures["mean"], of_values["mean"])
    # The differences from the mean of n pictures span n - 1 dimensions.
    there, nothing = of_pictures["basis"].split([number - 1, 4])
    torch.testing.assert_close(there, of_values["basis"][: number - 1], atol=1e-5, rtol=0)
    assert not nothing.any()


@pytest.mark.parametrize(
    ("number", "said"), [(40, "all 36 values of a picture"), (30, "all 30 pictures")]
)
def test_pca_refuses_to_compare_too_many(number, said, monkeypatch):
    monkeypatch.setattr(pca, "SMALL", 1)
    monkeypatch.setattr(pca, "LARGEST", 29)
    codec = PCA({"rank": 2})
    codec.take(set_from_arrays(np.zeros((12, 6, 6), np.uint8)).subject)
    with pytest.raises(UsageError, match=f"pca compares {said} with one another, at most 29"):
        codec.solve([torch.zeros(number, 1, 6, 6)])


def test_pca_keeps_its_pictures_once(monkeypatch):
    """Beside those that were compared it kept them as they came, as float64."""
    monkeypatch.setattr(pca, "SMALL", 1)
    codec, eigh, kept = PCA({"rank": 2}), torch.linalg.eigh, []
    codec.take(set_from_arrays(np.zeros((12, 1, 463), np.uint8)).subject)

    def watched(products):
        alive = [each for each in gc.get_objects() if type(each) is torch.Tensor]
        kept.extend(each.nbytes for each in alive if each.ndim == 2 and each.shape[1] == 463)
        return eigh(products)

    monkeypatch.setattr(torch.linalg, "eigh", watched)
    codec.solve(torch.rand(1, 1, 1, 463) for _ in range(10))
    assert sum(kept) <= 10 * 463 * 8 + 463 * 4  # the last piece is still held


def test_pca_of_equal_pictures_is_their_mean(monkeypatch):
    monkeypatch.setattr(pca, "SMALL", 1)
    codec = PCA({"rank": 2})
    codec.take(set_from_arrays(np.full((12, 6, 6), 51, np.uint8)).subject)
    solution = codec.solve([torch.full((10, 1, 6, 6), 0.2)])
    assert not solution["basis"].any()
    torch.testing.assert_close(solution["mean"], torch.full((1, 6, 6), 0.2))


@pytest.mark.parametrize("cls", [PCA, SVD])
def test_components_come_one_after_the_other(cls, digits):
    codec, tensors = solved(cls, digits, rank=6)
    test = Examples.from_arrays(digits.test, digits.test_labels)
    errors = [
        float(mse(reconstruct(codec, codec.truncated(tensors, n), test), test.images / 255, None))
        for n in range(7)
    ]
    assert errors == sorted(errors, reverse=True)
    assert len(set(errors)) == 7


@pytest.mark.parametrize("steps", [1, 3, 6, 50])
def test_solving_ends_with_all_components(steps, digits):
    losses = []

    def watch(event):
        if isinstance(event, Evaluated):
            losses.append(event.loss)

    art = artgen.fit(digits, "pca", count=6, steps=steps, seed=0, observe=watch)
    assert art.drawing.options["rank"] == 6
    assert art.metrics["floats"] == 6
    assert losses == sorted(losses, reverse=True)
    assert (art.drawing.tensors["basis"].flatten(1).norm(dim=1) > 0.99).all()
    assert art.metrics["mse"] == pytest.approx(losses[-1], rel=1e-4)


def test_other_losses_are_not_solved_for(digits):
    with pytest.raises(UsageError, match="solve minimises mse, not l1"):
        artgen.fit(digits, "pca", loss="l1")
    with pytest.raises(UsageError, match="does not work with engine 'gradient'"):
        artgen.fit(digits, "pca", engine="gradient")


# ---- lessons -------------------------------------------------------------------------------------


def lessons(count=10, batch=4, **how):
    images = torch.arange(count, dtype=torch.uint8)[:, None, None, None].expand(-1, 1, 8, 8)
    examples = Examples(images.contiguous(), torch.arange(count))
    return Batches(examples, BatchOptions(batch=batch, **how), 5, torch.device("cpu"))


def test_every_picture_comes_once_in_an_epoch():
    rng, made = torch.Generator(), lessons()
    orders = []
    for epoch in range(3):
        labels = [made.batch(3 * epoch + step, rng)[1] for step in range(3)]
        assert [len(some) for some in labels] == [4, 4, 2]
        order = torch.cat(labels).tolist()
        assert sorted(order) == list(range(10))
        orders.append(order)
    assert orders[0] != orders[1]
    # A step has its pictures whatever was asked for before.
    assert lessons().batch(7, rng)[1].tolist() == orders[2][4:8]
    images, labels = lessons().batch(0, rng)
    torch.testing.assert_close(images[:, 0, 0, 0] * 255, labels.float())


def test_pictures_are_moved_each_in_its_own_way():
    rng = torch.Generator().manual_seed(0)
    picture = torch.zeros(1, 1, 28, 28)
    picture[:, :, 10:18, 13:15] = 1
    moved = augmented(picture.expand(64, -1, -1, -1), BatchOptions(augment=1.0), rng)
    assert len({each.numpy().tobytes() for each in moved}) == 64
    # The ink stays, and no farther from the middle than a tenth of a side and what scale adds.
    ink = moved.sum((1, 2, 3)) / picture.sum()
    assert ink.min() > 0.75
    assert ink.max() < 1.3
    rows = torch.arange(28) - 13.5
    off = (moved.sum((1, 3)) * rows).sum(1) / moved.sum((1, 2, 3))
    assert off.abs().max() < 3.6
    assert off.std() > 1
    half = augmented(picture.expand(400, -1, -1, -1), BatchOptions(augment=0.5), rng)
    same = ((half - picture).abs().amax((1, 2, 3)) < 1e-4).float().mean()
    assert 0.4 < same < 0.6


def test_a_turn_is_a_turn():
    """Bounds that leave only the turn, and a picture that is the same after a quarter of one."""
    rng = torch.Generator().manual_seed(1)
    bar = torch.zeros(1, 1, 41, 61)
    bar[:, :, 19:22, 15:46] = 1
    moved = augmented(
        bar.expand(200, -1, -1, -1),
        BatchOptions(augment=1.0, degrees=90, translate=0, scale=0, shear=0),
        rng,
    )
    # Whatever the angle, the length of the bar stays, also where pictures are not square.
    y, x = (torch.arange(n) - (n - 1) / 2 for n in (41, 61))
    mass = moved[:, 0]
    spread = (mass * (y[:, None] ** 2 + x**2)).sum((1, 2)) / mass.sum((1, 2))
    torch.testing.assert_close(spread, spread[:1].expand(200), rtol=0.04, atol=0)


def test_one_cycle_rises_and_falls():
    class Options:
        schedule, decay, warmup, final = "one-cycle", 1.0, 0, 0.001

    factors = [rate_factor(Options, step, step / 100) for step in range(101)]
    assert factors[0] == pytest.approx(1 / 25)
    assert max(factors) == factors[30] == pytest.approx(1)
    assert factors[100] == pytest.approx(0.001)
    assert factors[:31] == sorted(factors[:31])
    assert factors[30:] == sorted(factors[30:], reverse=True)


def test_bce_is_zero_for_equal_pictures_and_finite_everywhere():
    target = torch.rand(2, 1, 4, 4)
    assert float(bce(target, target, None)) == pytest.approx(0, abs=1e-7)
    image = torch.tensor([[[[0.0, 1.0]]]], requires_grad=True)
    loss = bce(image, torch.tensor([[[[1.0, 0.0]]]]), None)
    loss.backward()
    assert loss.isfinite()
    assert image.grad.isfinite().all()
    # Next to 0 and 1 both of them keep their slopes finite, each in its own way.
    probed = (0.02 + 0.96 * torch.rand(2, 1, 4, 4)).requires_grad_()
    bce(probed, target, None).backward()
    error = torch.nn.functional.binary_cross_entropy(probed, target)
    (expected,) = torch.autograd.grad(error, probed)
    torch.testing.assert_close(probed.grad, expected, atol=1e-4, rtol=1e-3)


# ---- training ------------------------------------------------------------------------------------

SMALL = {"width": 0.15, "latent": 6}
QUICK = {"threads": 1, "seed": 2}


def test_it_learns_and_tells_both_losses(digits):
    seen = []
    art = artgen.fit(
        digits,
        "autoencoder",
        steps=60,
        engine_options={"rate": 5.0},
        observe=lambda event: seen.append(event) if isinstance(event, Evaluated) else None,
        **SMALL,
        **QUICK,
    )
    assert seen[0].training_loss is None
    assert all(event.training_loss > 0 for event in seen[1:])
    assert seen[-1].loss < 0.8 * seen[0].loss
    # The best by the test loss is what is kept, and what the metrics are of.
    assert art.metrics["loss"] == pytest.approx(min(event.loss for event in seen), rel=1e-5)
    assert art.metrics["mse"] == pytest.approx(art.metrics["loss"], rel=1e-4)
    assert art.metrics["psnr"] == pytest.approx(-10 * np.log10(art.metrics["mse"]), abs=1e-3)
    assert art.metrics["floats"] == 6
    assert art.drawing.subject.classes == tuple("0123456789")


@pytest.mark.parametrize("arithmetic", ["fp32", "bf16"])
def test_steps_differentiate_in_either_arithmetic(arithmetic, digits):
    codec, tensors = made(Autoencoder, digits.subject, **SMALL)
    leaves = {name: tensor.requires_grad_() for name, tensor in tensors.items()}
    images = torch.from_numpy(digits.training[:8]).permute(0, 3, 1, 2) / 255
    labels = torch.zeros(8, dtype=torch.int64)
    outputs, term = pass_through(codec, leaves, images, labels, arithmetic, torch.Generator())
    assert term is None
    assert outputs.dtype == torch.float32
    plain = codec.decode(codec.encode(images, Params(leaves)), Params(leaves), labels)
    torch.testing.assert_close(outputs, plain, atol=0.02 if arithmetic == "bf16" else 1e-5, rtol=0)
    gradients = torch.autograd.grad((outputs - images).square().mean(), list(leaves.values()))
    assert all(gradient.isfinite().all() for gradient in gradients)


class Means(artgen.Codec):
    """Blocks as their means, times a learned factor."""

    latent = (1, 7, 7)
    params = {"factor": artgen.Param(1, init=1.0, lr=0.05)}
    term: ClassVar[Any] = None

    def encode(self, images, p):
        return p.factor * torch.nn.functional.avg_pool2d(images, 4)

    def decode(self, latents, p, labels):
        return torch.nn.functional.interpolate(latents, (self.height, self.width))

    def penalty(self, images, p, rng):
        latents = self.encode(images, p)
        return latents, self.term(latents)


def test_the_term_of_a_codec_is_part_of_the_loss_of_a_step_alone(digits):
    fitted = {}
    for name, term in {
        "none": lambda latents: None,
        "constant": lambda latents: torch.tensor(5.0),
        "sparse": lambda latents: latents.abs().mean(),
    }.items():
        cls = type("Means", (Means,), {"term": staticmethod(term), "__doc__": "M."})
        fitted[name] = artgen.fit(digits, cls, steps=40, **QUICK)
    none, constant, sparse = (fitted[name] for name in ("none", "constant", "sparse"))
    assert constant.metrics["loss"] == none.metrics["loss"]
    learned = [each.training_loss for each in none.history[1:]]
    assert [each.training_loss for each in constant.history[1:]] == pytest.approx(
        [loss + 5 for loss in learned]
    )
    assert none.drawing.tensors["factor"] > 0.9
    assert sparse.history[-1].training_loss < sparse.history[1].training_loss
    assert sparse.history[-1].loss > sparse.history[0].loss


def test_a_term_that_is_no_scalar_is_refused(digits):
    cls = type("Means", (Means,), {"term": staticmethod(lambda latents: latents), "__doc__": "M."})
    with pytest.raises(
        artgen.errors.PluginError, match=r"penalty of Means gave a term of shape \["
    ):
        artgen.fit(digits, cls, steps=2, **QUICK)


# Three long fits: by day the divergence is that of its formula, below.
@pytest.mark.nightly
def test_the_latents_of_a_vae_are_normally_distributed(digits):
    stretch = {}
    for beta in (0.0, 1.0, 50.0):
        art = artgen.fit(
            digits,
            "vae",
            network="dense",
            latent=4,
            width=0.2,
            steps=150,
            engine_options={"rate": 3.0, "batch": 50},
            beta=beta,
            **QUICK,
        )
        assert art.recipe.stage[0].loss == "bce"
        latents = art.latent_space().latents
        assert torch.equal(latents, art.latent_space().latents)
        stretch[beta] = float(torch.cov(latents.T).diagonal().mean())
    # Without the divergence nothing limits them, with too much of it all are the same.
    assert stretch[0.0] > 2 * stretch[1.0]
    assert 0.2 < stretch[1.0] < 2
    assert stretch[50.0] < 0.1


def test_the_divergence_of_a_vae_is_that_of_normal_distributions(digits):
    codec, tensors = made(VAE, digits.subject, network="dense", latent=3)
    p, images = Params(tensors), torch.rand(5, 1, 28, 28)
    mean, spread = Autoencoder.encode(codec, images, p).chunk(2, 1)
    latents, term = codec.penalty(images, p, torch.Generator().manual_seed(4))
    noise = torch.randn(5, 3, generator=torch.Generator().manual_seed(4))
    torch.testing.assert_close(latents, mean + noise * (spread / 2).exp())
    normal = torch.distributions.Normal
    whole = torch.distributions.kl_divergence(normal(mean, (spread / 2).exp()), normal(0.0, 1.0))
    torch.testing.assert_close(784 * term, whole.sum(1).mean())
    assert torch.equal(codec.encode(images, p), mean)


@pytest.mark.parametrize("name", ["autoencoder", "vae"])
def test_chunks_change_nothing(name, digits, monkeypatch):
    from artgen.runs.loop import stages

    results = set()
    for largest in (1, 7, 1000):
        monkeypatch.setattr(stages, "LARGEST_CHUNK", largest)
        art = artgen.fit(digits, name, steps=12, engine_options={"augment": 0.5}, **SMALL, **QUICK)
        results.add(art.to_bytes())
    assert len(results) == 1


@pytest.mark.parametrize("faster", ["fp32", "bf16"])
def test_the_faster_arithmetic_of_the_codec_itself_is_taken(faster, digits, monkeypatch):
    probe = CodecTrial(made(Autoencoder, digits.subject, **SMALL)[0], torch.device("cpu"), 2)
    monkeypatch.undo()
    assert probe.seconds("fp32") > 0
    assert probe.seconds("bf16") > 0
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"amx_bf16": True})
    seconds = {"fp32": 2.0, "bf16": 1.0 if faster == "bf16" else 1.8}
    monkeypatch.setattr(CodecTrial, "seconds", lambda self, way: seconds[way])
    art = artgen.fit(digits, "autoencoder", steps=1, **SMALL, **QUICK)
    assert art.recipe.run.arithmetic == faster


@pytest.mark.parametrize("cls", [Autoencoder, Conditional, VAE])
def test_the_first_outputs_are_as_bright_as_the_pictures(digits, cls):
    mean = digits.subject.pictures.mean() / 255
    for options, bright in (({}, mean), ({"brightness": 0.5}, 0.5), ({"network": "dense"}, 0.5)):
        codec, tensors = made(cls, digits.subject, **SMALL, **options)
        labels = torch.zeros(1, dtype=torch.int64)
        # Without what the weights add, the outputs are the sigmoid of the last bias alone.
        flat = {name: 0 * t if name.endswith("_weight") else t for name, t in tensors.items()}
        output = codec.decode(torch.zeros(1, *codec.latent), Params(flat), labels)
        torch.testing.assert_close(output, torch.full_like(output, bright), atol=1e-3, rtol=0)


def test_schedules_are_those_described():
    from artgen.plan import resolve
    from artgen.recipe import Recipe
    from artgen.registry import default

    subject = set_from_arrays(np.zeros((60_000, 2, 2)), test_images=np.zeros((9, 2, 2))).subject

    def stage(**options):
        recipe = Recipe.from_dict(
            {"primitive": {"name": "autoencoder", "network": "dense", **options}}
        )
        return resolve(recipe, default(), Canvas(9, 9), subject).recipe.stage[0]

    short, published = stage(), stage(schedule="published")
    assert (short.steps, short.options["schedule"]) == (9000, "one-cycle")
    assert short.options["augment"] == 0
    assert published.steps == 300 * 5 * 600
    assert published.options["augment"] == 0.8
    assert published.options["decay"] ** 3000 == pytest.approx(0.98)
    assert published.options["rate"] == 1
    for each in (short, published):
        assert (each.options["batch"], each.options["weight_decay"]) == (100, 1e-9)
    assert (published.options["degrees"], published.options["shear"]) == (15, 10)


def test_a_count_is_the_size_of_the_latent(digits):
    art = artgen.fit(digits, "autoencoder", count=5, steps=1, width=0.1, **QUICK)
    assert art.metrics["floats"] == 5
    assert art.recipe.primitive.count is None
    assert art.recipe.primitive.options["latent"] == 5
    with pytest.raises(UsageError, match="autoencoder is a codec, which has no count"):
        artgen.fit(digits, "autoencoder", count="auto", steps=1)


def test_codecs_and_pictures_do_not_mix(digits):
    with pytest.raises(UsageError, match="gaussian cannot be fitted to a target of kind set"):
        artgen.fit(digits, "gaussian")
    with pytest.raises(UsageError, match="pca cannot be fitted to a target of kind image") as told:
        artgen.fit("sample:cat", "pca", size=16)
    assert told.value.hint == "give it a set: a folder of pictures, or sample:digits"
    with pytest.raises(UsageError, match="loss 'ssim' is for image targets"):
        artgen.fit(digits, "autoencoder", loss="ssim")
    with pytest.raises(UsageError, match="was opened at 28 pixels, not 14"):
        artgen.fit(digits, "pca", size=14)
