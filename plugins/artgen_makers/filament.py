"""Pictures of filament: a relief in layers whose colours shine through, and lithophanes for a lamp.

Light that passes a layer falls exponentially (Beer and Lambert), so that each height of a stack of
filaments has a colour of its own. The stack is searched whose colours come closest to the picture;
then each point gets the height that suits it and its neighbours.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import resources
from typing import Any, ClassVar, NamedTuple
from xml.sax.saxutils import escape

import numpy as np
from numpy.typing import NDArray

from artgen import option
from artgen.errors import UsageError
from artgen.making import Made, Maker, Motif, Part, hex_colour, parse_colour
from artgen.targets import linear_to_srgb, srgb_to_linear
from artgen_makers.grids import Floats, Pixels, differences, grouped, read_rows
from artgen_makers.guide import MARGIN, Guide, guides, levels_of

Heights = NDArray[np.int64]

FRONT, BEHIND = 16.0, 3.0
"""Exponents of light at a transmission distance: twice through and scattered, and once."""
TABLE = 0.3
"""How much light comes back from below the base."""
MOST_POINTS = 400_000
MOST_LAYERS = 120
STARTS = 10
"""Stacks from which the search begins."""
DETOUR = 0.25
"""Squared difference that the search gives for a way of colours that is one shorter."""
CALM, EDGE = 1.5, 0.35
"""What a point pays beside another colour at most, and for the colours of the slope between."""
STEP = 0.05
"""About the step in mm of the light of a lithophane, between which it is interpolated."""
DIAMETER = 1.75
"""Of a filament, in mm."""
LIGHTING = 0.12
EXAMPLE = "White,#f4f2ee,5.0"


class Filament(NamedTuple):
    """A filament: its name, ``#rrggbb``, and its transmission distance in mm."""

    name: str
    colour: str
    td: float


class Block(NamedTuple):
    """Layers of one filament: its index, and the first layer above the base and the one after."""

    filament: int
    start: int
    end: int


@dataclass(frozen=True)
class LithophaneOptions:
    """Options of lithophanes."""

    width: float = option(120.0, "width of the print in mm", low=20, high=2000)
    detail: float = option(0.4, "distance of points in mm, as wide as a line", low=0.1, high=5)
    base: float = option(0.8, "least thickness in mm", low=0.1, high=10)
    thickness: float = option(3.2, "most thickness in mm", low=0.2, high=20)
    td: float = option(2.5, "transmission distance in mm: there a lamp is hardly seen", low=0.1)


@dataclass(frozen=True)
class FilamentOptions:
    """Options of pictures of filament."""

    width: float = option(150.0, "width of the print in mm", low=20, high=2000)
    detail: float = option(0.4, "distance of points in mm, as wide as a line", low=0.1, high=5)
    layer: float = option(0.08, "height of a layer in mm", low=0.02, high=1)
    base: float = option(0.48, "thickness of the base in mm", low=0.04, high=10)
    thickness: float = option(2.4, "most thickness in mm", low=0.2, high=20)
    swaps: int = option(6, "most changes of the filament", low=0, high=40)
    spools: int = option(5, "most different filaments", low=1, high=16)
    filaments: str = option("", f"a table of what is there: lines of {EXAMPLE}; empty: usual ones")


