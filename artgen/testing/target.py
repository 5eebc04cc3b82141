"""Checks of targets: what they open, how they refuse, and that they open it again."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import torch
from PIL import Image

from artgen.base.errors import ArtgenError, PluginError
from artgen.targets import ImageTarget, Source, Target, TargetRequest, file_safe, open_source
from artgen.testing.candidate import Offer
from artgen.testing.run_checks import Failed, basic
from artgen.testing.side_effects import check_side_effects
from artgen.values.subject import kind_of

_WRONG = ("-1", "0", "nan", "a b", "?", "/", "..", "\N{SNOWMAN}", "x" * 300, "1e3", "1,2,3,4")
"""What users may write after the colon by mistake; no large numbers, which take memory."""
_MARGIN = 4


@basic
def opens(offer: Offer) -> str:
    """It opens its example: a target with a name, a source, a digest, and finite data in range.

    Give an `example` in the Spec: text after the colon, or the bytes of a small file. Return what
    `artgen.targets.image_from_array` or one of its siblings makes.
    """
    target = _opened(offer)
    if target.name != file_safe(target.name):
        raise Failed(f"the name {target.name!r} cannot be part of a file name")
    if len(target.sha256) != 64:
        raise Failed(f"sha256 is {target.sha256!r}, not 64 hexadecimal digits")
    goal = target.tensors().goal
    if goal.dtype != torch.float32 or not bool(goal.isfinite().all()):
        raise Failed(f"the data are {goal.dtype}, and not all of them are finite")
    kind = kind_of(target.subject)
    if kind == "image":
        shape = [3, target.canvas.height, target.canvas.width]
        if list(goal.shape) != shape:
            raise Failed(f"the picture is {list(goal.shape)}, not {shape}")
        values = target.image if isinstance(target, ImageTarget) else goal.numpy()
        if not 0 <= values.min() <= values.max() <= 1:
            raise Failed(f"values are from {values.min():.3g} to {values.max():.3g}, not in 0 to 1")
    weight = target.weight
    if weight is not None and not (weight.min() >= 0 and weight.max() <= 1):
        raise Failed(f"weights are from {weight.min():.3g} to {weight.max():.3g}, not in 0 to 1")
    return f"{kind}, {' x '.join(map(str, goal.shape))}"


def request(offer: Offer) -> str | None:
    """A picture has the requested size, its mask as weight, and at most `max_pixels` pixels.

    Pass `request` on to `artgen.targets.image_from_array`, and look at `request.max_pixels` before
    reading.
    """
    if kind_of(_opened(offer).subject) != "image":
        return "not a picture"
    for size in (24, 40):
        found = _opened(offer, TargetRequest(size=size)).size
        if found != size:
            raise Failed(f"the long side is {found} pixels for TargetRequest(size={size})")
    canvas = _opened(offer, TargetRequest(size=40)).canvas
    with tempfile.TemporaryDirectory() as folder:
        mask = Path(folder) / "mask.png"
        whole = _opened(offer)
        Image.linear_gradient("L").resize((whole.canvas.width, whole.canvas.height)).save(mask)
        weight = _opened(offer, TargetRequest(size=40, mask=mask)).weight
    if weight is None or weight.shape != (canvas.height, canvas.width) or weight.min() > 0.5:
        raise Failed("the mask of the request is not its weight")
    try:
        pixels = _opened(offer, TargetRequest(max_pixels=_MARGIN)).canvas
    except ArtgenError:
        return None
    if pixels.width * pixels.height > _MARGIN:
        raise Failed(f"it opens more than max_pixels={_MARGIN} pixels")
    return None


def again(offer: Offer) -> None:
    """Opened again it is the same, by its source too, and nothing else changes.

    Seed random numbers by the text after the colon, and set `source` to what opens it again.
    """
    with check_side_effects(offer):
        first, second = _opened(offer), _opened(offer)
    _same(first, second, "opened again")
    if not isinstance(offer.entry.spec.example, str) or offer.entry.spec.files:
        return
    source = Source.parse(first.source)
    if source.scheme is None or source.scheme.rpartition("/")[2] != offer.name:
        raise Failed(f"its source is {first.source!r}, which does not begin with {offer.name}:")
    _same(first, open_source(source, offer.registry), f"opened by its source {first.source}")


def names(offer: Offer) -> str | None:
    """Different data have different sources and names, or outputs would overwrite each other.

    Put the text after the colon into `name` and `source`.
    """
    if not isinstance(offer.entry.spec.example, str) or offer.entry.spec.files:
        return "artgen names files"
    example, found = _example(offer), 0
    for rest in (f"{example}2", f"2{example}", example[:-1], "8", "16"):
        try:
            other, first = _open(offer, rest), _opened(offer)
        except ArtgenError:
            continue
        if other.sha256 == first.sha256:
            continue
        found += 1
        for name in ("source", "name"):
            if getattr(other, name) == getattr(first, name):
                raise Failed(
                    f"{example!r} and {rest!r} both have the {name} {getattr(first, name)!r}"
                )
    return f"{found} others"


def refusal(offer: Offer) -> str:
    """What it cannot open is refused by `artgen.errors.InputError`, in words.

    Check text and files before using them, and raise `artgen.errors.InputError(message, hint=...)`.
    """
    refused = 0
    with _mistakes(offer) as wrong:
        for rest in wrong:
            try:
                _open(offer, rest)
            except PluginError as error:
                # Errors of plugin code, and what is no target, with its line.
                raise Failed(f"{rest[:20]!r}: {error.message}") from error
            except ArtgenError:
                refused += 1
    return f"{refused} of {len(wrong)} refused"


CHECKS = (opens, request, again, names, refusal)


def _example(offer: Offer) -> str:
    example = offer.entry.spec.example
    return example if isinstance(example, str) else ""


def _opened(offer: Offer, request: TargetRequest | None = None) -> Target:
    """Open the example."""
    example = offer.entry.spec.example
    if offer.entry.spec.files and not example:
        raise Failed("its Spec has no example")
    if isinstance(example, str):
        return _open(offer, example, request)
    with tempfile.TemporaryDirectory() as folder:
        pattern = (offer.entry.spec.files or ("*",))[0]
        path = Path(folder) / pattern.removesuffix("/").replace("*", "example")
        _write(path, example)
        return _open(offer, str(path), request)


def _write(path: Path, content: bytes | Mapping[str, bytes]) -> None:
    """Write a file, or a folder of files."""
    if isinstance(content, bytes):
        path.write_bytes(content)
        return
    path.mkdir()
    for name, inside in content.items():
        (path / name).write_bytes(inside)


def _open(offer: Offer, rest: str, request: TargetRequest | None = None) -> Target:
    scheme = None if offer.entry.spec.files else offer.registry.spelling(offer.entry)
    return open_source(Source(scheme, rest), offer.registry, request or TargetRequest())


@contextmanager
def _mistakes(offer: Offer) -> Iterator[list[str]]:
    """Yield texts after the colon, or paths of files or folders, that are hardly right."""
    spec = offer.entry.spec
    if not spec.files:
        yield [f"{_example(offer)}{wrong}" for wrong in _WRONG] + list(_WRONG)
        return
    example = spec.example if isinstance(spec.example, bytes) else b""
    data = [b"", b"\0" * 64, b"hello\n", bytes(range(256))]
    data += [example[: len(example) * n // 4] for n in (1, 2, 3) if example]
    contents: list[bytes | Mapping[str, bytes]] = [*data]
    if isinstance(spec.example, Mapping):
        contents = [{}, *(dict.fromkeys(spec.example, each) for each in data)]
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / spec.files[0].replace("*", f"wrong{n}") for n in range(16)]
        for path, content in zip(paths, contents, strict=False):
            _write(path, content)
        yield [str(path) for path in paths[: len(contents) + 1]]


def _same(one: Target, other: Target, how: str) -> None:
    for name in ("name", "source", "sha256"):
        if getattr(one, name) != getattr(other, name):
            found, before = getattr(other, name), getattr(one, name)
            raise Failed(f"{how}, its {name} is {found!r} and not {before!r}")
    if not torch.equal(one.tensors().goal, other.tensors().goal):
        raise Failed(f"{how}, it holds other data")
