"""Art: a drawing with the recipe that made it, as one reusable `.art` file.

The file is safetensors whose metadata has the single key ``artgen``, holding canonical JSON: no
pickle, no wall-clock times, equal runs give equal bytes.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from artgen.canvas import Canvas
from artgen.drawing import Drawing
from artgen.errors import ArtgenError, InputError, UsageError
from artgen.recipe import Precision, Recipe
from artgen.registry import Registry, default

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

__all__ = ["FORMAT", "Art", "ExportRequest", "export_png", "load", "quantised", "saved_bytes"]

FORMAT = 1
"""The version of the `.art` format that this artgen writes; it reads this and older ones."""

_RANGE = ".range"


@dataclass(frozen=True)
class ExportRequest:
    """How an exporter should draw: `size` is the long side in pixels (None: the fitting size)."""

    size: int | None = None
    transparent: bool = False
    supersample: int = 1
    device: str = "cpu"


@dataclass(frozen=True, eq=False)
class Art:
    """The result of a fit: draw it at any size, save it, ask what made it.

    `metrics` are those of the run (``psnr``, ``ssim``, ``loss``, ``steps``, …), `precision` is how
    the parameters are stored; the drawing's values are already rounded to it.
    """

    drawing: Drawing
    recipe: Recipe
    metrics: Mapping[str, Any] = field(default_factory=dict)
    precision: Precision = "fp32"
    registry: Registry | None = field(default=None, repr=False)

    @property
    def psnr(self) -> float:
        """Of the 8-bit drawing at the fitting size against the 8-bit target, in dB."""
        return float(self.metrics["psnr"])

    def primitive(self) -> Any:
        """The primitive that draws this. Raises PluginError where its plugin is missing."""
        registry = self.registry or default()
        drawing = self.drawing
        cls = registry.load("primitive", drawing.primitive, plugin=drawing.plugin)
        return cls(dict(drawing.options))

    def render(
        self,
        size: int | None = None,
        *,
        transparent: bool = False,
        supersample: int = 1,
        device: str = "cpu",
    ) -> NDArray[np.uint8]:
        """Draw with a long side of `size` pixels: uint8 [height, width, 3], 4 when transparent.

        Raises PluginError, UsageError, OutOfMemory.
        """
        from artgen.output import to_pixels
        from artgen.raster import draw

        canvas = self.drawing.canvas
        if size is not None:
            _check_size(size)
            canvas = canvas.scaled(size)
        if supersample < 1:
            raise UsageError(f"supersample {supersample} is not a factor", hint="use 1 to 8")
        image = draw(
            self.drawing,
            self.primitive(),
            canvas,
            device=device,
            supersample=supersample,
            transparent=transparent,
        )
        return to_pixels(image.permute(1, 2, 0).numpy())

    def to_bytes(self) -> bytes:
        """The `.art` file."""
        from safetensors.torch import save

        drawing = self.drawing
        header = {
            "format": FORMAT,
            "drawing": {
                "primitive": drawing.primitive,
                "options": dict(drawing.options),
                "width": drawing.width,
                "height": drawing.height,
                "background": list(drawing.background),
                "background_weight": drawing.background_weight,
                "plugin": dict(drawing.plugin),
            },
            "precision": self.precision,
            "recipe": self.recipe.to_dict(),
            "metrics": dict(self.metrics),
        }
        text = json.dumps(header, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return save(_encode(drawing.tensors, self.precision), metadata={"artgen": text})

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write the `.art` file. Raises UsageError where it exists, OutputError."""
        from artgen.output import atomic_write

        file = Path(path)
        if file.exists() and not overwrite:
            raise UsageError(f"{file} exists", hint="pass overwrite=True or another name")
        atomic_write(file, self.to_bytes())

    def _repr_png_(self) -> bytes:
        from artgen.output import encode_png

        return encode_png(self.render(), self.recipe.to_json())