class Relief(Maker):
    """A plate whose thickness carries the picture."""

    takes_photos = True
    title: ClassVar[str] = ""
    steps: ClassVar[Sequence[str]] = ()

    def stack(self, lab: Floats, weight: Floats) -> list[Block]:
        """Return the layers above the base for a picture of these colours, so often each."""
        raise NotImplementedError

    def shown(self, stack: Sequence[Block]) -> Floats:
        """Return the colour of each height above the base, sRGB-encoded [layers + 1, 3]."""
        raise NotImplementedError

    def wanted(self, picture: Pixels) -> Floats:
        """Return the colours, Lab [rows, columns, 3], that the print should have."""
        from skimage.color import rgb2lab

        return np.asarray(rgb2lab(picture))

    def settled(self, lab: Floats, colours: Floats) -> Floats:
        """Return the height of each point in layers above the base, [rows, columns]."""
        return settled(lab, _lab(colours)).astype(float)

    @cached_property
    def layers(self) -> tuple[float, int, float]:
        """How many layers the base has, how many are above it, and their height in mm.

        Raises UsageError.
        """
        # A lithophane has no option for its layers.
        o, layer = self.options, getattr(self.options, "layer", STEP)
        base = max(1, round(o.base / layer))
        above = int(o.thickness / layer + 1e-6) - base
        flags = [f"--{each}" for each in ("base", "thickness", "layer") if hasattr(o, each)]
        told = f"{above} layers of {layer:g} mm above it, more than {MOST_LAYERS},"
        if not 1 <= above <= MOST_LAYERS:
            raise UsageError(
                f"a base of {o.base:g} mm leaves {told if above > 0 else 'no layer'} below a "
                f"--thickness of {o.thickness:g} mm",
                hint=f"change {' or '.join(flags)}",
            )
        return base, above, layer

    def make(self, motif: Motif) -> Made:
        """Search the stack, give each point its height, and write meshes and swaps."""
        o, (base, _, layer) = self.options, self.layers
        self.filament(0)  # What is wrong with a table is told at once.
        columns = round(o.width / o.detail) + 1
        rows = max(2, round((columns - 1) / motif.aspect) + 1)
        if columns * rows > MOST_POINTS:
            raise UsageError(
                f"{columns} x {rows} points are more than the {MOST_POINTS:,} of a print",
                hint="use a larger --detail or a smaller --width",
            )
        lab = self.wanted(motif.picture(columns, rows))
        stack = self.stack(*grouped(lab.reshape(-1, 3)))
        colours = self.shown(stack)
        heights = self.settled(lab, colours)
        top = int(np.ceil(heights.max()))
        # The stack as high as the print is: the search may leave its last layers out.
        stack = [b._replace(end=min(b.end, top)) for b in stack if b.start < top] or stack[:1]
        pitch = o.width / (columns - 1)
        vertices, triangles = surface((base + heights) * layer, pitch)
        size = f"{o.width:.0f} x {(rows - 1) * pitch:.0f} mm"
        title = f"{motif.name}, {size}"
        files = {
            "model.stl": stl(vertices, triangles, motif.origin),
            "model.3mf": threemf(vertices, triangles, title, motif),
        }
        files |= self.tables(stack, motif)
        volumes = layer * pitch**2 * _volumes(heights, base, stack)
        made = Made(files, self.parts(stack, volumes), finished(heights, colours))
        steps = [step.format(size=size, **vars(o)) for step in self.steps]
        return guides(motif, self.title, made, steps, lambda guide: self.charts(guide, stack))

    def filament(self, index: int) -> Filament:
        """The filament of a block."""
        raise NotImplementedError

    def parts(self, stack: Sequence[Block], volumes: Floats) -> list[Part]:
        """How much is needed of each filament; `volumes` in mm³ are those of the blocks."""
        sums: dict[Filament, float] = {}
        for block, volume in zip([Block(stack[0].filament, 0, 0), *stack], volumes, strict=True):
            filament = self.filament(block.filament)
            sums[filament] = sums.get(filament, 0) + float(volume)
        area = np.pi * DIAMETER**2 / 4
        return [
            Part("filament", f"{one.name}, {DIAMETER:g} mm", one.colour, length=volume / area)
            for one, volume in sums.items()
        ]

    def tables(self, stack: Sequence[Block], motif: Motif) -> dict[str, bytes]:
        """Files beside the meshes."""
        return {}

    def charts(self, guide: Guide, stack: Sequence[Block]) -> None:
        """Add pages to the guide."""


