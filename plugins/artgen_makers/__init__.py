"""Kinds of things to make that artgen ships: `artgen make --list`."""

_KINDS = {
    "string": ("String art: nails, threads as lists, a page that reads aloud", "string:String"),
    "cross-stitch": ("Cross-stitch: charts in colours of DMC floss", "grids:CrossStitch"),
    "beads": ("Fused beads: charts at 1:1 for boards of pegs", "grids:Beads"),
    "paint": ("Painting by numbers: outlines, colours and mixtures", "paint:PaintByNumbers"),
    "filament": ("Layered prints: relief, swaps of filament", "filament:FilamentPainting"),
    "lithophane": ("Prints for a lamp: thin is bright", "filament:Lithophane"),
    "embroidery": ("Embroidery: DST, PES, EXP, JEF, VP3 for machines", "embroidery:Embroidery"),
    "plotter": ("Pen plotters: G-code and HPGL, a file for each pen", "plotter:Plotter"),
    "swatches": ("A sheet to try pens in, for plotter --pens-from", "swatches:Swatches"),
    "paper": ("Cut paper in layers, each of one piece", "paper:Paper"),
    "glass": ("Stained glass: a cartoon of pieces that can be cut", "glass:Glass"),
    "stencil": ("Stencils: a sheet with holes for each paint", "stencil:Stencil"),
    "block": ("Linocut and woodcut: a mirrored block for each ink", "block:Block"),
    "quilt": ("Quilts of straight seams, with templates", "quilt:Quilt"),
    "fabric": ("Repeats for textile printing: half drop, brick, any group", "fabric:Fabric"),
    "poster": ("Posters with a title, bleed and marks", "prints:Poster"),
    "calendar": ("A year below the picture", "prints:Calendar"),
    "postcards": ("Postcards, as many as fit on a sheet", "prints:Postcards"),
    "bricks": ("Mosaics of plates with studs, merged, from a stock", "bricks:Bricks"),
}
MAKERS = {name: (summary, f"artgen_makers.{place}") for name, (summary, place) in _KINDS.items()}
"""Summary and place of each, by name."""
