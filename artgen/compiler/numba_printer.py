"""A traced footprint as the Python source of its kernels: sums, or splats over one another.

Four functions are written, all float32. `prepare` computes once per splat what depends on the splat
alone. `forward` computes the rest in one loop over the pixels of a tile, which the compiler turns
into vector instructions. Gradients are linear in the incoming gradient, so `backward` sums only
their factors that depend on the pixel (the *leaves*), and `finish` does the rest once per splat.

Names in the kernels, for N splats, T tiles, J pairs of a tile and a splat, and C features:

    P   parameters and features [N, ≥ columns + C]
    Q   prepared values [N, prepared]        i     number of a splat
    T   constants that are looked up         j     number of a pair
    X   x of pixels [tile columns, width]    k     number of a pixel of the tile, or of a value
    Y   y of pixels [tile rows, height]      t     number of a tile
    S   sums per pair [J, sums]              c     number of a feature
    L   sums per splat [N, sums]             q, p  row and column of a pixel in the tile
    G   gradients [N, columns + C]           f0    first feature of the splat, and so on
    A   planes of the tile [planes, pixels]  s0    first sum of the pair, and so on
                                             v7    value 7 of the `IR`
                                             e0    first number of the inverse ellipse, and so on
                                             w, g  the weight, and the gradient that arrives at it
                                             h0    the gradient at the first colour, and so on
    (cx, cy) is the centre, (dx, dy) the offset from it, (eu, ev) the offset in half axes

A row of Q begins with the centre and the inverse ellipse, which `raster.common_kernels` write.
`offset` [T + 1] is where the pairs of each tile begin, `splat` [J] the splat of each pair, and
`reach` [J, 2] the first pair of rows that its ellipse touches in the tile, and the end of them.
"""

from __future__ import annotations

from dataclasses import replace

from artgen.compiler.ir import IR
from artgen.compiler.printer import KernelParts, KernelSource, Printer
from artgen.compiler.templates import fill, read_template


def emit(ir: IR, far: float, channels: int, width: int, height: int) -> KernelSource:
    """Write the additive kernels for tiles of `width` × `height` pixels and `channels` features.

    Where all sums have the weight as a factor, it is computed once and kept. Then `backward` also
    draws, and takes a `goal` [T, C + 1, pixels]: the pictures of the tiles and a share of each
    pixel. What arrives is this share times the difference from it, or `grad` where there is no
    goal. `base` [C] is added to the picture.
    """
    kernels = _NumbaKernels(ir, far, channels, width, height)
    planes, beside, parts = kernels.planes, kernels.beside(), kernels.parts
    parts |= kernels.of_sum(kernels.weight, planes)
    if beside is None or far != 0:
        return kernels.source("forward", "sum")
    pairs = zip(kernels.features, planes, strict=True)
    incoming = " + ".join(f"{feature} * {plane}" for feature, plane in pairs)
    added = (f"w * {plane}" for plane in planes)
    parts["backward"] = [f"g = {incoming}", *beside]
    parts["add"] = kernels.terms("s{k} += {term}", added, masked=False)
    return replace(kernels.source("forward", "kept"), keeps=True)


def emit_over(ir: IR, width: int, height: int) -> KernelSource:
    """Write the kernels that lay splats over one another, in order, the first one in front.

    The features of a splat are its colour and its opacity; a picture is the colour and what is
    left of the light from behind. Where that has fallen below `HIDDEN`, nothing more is drawn.
    """
    kernels = _NumbaKernels(ir, 0.0, 4, width, height)
    arriving = [f"share * {plane}" for plane in kernels.planes[:3]]
    features = [*map(kernels.coloured, range(3), arriving), "w * change"]
    kernels.parts |= kernels.of_over(arriving)
    kernels.parts["add"] = kernels.terms("s{k} += {term}", features)
    return kernels.source("over")


class _NumbaKernels(KernelParts):
    """The parts that both kinds of kernels are printed from."""

    def __init__(self, ir: IR, far: float, channels: int, width: int, height: int) -> None:
        super().__init__(Printer, ir, channels, "P[i, {}]", "L[i, {}]")
        pixels, has_table, planes = width * height, len(ir.table) > 0, range(channels)
        weight = self.pixel.number(ir.weight)
        self.weight = f"select(inside, {weight} - f32({float(far)!r}), f32(0))"
        self.planes = [f"A[k + u64({(2 + c) * pixels})]" for c in planes]
        # Of two rows, which fill a vector of 16 floats: a rest would be computed one by one.
        sizes = {"pixels": pixels, "width": width, "both": 2 * width, "height": height}
        self.parts |= {name: str(size) for name, size in {**sizes, "channels": channels}.items()}
        uniforms = list(enumerate(self.schedule.uniforms, 6 + channels))
        # One row per splat, because what is read together should lie together.
        store = [f"Q[i, {6 + c}] = P[i, {len(self.columns) + c}]" for c in planes]
        load = [f"f{c} = Q[i, {6 + c}]" for c in planes]
        totals = [*self.gradients, *(f"L[i, {self.leaves + c}]" for c in planes)]
        self.parts |= {
            "weight": self.weight,
            "table": ", T" if has_table else "",
            "table_type": ", nb.float32[::1]" if has_table else "",
            "fetch": "\n\n\n" + read_template("numba/fetch.txt").rstrip() if has_table else "",
            "store": [*store, *(f"Q[i, {k}] = {self.splat.number(n)}" for k, n in uniforms)],
            "load": [*load, *(self.pixel.loaded(n, f"Q[i, {k}]") for k, n in uniforms)],
            "zero": [f"s{k} = f32(0)" for k in range(self.sums)],
            "total": [f"S[j, {k}] = s{k}" for k in range(self.sums)],
            "gradients": [
                f"G[i, {k}] = select(touched[i] > 0, {n}, f32(0))" for k, n in enumerate(totals)
            ],
        }

    def source(self, *loops: str) -> KernelSource:
        """The module with these loops over pixels."""
        # What loops begin and end with: the pixels of a tile; a pair, its pixels; the picture.
        for name in ("tile", "visit", "visit_again", "write"):
            self.parts[name] = fill(f"numba/{name}.txt", **self.parts)
        texts = (fill(f"numba/{name}.txt", **self.parts) for name in ("head", *loops, "finish"))
        prepared = 6 + self.channels + len(self.schedule.uniforms)
        return KernelSource("\n\n\n".join(texts), self.columns, prepared, self.leaves)