class Lithophane(Relief):
    """A relief that shows the picture before a lamp: thin is bright."""

    Options: ClassVar[type[Any]] = LithophaneOptions
    title = "lithophane"
    steps = (
        "Print {size} in white, upright: thickness is then as fine as the printer moves.",
        "Let all be solid: 100 % infill, or walls alone.",
        "Light it from behind: the picture shows it before a lamp.",
        "Where it is too dark, give the --td of the filament, or a smaller --thickness.",
    )

    @cached_property
    def layers(self) -> tuple[float, int, float]:
        """Steps of light from the base to the most thickness, both as they were asked for."""
        o, (_, above, _) = self.options, super().layers
        layer = round((o.thickness - o.base) / above, 9)
        return o.base / layer, above, layer

    def wanted(self, picture: Pixels) -> Floats:
        """Return the lightness alone, from that of the most thickness to that of the base."""
        lightness = super().wanted(picture)[..., 0]
        low, high = np.percentile(lightness, (0.5, 99.5))
        darkest = _lab(self.shown([]))[-1, 0]
        share = ((lightness - low) / max(high - low, 1)).clip(0, 1)
        return np.asarray((darkest + (100 - darkest) * share)[..., None] * (1, 0, 0))

    def settled(self, lab: Floats, colours: Floats) -> Floats:
        """Return the height that has the lightness."""
        light = _lab(colours)[::-1, 0]
        return np.interp(lab[..., 0], light, np.arange(len(light))[::-1])

    def stack(self, lab: Floats, weight: Floats) -> list[Block]:
        """Return one block."""
        return [Block(0, 0, self.layers[1])]

    def shown(self, stack: Sequence[Block]) -> Floats:
        """Return the light behind each thickness, beside that of the base."""
        thick = np.arange(self.layers[1] + 1) * self.layers[2]
        return _encoded(np.exp(-BEHIND * thick / self.options.td)[:, None].repeat(3, 1))

    def filament(self, index: int) -> Filament:
        """White."""
        return Filament("White", "#f4f2ee", self.options.td)


