"""Words as a target: the likeness of a picture and a text, by a CLIP that the user has.

    --loss 'text:"a lighthouse in a storm; -0.3*people"@ViT-B-32.safetensors'

The file holds the weights as open_clip stores them (Radford et al. 2021); nothing is downloaded.
The two transformers are written here in plain torch, so that no other package has to agree with the
torch that is installed; only the vocabulary of open_clip is read, a file.
"""

from __future__ import annotations

import gzip
import html
import math
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from artgen.errors import InputError, UsageError, install_hint
from artgen.losses import LossFunction, cutouts, ignore_unweighted, needs_text
from artgen.targets import ImageTarget, TargetRequest, image_from_array

VOCABULARY = "bpe_simple_vocab_16e6.txt.gz"
"""The merges of OpenAI's tokenizer, as open_clip ships them."""
MEAN = (0.48145466, 0.4578275, 0.40821073)
DEVIATION = (0.26862954, 0.26130258, 0.27577711)
"""Of the pixels on which CLIP was trained."""
NUMBER, MOST = 16, 256
"""Cutouts that are looked at in a step, and the most."""
LONGEST = 1 << 13
"""Letters of a text that are read: more are more tokens than any model takes."""
HEAD = 64
"""Width of a head of attention."""
QUICK = ("openai", "quickgelu", "dfn", "metaclip")
"""In names of weights that were trained with the sigmoid in place of the error function."""

_WORD = re.compile(r"'s|'t|'re|'ve|'m|'ll|'d|[^\W\d_]+|\d|(?:[^\s\w]|_)+")
_PROMPT = re.compile(r"(?:([-+]?\s*(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*\*)?\s*(.+)", re.DOTALL)
_NO_WEIGHT = re.compile(r"[-+.\d][\W\d]*\*")
"""The begin of a text that is no weight, though it looks like one."""


@needs_text
def text(prompts: str, file: Path | None) -> LossFunction:
    """Distance of a picture from texts, by the CLIP in `file`.

    `prompts` are separated by ``;``, each perhaps after a weight and a star, which may be negative:
    what shall not be there. ``cutouts=32`` among them is how many are looked at. Behind ``|``
    follow those of the next view. Raises UsageError, InputError.
    """
    if file is None:
        hint = """name a file: 'text:"a horse"@ViT-B-32.safetensors'; artgen downloads none"""
        raise UsageError("a text needs the weights of a CLIP", hint=hint)
    views, number = _parse(prompts)
    model, words = load(file)
    with torch.no_grad():
        rows = [
            (
                torch.tensor([weight for weight, _ in each]),
                model.embed_texts(words, [t for _, t in each]),
            )
            for each in views
        ]
    return Words(model, tuple(rows), number)