def load(path: str | os.PathLike[str], *, registry: Registry | None = None) -> Art:
    """Read an `.art` file.

    Raises InputError where it is missing, damaged or of a newer format.
    """
    from safetensors import SafetensorError, safe_open

    file = Path(path)
    if not file.is_file():
        reason = "is not a file" if file.exists() else "does not exist"
        raise InputError(f"{file} {reason}", hint="an .art file is written by artgen fit")
    try:
        with safe_open(file, framework="pt") as data:
            header = json.loads((data.metadata() or {})["artgen"])
            tensors = {name: data.get_tensor(name) for name in data.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise InputError(f"{file} is not an .art file: {error}") from None
    except (KeyError, ValueError, TypeError):
        raise InputError(f"{file} is not an .art file: it carries no recipe of artgen") from None
    found = header.get("format") if isinstance(header, dict) else None
    if not isinstance(found, int) or not 1 <= found <= FORMAT:
        raise InputError(
            f"{file} has .art format {found!r}, this artgen reads up to {FORMAT}",
            hint="a newer artgen may read it",
        )
    try:
        drawn = header["drawing"]
        drawing = Drawing(
            primitive=str(drawn["primitive"]),
            options=dict(drawn["options"]),
            tensors=_decode(tensors, str(header["precision"])),
            width=int(drawn["width"]),
            height=int(drawn["height"]),
            background=tuple(float(value) for value in drawn["background"]),  # type: ignore[arg-type]
            background_weight=float(drawn["background_weight"]),
            plugin={str(key): str(value) for key, value in drawn["plugin"].items()},
        )
        recipe = Recipe.from_dict(header["recipe"], where=str(file))
        Canvas(drawing.width, drawing.height)
        if len(drawing.background) != 3:
            raise ValueError("background")
        metrics = dict(header["metrics"])
    except ArtgenError as error:
        raise InputError(f"{file} is damaged: {error.message}", hint=error.hint) from None
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise InputError(f"{file} is damaged: its description lacks {error}") from None
    return Art(drawing, recipe, metrics, header["precision"], registry)


def export_png(art: Art, request: ExportRequest) -> bytes:
    """A PNG with the recipe inside."""
    from artgen.output import encode_png

    pixels = art.render(
        request.size,
        transparent=request.transparent,
        supersample=request.supersample,
        device=request.device,
    )
    return encode_png(pixels, art.recipe.to_json())


def quantised(drawing: Drawing, precision: Precision) -> Drawing:
    """The drawing as it will be after saving with `precision` and loading again."""
    return replace(drawing, tensors=_decode(_encode(drawing.tensors, precision), precision))


def saved_bytes(drawing: Drawing, precision: Precision) -> int:
    """The size of the parameters at `precision`, in bytes, ranges of int8 rows included."""
    return sum(
        tensor.numel() * tensor.element_size()
        for tensor in _encode(drawing.tensors, precision).values()
    )


def _encode(tensors: Mapping[str, torch.Tensor], precision: Precision) -> dict[str, torch.Tensor]:
    """float16, or one byte per value between the least and the largest of its row."""
    import torch

    if precision == "fp32":
        return {name: tensor.float().contiguous() for name, tensor in tensors.items()}
    if precision == "fp16":
        largest = torch.finfo(torch.float16).max
        return {
            name: tensor.clamp(-largest, largest).half().contiguous()
            for name, tensor in tensors.items()
        }
    encoded = {}
    for name, tensor in tensors.items():
        rows = tensor.reshape(-1, tensor.shape[-1]) if tensor.dim() else tensor.reshape(1, 1)
        low, high = rows.amin(1, keepdim=True), rows.amax(1, keepdim=True)
        step = (high - low).clamp_min(1e-30) / 255
        encoded[name] = ((rows - low) / step).round().to(torch.uint8).reshape(tensor.shape)
        encoded[name + _RANGE] = torch.cat([low, high], 1).float()
    return encoded


def _decode(tensors: Mapping[str, torch.Tensor], precision: str) -> dict[str, torch.Tensor]:
    """The opposite of `_encode`, float32. Raises ValueError and KeyError where it is not one."""
    if precision in ("fp32", "fp16"):
        return {name: tensor.float() for name, tensor in tensors.items()}
    if precision != "int8":
        raise ValueError(f"precision {precision!r}")
    decoded = {}
    for name, codes in tensors.items():
        if name.endswith(_RANGE):
            continue
        low, high = tensors[name + _RANGE].float().split(1, dim=1)
        rows = codes.reshape(-1, codes.shape[-1]) if codes.dim() else codes.reshape(1, 1)
        value = low + rows.float() * ((high - low).clamp_min(1e-30) / 255)
        decoded[name] = value.reshape(codes.shape)
    return decoded


def _check_size(size: int) -> None:
    if not 1 <= size <= 65_536:
        raise UsageError(f"size {size} is not a long side in pixels", hint="use 1 to 65536")


Exporter = Callable[[Art, ExportRequest], bytes]