class FilamentPainting(Relief):
    """A picture in layers: the filament is changed a few times, for the whole plate."""

    Options: ClassVar[type[Any]] = FilamentOptions
    title = "filament painting"
    steps = (
        "Slice {size} flat: layers of {layer:g} mm, the first too, 100 % infill, no supports.",
        "Begin with the first filament of the table, and change it at each layer that it names.",
        "Colours are computed from each filament's transmission distance: print a small one first.",
    )

    @cached_property
    def filaments(self) -> list[Filament]:
        """Those of the user, or usual ones. Raises InputError, UsageError."""
        usual = resources.files(__package__) / "colours/filaments.csv"
        path = self.options.filaments or str(usual)
        found = []
        for number, row in read_rows(path, "filaments", EXAMPLE):
            if number == 1 and "#" not in "".join(row) and not row[-1][-1:].isdigit():
                continue
            try:
                name, colour, td = row
                found.append(Filament(name, hex_colour(parse_colour(colour)), float(td)))
                good = 0.05 <= found[-1].td <= 100
            except ValueError:
                good = False
            if not good:
                raise UsageError(
                    f"{path}, line {number}: {','.join(row)!r} is no filament",
                    hint=f"write {EXAMPLE}: name, colour, transmission distance in mm",
                )
        if not 1 <= len(found) <= 40:
            hint = f"give 1 to 40: lines such as {EXAMPLE}"
            raise UsageError(f"{path} has {len(found)} filaments", hint=hint)
        return found

    def filament(self, index: int) -> Filament:
        """That of the table."""
        return self.filaments[index]

    @cached_property
    def light(self) -> tuple[Floats, Floats]:
        """Linear colours of the filaments [N, 3], and what a layer of each lets through [N]."""
        encoded = np.array([parse_colour(each.colour) for each in self.filaments], np.float32)
        distances = np.array([each.td for each in self.filaments])
        return srgb_to_linear(encoded).astype(float), np.exp(
            -FRONT * self.options.layer / distances
        )

    def shown(self, stack: Sequence[Block]) -> Floats:
        """Lay the layers over one another."""
        colours, passing = self.light
        first = stack[0].filament
        through = passing[first] ** self.layers[0]
        seen = [TABLE * through + colours[first] * (1 - through)]
        for block in stack:
            for _ in range(block.start, block.end):
                through = passing[block.filament]
                seen.append(seen[-1] * through + colours[block.filament] * (1 - through))
        return _encoded(np.array(seen))

    def stack(self, lab: Floats, weight: Floats) -> list[Block]:
        """Search stacks from dark to light and from seeded others, by exchanges and shifts."""
        rng, count = np.random.default_rng(0), len(self.filaments)
        above, most = self.layers[1], min(self.options.swaps + 1, self.layers[1])
        bright = np.argsort(self.light[0].sum(1))
        best: tuple[float, list[int], list[int]] | None = None
        for start in range(STARTS):
            order = bright[np.linspace(0, count - 1, most).astype(int)]
            if start:
                order = rng.integers(0, count, most)
            kinds = self._few(order.tolist())
            ends = np.linspace(0, above, most + 1).astype(int)[1:].tolist()
            found = self._climbed(kinds, ends, lab, weight)
            if best is None or found[0] < best[0]:
                best = found
        assert best is not None
        return _blocks(best[1], best[2])

    def _few(self, kinds: list[int]) -> list[int]:
        """Replace filaments beyond the number of spools by those before."""
        kept = list(dict.fromkeys(kinds))[: self.options.spools]
        return [kind if kind in kept else kept[k % len(kept)] for k, kind in enumerate(kinds)]

    def _climbed(
        self, kinds: list[int], ends: list[int], lab: Floats, weight: Floats
    ) -> tuple[float, list[int], list[int]]:
        """Change a filament, exchange all of one kind or shift a seam while it pays."""

        @cache
        def cost(*stack: Block) -> float:
            seen = _lab(self.shown(stack))
            apart = (lab**2).sum(1)[:, None] - 2 * lab @ seen.T + (seen**2).sum(1)
            way = np.linalg.norm(np.diff(seen, axis=0), axis=1).sum()
            return float(weight @ apart.min(1) / weight.sum() + DETOUR * way)

        least, above = cost(*_blocks(kinds, ends)), ends[-1]
        while True:
            before = least
            for place in range(len(kinds)):
                changed = [(place, kind) for kind in range(len(self.filaments))]
                options = [([*kinds[:k], kind, *kinds[k + 1 :]], ends) for k, kind in changed]
                options += [
                    ([kind if each == kinds[place] else each for each in kinds], ends)
                    for kind in range(len(self.filaments))
                ]
                for shift in (-4, -2, -1, 1, 2, 4) if place < len(kinds) - 1 else ():
                    shifted = [*ends[:place], ends[place] + shift, *ends[place + 1 :]]
                    if shifted == sorted(shifted) and shifted[0] >= 0 and shifted[-1] == above:
                        options.append((kinds, shifted))
                for new, other in options:
                    if len(set(new)) <= self.options.spools:
                        found = cost(*_blocks(new, other))
                        if found < least - 1e-6:
                            least, kinds, ends = found, new, other
            if least > 0.999 * before:
                return least, kinds, ends

    def tables(self, stack: Sequence[Block], motif: Motif) -> dict[str, bytes]:
        """The layers at which the filament is changed."""
        head = ["layer", "z in mm", "filament", "colour", "transmission distance in mm"]
        rows = [[n, z, *filament] for n, z, filament in self.swaps(stack)]
        return {"swaps.csv": motif.table(head, *rows)}

    def swaps(self, stack: Sequence[Block]) -> list[tuple[int, float, Filament]]:
        """The number of the first layer of each filament, from 1, its height and the filament."""
        base = round(self.layers[0])
        firsts = [base + block.start if block.start else 0 for block in stack]
        return [
            (first + 1, round(first * self.options.layer, 3), self.filaments[block.filament])
            for first, block in zip(firsts, stack, strict=True)
        ]

    def charts(self, guide: Guide, stack: Sequence[Block]) -> None:
        """The stack from the side, 40 times as high, with the layers of the swaps."""
        sheet = guide.page("Swaps")
        # Labels are 5 mm apart, and may need more room than the stack.
        room = guide.height - 30 - 5 * len(stack)
        scale = min(40.0, room / self.options.thickness)
        tops = [z for _, z, _ in self.swaps(stack)][1:]
        rises = [0.0]
        for z in tops:
            rises.append(max(z * scale, rises[-1] + 5))
        tops.append((self.layers[0] + stack[-1].end) * self.options.layer)
        bottom = MARGIN + 20 + max(scale * self.options.thickness, rises[-1])
        for (layer, z, filament), top, rise in zip(self.swaps(stack), tops, rises, strict=True):
            y, line = bottom - top * scale, bottom - rise
            sheet.box(MARGIN, y, 40, (top - z) * scale, fill=filament.colour)
            told = f"layer {layer}, z = {z:g} mm: {filament.name}"
            sheet.line([(MARGIN + 40, bottom - z * scale), (MARGIN + 46, line - 1.2)], 0.15)
            sheet.text(MARGIN + 47, line, told, 3.6)