@dataclass(frozen=True, eq=False)
class Words:
    """The loss: per view the weights [P] and the embeddings [P, width] of its prompts."""

    model: Clip
    prompts: tuple[tuple[Tensor, Tensor], ...]
    number: int
    view: int = 0
    seed: int = 0

    def at(self, seed: int) -> Words:
        """The loss with the cutouts of another seed."""
        return replace(self, seed=seed)

    def of_view(self, index: int) -> Words:
        """The loss of a view; of views without prompts of their own, that of the last that has."""
        return replace(self, view=min(index, len(self.prompts) - 1))

    def __call__(self, image: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:
        """Return the mean of 1 - cos for what is wanted, and 1 + cos for what is not."""
        self.model.to(image.device, image.dtype)
        seen = ignore_unweighted(image, target, weight)
        found = self.model.embed(cutouts(seen, self.model.size, self.number, self.seed))
        weights, wanted = (each.to(found) for each in self.prompts[self.view])
        away = 1 - weights.sign() * (found @ wanted.T)
        return (away.mean(0) * weights.abs()).sum() / weights.abs().sum()


def blank(rest: str, request: TargetRequest) -> ImageTarget:
    """Open ``blank:WxH``, a plain gray picture to begin with, for losses that need no target."""
    match = re.fullmatch(r"(\d{1,5})x(\d{1,5})", rest or "512x512")
    if match is None or not all(1 <= int(side) <= 16384 for side in match.groups()):
        raise InputError(f"blank:{rest[:40]} is no size", hint="write blank:512x512")
    gray = np.full((int(match[2]), int(match[1])), 128, np.uint8)
    source = f"blank:{match[1]}x{match[2]}"
    return image_from_array(gray, request, source, source=source)


def _parse(prompts: str) -> tuple[list[list[tuple[float, str]]], int]:
    """The weights and prompts of each view, and the number of cutouts. Raises UsageError."""
    views, number = [], NUMBER
    hint = 'write text:"a lighthouse; 0.5*a storm; -0.3*people"@FILE'
    for part in prompts.split("|"):
        found = []
        for each in filter(None, map(str.strip, part.split(";"))):
            if option := re.fullmatch(r"cutouts\s*=\s*(\d{1,6})", each):
                number = int(option[1])
                continue
            match = _PROMPT.fullmatch(each)
            assert match is not None
            if match[1] is None and _NO_WEIGHT.match(each):
                raise UsageError(f"text {each!r} begins with no weight", hint=hint)
            found.append((float("".join((match[1] or "1").split())), match[2].strip()))
        if not any(weight for weight, _ in found):
            raise UsageError(f"text {part.strip()!r} holds no prompt with a weight", hint=hint)
        views.append(found)
    if not 1 <= number <= MOST:
        raise UsageError(f"cutouts={number} is not from 1 to {MOST}", hint="leave it out")
    return views, number


class Clip(torch.nn.Module):
    """Two transformers that map pictures and texts to directions, [n, width] of length 1."""

    def __init__(self, weights: Mapping[str, Tensor], quick: bool) -> None:
        super().__init__()
        self.quick, self.names = quick, {}
        for index, (name, value) in enumerate(weights.items()):
            self.names[name] = f"w{index}"
            self.register_buffer(f"w{index}", value.float(), persistent=False)
        places, patch = len(self["visual.positional_embedding"]), self["visual.conv1.weight"]
        self.size = math.isqrt(places - 1) * patch.shape[-1]
        self.context = len(self["positional_embedding"])

    def __getitem__(self, name: str) -> Tensor:
        found: Tensor = getattr(self, self.names[name])
        return found

    def embed(self, pictures: Tensor) -> Tensor:
        """The directions of pictures [n, 3, size, size], sRGB-encoded, 1.0 = 255."""
        mean, deviation = (pictures.new_tensor(each)[:, None, None] for each in (MEAN, DEVIATION))
        kernel = self["visual.conv1.weight"]
        patches = F.conv2d((pictures - mean) / deviation, kernel, stride=kernel.shape[-1])
        rows = patches.flatten(2).transpose(1, 2)
        first = self["visual.class_embedding"].expand(len(rows), 1, -1)
        rows = torch.cat([first, rows], 1) + self["visual.positional_embedding"]
        rows = self._blocks(self._norm(rows, "visual.ln_pre"), "visual.", None)
        return F.normalize(self._norm(rows[:, 0], "visual.ln_post") @ self["visual.proj"], dim=1)

    def embed_texts(self, words: Vocabulary, texts: list[str]) -> Tensor:
        """The directions of texts. Raises UsageError where one is too long."""
        found = []
        for each in texts:
            numbers = words.encode(each)
            if len(numbers) > self.context:
                problem = f"text {each[:40]!r} is {len(numbers)} tokens long, not {self.context}"
                raise UsageError(f"{problem} at most", hint="make it shorter, or several prompts")
            rows = (
                self["token_embedding.weight"][numbers]
                + self["positional_embedding"][: len(numbers)]
            )
            ahead = torch.full((len(numbers), len(numbers)), -math.inf).triu(1).to(rows)
            rows = self._norm(self._blocks(rows[None], "", ahead), "ln_final")
            found.append(rows[:, -1] @ self["text_projection"])
        return F.normalize(torch.cat(found), dim=1)

    def _norm(self, rows: Tensor, name: str) -> Tensor:
        return F.layer_norm(rows, rows.shape[-1:], self[f"{name}.weight"], self[f"{name}.bias"])

    def _blocks(self, rows: Tensor, prefix: str, mask: Tensor | None) -> Tensor:
        """The blocks of a transformer on [n, places, width], before each a norm."""
        block = 0
        while f"{prefix}transformer.resblocks.{block}.ln_1.weight" in self.names:
            at = f"{prefix}transformer.resblocks.{block}"
            rows = rows + self._attend(self._norm(rows, f"{at}.ln_1"), f"{at}.attn", mask)
            inner = self._linear(self._norm(rows, f"{at}.ln_2"), f"{at}.mlp.c_fc")
            inner = inner * torch.sigmoid(1.702 * inner) if self.quick else F.gelu(inner)
            rows, block = rows + self._linear(inner, f"{at}.mlp.c_proj"), block + 1
        return rows

    def _attend(self, rows: Tensor, at: str, mask: Tensor | None) -> Tensor:
        number, places, width = rows.shape
        three = F.linear(rows, self[f"{at}.in_proj_weight"], self[f"{at}.in_proj_bias"])
        heads = three.reshape(number, places, 3, width // HEAD, HEAD).permute(2, 0, 3, 1, 4)
        seen = F.scaled_dot_product_attention(heads[0], heads[1], heads[2], attn_mask=mask)
        return self._linear(seen.transpose(1, 2).reshape(number, places, width), f"{at}.out_proj")

    def _linear(self, rows: Tensor, at: str) -> Tensor:
        return F.linear(rows, self[f"{at}.weight"], self[f"{at}.bias"])


class Vocabulary:
    """Byte-pair encoding, as GPT-2 and CLIP have it (Sennrich et al. 2016)."""

    def __init__(self, merges: list[tuple[str, str]]) -> None:
        # Bytes that print stand for themselves, others for letters from 256 on.
        plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
        others = [byte for byte in range(256) if byte not in plain]
        self.letters = {byte: chr(byte) for byte in plain}
        self.letters |= {byte: chr(256 + index) for index, byte in enumerate(others)}
        known = [self.letters[byte] for byte in (*plain, *others)]
        known += [f"{letter}</w>" for letter in known] + ["".join(pair) for pair in merges]
        self.numbers = {token: index for index, token in enumerate(known)}
        self.ranks = {pair: rank for rank, pair in enumerate(merges)}
        self.ends = len(known), len(known) + 1

    @classmethod
    def read(cls, path: Path, rows: int) -> Vocabulary:
        """The vocabulary of `rows` tokens in a file. Raises InputError."""
        try:
            lines = gzip.decompress(path.read_bytes()).decode().split("\n")
        except (OSError, EOFError, ValueError, zlib.error) as error:
            raise InputError(f"{path.name} is no vocabulary: {error}") from None
        pairs = [tuple(line.split()) for line in lines[1 : rows - 514 + 1]]
        if len(pairs) != rows - 514 or any(len(pair) != 2 for pair in pairs):
            hint = f"use the {VOCABULARY} of open_clip"
            raise InputError(f"{path.name} is not the vocabulary of these {rows} tokens", hint=hint)
        return cls([(pair[0], pair[1]) for pair in pairs])

    def encode(self, text: str) -> list[int]:
        """The numbers of the tokens of a text, between those of its start and its end."""
        clean = " ".join(html.unescape(html.unescape(text)).split()).lower()[:LONGEST]
        found = [self.ends[0]]
        for word in _WORD.findall(clean):
            letters = [self.letters[byte] for byte in word.encode()]
            parts = [*letters[:-1], f"{letters[-1]}</w>"]
            while len(parts) > 1:
                pairs = list(pairwise(parts))
                first, second = min(pairs, key=lambda pair: self.ranks.get(pair, math.inf))
                if (first, second) not in self.ranks:
                    break
                joined: list[str] = []
                for part in parts:
                    if joined and joined[-1] == first and part == second:
                        joined[-1] = first + second
                    else:
                        joined.append(part)
                parts = joined
            found += [self.numbers[part] for part in parts]
        return [*found, self.ends[1]]


def load(file: Path) -> tuple[Clip, Vocabulary]:
    """The model in a file of weights, and its vocabulary. Raises InputError."""
    weights = read_weights(file)
    needed = {
        *("visual.conv1.weight", "visual.class_embedding", "visual.positional_embedding"),
        *("visual.ln_pre.weight", "visual.ln_post.weight", "visual.proj", "text_projection"),
        *("token_embedding.weight", "positional_embedding", "ln_final.weight"),
        *("visual.transformer.resblocks.0.attn.in_proj_weight",),
        *("transformer.resblocks.0.attn.in_proj_weight",),
    }
    if missing := sorted(needed - weights.keys()):
        kind = "; it is laid out as transformers does it" * any("text_model" in k for k in weights)
        raise InputError(
            f"{file.name} holds no CLIP with a vision transformer: it has no {missing[0]}{kind}",
            hint="use weights saved by open_clip, such as ViT-B-32 of laion2b_s34b_b79k",
        )
    rows = len(weights["token_embedding.weight"])
    words = Vocabulary.read(find_vocabulary(file), rows)
    quick = any(each in file.name.lower() for each in QUICK)
    try:
        model = Clip(weights, quick)
        with torch.no_grad():
            model.embed(torch.zeros(1, 3, model.size, model.size))
            model.embed_texts(words, ["a"])
    except (KeyError, RuntimeError, IndexError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise InputError(
            f"{file.name} is not a CLIP that artgen can run: {reason}",
            hint="it runs vision transformers with heads 64 wide, as ViT-B-32, B-16 and L-14 are",
        ) from None
    return model.requires_grad_(False).eval(), words


def read_weights(file: Path) -> dict[str, Tensor]:
    """The tensors of a .safetensors file or a checkpoint of torch. Raises InputError."""
    hint = (
        "use a .safetensors file, or a checkpoint that holds tensors alone; the files of OpenAI"
        " hold programs: those of open_clip have the same weights"
    )
    try:
        if file.suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(file)
        found: Any = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:
        # What torch says here names its own options, one of which would run code of the file.
        raise InputError(f"{file.name} cannot be read as weights", hint=hint) from error
    found = found.get("state_dict", found) if isinstance(found, dict) else {}
    weights = {
        str(name).removeprefix("module."): value
        for name, value in found.items()
        if isinstance(value, Tensor)
    }
    if not weights:
        raise InputError(f"{file.name} holds no tensors", hint=hint)
    return weights


def find_vocabulary(file: Path) -> Path:
    """The vocabulary beside the weights, or that of an installed open_clip. Raises InputError."""
    places = [file.parent]
    if spec := find_spec("open_clip"):  # not imported: it may want another torch
        places += map(Path, spec.submodule_search_locations or ())
    for place in places:
        if (place / VOCABULARY).is_file():
            return place / VOCABULARY
    hint = f"{install_hint('words')}, or put {VOCABULARY} beside {file.name}"
    raise InputError("the vocabulary of CLIP is missing", hint=hint)
