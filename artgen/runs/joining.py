"""Keys become a scene: drawings at moments, whose parts come and go between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from artgen.film.scenes import Scene


def join_keys(
    times: Sequence[float], keys: Sequence[Mapping[str, Tensor]], identities: Sequence[Tensor]
) -> Scene:
    """The scene of the tensors of keys at `times`.

    `identities`, int64 [N], say which parts of two keys are the same; they increase along the parts
    of every key. Where there are none, all parts are the same ones throughout.
    """
    if all(torch.equal(identities[0], other) for other in identities[1:]):
        stacked = {name: torch.stack([key[name] for key in keys]) for name in keys[0]}
        return Scene(tuple(times), stacked)
    # Sorted, the identities are an order for all.
    everyone = torch.unique(torch.cat([*identities]))
    places = [torch.searchsorted(everyone, each) for each in identities]
    present = torch.zeros(len(keys), len(everyone), dtype=torch.bool)
    for row, place in zip(present, places, strict=True):
        row[place] = True
    number = torch.arange(len(keys))[:, None].expand_as(present)
    first = number.where(present, len(keys)).amin(0)
    lifespans = torch.stack([first, number.where(present, -1).amax(0)])
    # Where a part does not live, it has the values it had last, or will have first.
    source = torch.maximum(number.where(present, -1).cummax(0).values, first)
    tensors = {}
    for name, example in keys[0].items():
        wide = example.new_zeros(len(keys), *example.shape[:-1], len(everyone))
        for values, key, place in zip(wide, keys, places, strict=True):
            values[..., place] = key[name]
        middle = (1,) * (example.dim() - 1)
        index = source.view(len(keys), *middle, len(everyone)).expand_as(wide)
        tensors[name] = wide.gather(0, index)
    return Scene(tuple(times), tensors, lifespans)