def _blocks(kinds: Sequence[int], ends: Sequence[int]) -> list[Block]:
    """Join neighbours of one filament, without those that have no layer."""
    blocks: list[Block] = []
    start = 0
    for kind, end in zip(kinds, ends, strict=True):
        if end > start:
            if blocks and blocks[-1].filament == kind:
                start = blocks.pop().start
            blocks.append(Block(kind, start, end))
            start = end
    return blocks


def settled(lab: Floats, seen: Floats) -> Heights:
    """Return the height of each point, [rows, columns]: a colour `seen` that is near, and calm.

    Iterated conditional modes (Besag, 1986) in four colours of points: each takes what costs least
    beside its neighbours.
    """
    cost = np.stack([differences(row, seen).astype(np.float32) for row in lab])
    heights: Heights = cost.argmin(2)
    apart = differences(seen, seen)
    steps = (CALM * np.minimum(apart / 20, 1) + EDGE * _between(apart)).astype(np.float32)
    for _ in range(4):
        for odd in (0, 1), (1, 0), (0, 0), (1, 1):
            part = np.s_[odd[0] :: 2, odd[1] :: 2]
            wide = np.pad(heights, 1, mode="edge")
            total = cost[part].copy()
            for y, x in ((0, 1), (2, 1), (1, 0), (1, 2)):
                beside = wide[y : y + heights.shape[0], x : x + heights.shape[1]]
                total += steps[beside[part]]
            heights[part] = total.argmin(2)
    return heights


def _between(apart: Floats) -> Floats:
    """Return the most that a colour between two heights differs from both: [levels, levels]."""
    found = np.zeros_like(apart)
    for low in range(len(apart)):
        for high in range(low + 2, len(apart)):
            way = np.minimum(apart[low, low + 1 : high], apart[high, low + 1 : high])
            found[low, high] = found[high, low] = way.max()
    return found


def _volumes(heights: Floats, base: float, stack: Sequence[Block]) -> Floats:
    """Return the layers of the base and of each block, summed over the squares between points."""
    corners = [heights[y : y - 1 or None, x : x - 1 or None] for y in (0, 1) for x in (0, 1)]

    def mean(b: Block) -> float:
        return sum(float(np.clip(e - b.start, 0, b.end - b.start).mean()) for e in corners) / 4

    return np.array([each * corners[0].size for each in (base, *map(mean, stack))])


def surface(heights: Floats, pitch: float) -> tuple[Floats, Heights]:
    """Return vertices [N, 3] in mm and triangles [M, 3] of a closed relief on the plane z = 0.

    `heights` in mm are those of points `pitch` mm apart, the upper row first.
    """
    rows, columns = heights.shape
    y, x = np.mgrid[rows - 1 : -1 : -1, :columns] * pitch
    top = np.stack([x, y, heights], 2).reshape(-1, 3)
    index = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, :-1], index[1:, 1:]
    faces = [np.stack(each, 2).reshape(-1, 3) for each in ((a, c, d), (a, d, b))]
    # The border, so that what is solid is at its left: down, right, up, left.
    border = np.concatenate([index[:-1, 0], index[-1, :-1], index[:0:-1, -1], index[0, :0:-1]])
    below = len(top) + np.arange(len(border))
    after, below_after = np.roll(border, -1), np.roll(below, -1)
    centre = np.full(len(border), len(top) + len(border))
    faces += [
        np.stack(each, 1)
        for each in (
            (border, below, below_after),
            (border, below_after, after),
            (below, centre, below_after),
        )
    ]
    ground = top[border] * (1, 1, 0)
    middle = [[x.max() / 2, y.max() / 2, 0]]
    return np.concatenate([top, ground, middle]), np.concatenate(faces)


