"""Faces, by three small networks in a row: multitask cascaded convolutional networks.

Zhang, Zhang, Li and Qiao 2016, https://arxiv.org/abs/1604.02878. The first looks at every place at
every scale and proposes boxes, the second keeps some, the third places them. The weights are a
file beside this one; NOTICE says whose they are.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from artgen.targets.focus import circle, reduced
from artgen.values.frame import Circle

if TYPE_CHECKING:
    import torch

_LONG_SIDE = 480
_SMALLEST, _STEP, _WINDOW = 20, 0.709, 12
"""The smallest side of a face in pixels; the ratio of two scales; what the first network sees."""
_PROPOSED, _KEPT, _SURE = 0.6, 0.7, 0.9
"""How sure each network must be; fewer false alarms than with the 0.7 that is usual at the end."""
_REACH = 0.6
"""The radius of a circle, as a share of the longer side of a face's box."""
_POOLS = {"proposal": (2,), "refinement": (3, 3), "output": (3, 3, 2)}
"""The sides of the windows whose largest values go on, after the first layers of each network."""
_SCORE = 4
"""The column of a box that holds how sure the network is; before it are its sides."""


def find_faces(picture: NDArray[Any]) -> tuple[Circle, ...]:
    """Circles that hold each face in a picture from brow to chin, the largest first.

    The picture is [height, width, channels] of any samples; alpha is ignored. The numbers are
    computed in double precision and rounded, so all machines find the same.
    """
    colour = reduced(picture, _LONG_SIDE)
    height, width = colour.shape[:2]
    circles = []
    for left, top, right, bottom in _boxes(2 * colour.astype(np.float64) - 1):
        x, y = (left + right) / 2 / width, (top + bottom) / 2 / height
        radius = min(1.0, _REACH * max(right - left, bottom - top) / min(width, height))
        if 0 <= x <= 1 and 0 <= y <= 1:
            circles.append(circle(x, y, radius))
    return tuple(sorted(circles, key=lambda each: (-each[2], each)))


def _boxes(picture: NDArray[np.float64]) -> NDArray[np.float64]:
    """The sides [n, 4] of faces in a picture in -1..1: left, top, right, bottom in pixels."""
    import torch

    height, width = picture.shape[:2]
    scale = _WINDOW / _SMALLEST
    with torch.no_grad():
        pixels = torch.from_numpy(picture).permute(2, 0, 1)[None]
        boxes = np.empty((0, 9))
        while min(height, width) * scale >= _WINDOW:
            found = _proposed(pixels, scale)
            boxes = np.concatenate([boxes, found[_apart(found, 0.5)]])
            scale *= _STEP
        boxes = _placed(boxes[_apart(boxes, 0.7)])
        for network, side, least in (("refinement", 24, _KEPT), ("output", 48, _SURE)):
            boxes = _square(boxes)
            answer = _asked(network, _cut(pixels, boxes, side))[:, :, 0, 0]
            boxes = np.concatenate([boxes[:, :_SCORE], answer[:, :5]], 1)
            boxes = boxes[boxes[:, _SCORE] > least]
            if network == "refinement":
                boxes = boxes[_apart(boxes, 0.7)]
            boxes = _placed(boxes)
        boxes = boxes[_apart(boxes, 0.7, inside=True)]
    return boxes[:, :_SCORE]


def _proposed(pixels: torch.Tensor, scale: float) -> NDArray[np.float64]:
    """What the first network proposes at one scale, [n, 9]: sides, score, corrections."""
    from torch.nn.functional import adaptive_avg_pool2d

    height, width = (int(side * scale + 1) for side in pixels.shape[2:])
    answer = _asked("proposal", adaptive_avg_pool2d(pixels, (height, width)))[0]
    rows, columns = np.nonzero(answer[0] > _PROPOSED)
    corners = np.stack([columns, rows, columns, rows], 1) * 2.0 + [0, 0, _WINDOW, _WINDOW]
    return np.concatenate([corners / scale, answer[:, rows, columns].T], 1)


def _placed(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Boxes [n, 5]: sides with their corrections [n, 5:9], which are shares of the sides; score."""
    sides = boxes[:, 2:4] - boxes[:, :2]
    moved = boxes[:, :4] + boxes[:, 5:9] * np.concatenate([sides, sides], 1)
    return np.concatenate([moved, boxes[:, 4:5]], 1)


def _square(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Squares with the middles and the longer sides of the boxes, at whole pixels."""
    middle = (boxes[:, 2:4] + boxes[:, :2]) / 2
    half = (boxes[:, 2:4] - boxes[:, :2]).max(1, keepdims=True) / 2
    return np.concatenate([np.floor(middle - half), np.floor(middle + half)], 1)


def _cut(pixels: torch.Tensor, boxes: NDArray[np.float64], side: int) -> torch.Tensor:
    """What the boxes show, [n, 3, side, side]; 0 outside of the picture."""
    import torch
    from torch.nn.functional import adaptive_avg_pool2d, pad

    cuts = [torch.empty(0, 3, side, side, dtype=pixels.dtype)]
    height, width = pixels.shape[2:]
    for left, top, right, bottom in boxes.astype(int):
        inner = pixels[:, :, max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
        border = max(-left, 0), max(right - width, 0), max(-top, 0), max(bottom - height, 0)
        cuts.append(adaptive_avg_pool2d(pad(inner, border), side))
    return torch.cat(cuts)


def _apart(boxes: NDArray[np.float64], most: float, inside: bool = False) -> list[int]:
    """The boxes that no surer one covers by more than `most` of both, or of the smaller one."""
    kept: list[int] = []
    area = np.prod(boxes[:, 2:4] - boxes[:, :2], 1)
    for index in np.argsort(-boxes[:, _SCORE], kind="stable"):
        others = boxes[kept]
        low = np.maximum(boxes[index, :2], others[:, :2])
        common = np.clip(np.minimum(boxes[index, 2:4], others[:, 2:4]) - low, 0, None).prod(1)
        whole = np.minimum(area[index], area[kept]) if inside else area[index] + area[kept] - common
        if (common <= most * whole).all():
            kept.append(int(index))
    return kept


@cache
def _weights() -> dict[str, torch.Tensor]:
    from safetensors.torch import load_file

    found = load_file(Path(__file__).with_suffix(".safetensors"))
    return {name: weight.double() for name, weight in found.items()}


def _asked(network: str, pixels: torch.Tensor) -> NDArray[np.float64]:
    """The answer [n, channels, height, width] of a network: first how sure it is, in 0..1."""
    import torch
    from torch.nn.functional import conv2d, max_pool2d, prelu

    weights, layer = _weights(), 0
    while (slope := weights.get(f"{network}.{layer}.slope")) is not None:
        kernel, bias = weights[f"{network}.{layer}.weight"], weights[f"{network}.{layer}.bias"]
        pixels = prelu(conv2d(pixels, kernel, bias), slope)
        if layer < len(_POOLS[network]):
            pixels = max_pool2d(pixels, _POOLS[network][layer], 2, ceil_mode=True)
        layer += 1
    kernel, bias = weights[f"{network}.{layer}.weight"], weights[f"{network}.{layer}.bias"]
    answer = conv2d(pixels, kernel, bias)
    answer[:, 0] = torch.sigmoid(answer[:, 0])
    return answer.numpy()
