"""`artgen.fit` and `artgen.stream`; their arguments are those that keys of recipes declare.

Type checkers read `calls.pyi`, which `make declared` writes.
"""

import inspect

from artgen.api.memory import fit_in_memory
from artgen.api.streams import Stream
from artgen.recipe import keywords


def fit(target, primitive="gaussian", **options):
    """Fit `primitive` to `target` and return the art.

    `target` is a path, a name such as ``"sample:astronaut"`` or ``"curve:sin(x)"``, a Pillow image,
    an array [height, width] or [height, width, channels] of uint8, uint16 or floats in 0..1, or
    what `curve_from_samples`, `points_from_samples` and `set_from_arrays` make. `primitive`,
    `engine`, `loss` and `target` may also be the class or the function that a plugin would offer:
    it is registered first (`register`). `size` is the long side while fitting, in pixels, or both
    sides, ``"1080x1080"``. To these, or to the aspect ratio `crop`, ``"9:16"``, a picture is
    cropped around the point `crop_at`, ``"auto"`` or ``"0.5,0.3"``; with `pad`, a colour or
    ``"background"``, it gets a border instead. A `count` of ``"auto"`` adds parts while they help,
    and `target_bytes` takes as many as fit into an `.art` file of this many bytes at `precision`;
    `time` is in seconds;
    `seed` is random where not given and stored in ``art.recipe``; a `background` of ``"auto"`` is
    black, for shapes the target's mean colour; a `palette` holds the only colours that parts and
    such a background may have: a list, a text as for ``--palette``, a file, or how many to learn.
    With `tiles`, their side in pixels, a picture of any size is fitted in tiles, at its own size
    unless another is asked for; pictures of more than `max_pixels` (None: 64 million) are refused.
    `focus` is where detail matters: ``"auto"``, circles or a file, as for ``--focus``.
    Every other keyword is an option of the primitive, `engine_options` are those of the engine.
    With `polish` a second stage, of `gradient`, refines the shapes that were found: `steps`, `loss`
    and `target_psnr` are then its own, `time` is that of both, half each, and `engine_options` are
    of the first. Of each stage `history` drawings are kept as ``art.film``, from 2 on; None keeps a
    light history instead (`Art.trajectory`), 0 none.
    `observe` is called with every event of `artgen.events`; once it returns True, the fit ends with
    its best drawing so far. The evaluations are kept as ``art.history``.

    Raises InputError, PluginError, UsageError, Diverged, OutOfMemory.
    """
    return fit_in_memory(target, primitive, **options)


def stream(target, primitive="gaussian", **options):
    """Fit step by step: `for step in artgen.stream("photo.jpg", count=500): ...`.

    The arguments are those of `fit`. See `Stream` and `Step`.
    """
    return Stream(lambda: fit_in_memory(target, primitive, **options))


def _arguments():
    only = inspect.Parameter.KEYWORD_ONLY
    fixed = inspect.signature(fit).parameters
    beside = list(inspect.signature(fit_in_memory).parameters.values())[2:-1]
    declared = [
        inspect.Parameter(name, only, default=key.keyword_default, annotation=key.keyword_type)
        for name, _, key in keywords()
    ]
    *own, options = fixed.values()
    return inspect.Signature([*own, *declared, *(p.replace(kind=only) for p in beside), options])


fit.__signature__ = stream.__signature__ = _arguments()