def stl(vertices: Floats, triangles: Heights, origin: str) -> bytes:
    """Encode a mesh as binary STL; its header has the beginning of `origin`."""
    corners = vertices[triangles].astype("<f4")
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    records = np.zeros(len(corners), [("mesh", "<f4", (4, 3)), ("attribute", "<u2")])
    records["mesh"] = np.concatenate([normals[:, None], corners], 1)
    header = origin.encode("ascii", "replace")[:80].ljust(80)
    return header + len(corners).to_bytes(4, "little") + records.tobytes()


def threemf(vertices: Floats, triangles: Heights, title: str, motif: Motif) -> bytes:
    """Encode a mesh as 3MF (core specification 1.3) in mm, with the origin and the recipe."""
    points = "".join(f'<vertex x="{x:.3f}" y="{y:.3f}" z="{z:.3f}"/>' for x, y, z in vertices)
    faces = "".join(f'<triangle v1="{a}" v2="{b}" v3="{c}"/>' for a, b, c in triangles)
    told = {"Title": title, "Application": "artgen", "Description": motif.origin}
    data = "".join(f'<metadata name="{k}">{escape(text)}</metadata>' for k, text in told.items())
    head = '<?xml version="1.0" encoding="UTF-8"?>\n'
    schemas, kinds = "http://schemas.openxmlformats.org", "application/vnd"
    model = (
        f'{head}<model unit="millimeter" xmlns="http://schemas.microsoft.com/3dmanufacturing/core'
        f'/2015/02">{data}<resources><object id="1" type="model"><mesh><vertices>{points}'
        f"</vertices><triangles>{faces}</triangles></mesh></object></resources>"
        '<build><item objectid="1"/></build></model>'
    )
    types = (
        f'{head}<Types xmlns="{schemas}/package/2006/content-types"><Default Extension="rels" '
        f'ContentType="{kinds}.openxmlformats-package.relationships+xml"/><Default Extension='
        f'"model" ContentType="{kinds}.ms-package.3dmanufacturing-3dmodel+xml"/></Types>'
    )
    related = (
        f'{head}<Relationships xmlns="{schemas}/package/2006/relationships"><Relationship '
        'Target="/3D/3dmodel.model" Id="rel0" '
        'Type="http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel"/></Relationships>'
    )
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in (
            ("[Content_Types].xml", types),
            ("_rels/.rels", related),
            ("3D/3dmodel.model", model),
        ):
            # With the time of now, equal prints would have other bytes.
            archive.writestr(zipfile.ZipInfo(name), text, zipfile.ZIP_DEFLATED)
    return written.getvalue()


def finished(heights: Floats, colours: Floats) -> Pixels:
    """Show the print, with light from above on its steps."""
    from PIL import Image

    scale = max(1, round(1600 / max(heights.shape)))
    size = heights.shape[1] * scale, heights.shape[0] * scale
    smooth = np.asarray(
        Image.fromarray(heights.astype(np.float32)).resize(size, Image.Resampling.BILINEAR)
    )
    slope = np.gradient(smooth, axis=0) + np.gradient(smooth, axis=1)
    seen = colours[np.rint(smooth).astype(int)] * (1 + LIGHTING * np.tanh(slope))[..., None]
    return levels_of(seen)


def _encoded(linear: Floats) -> Floats:
    return linear_to_srgb(linear.astype(np.float32)).astype(np.float64)


def _lab(colours: Floats) -> Floats:
    from skimage.color import rgb2lab

    return np.asarray(rgb2lab(colours[None])[0])
