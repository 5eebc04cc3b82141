"""The best colour and alpha of a shape, in closed form; part of the kernels of shapes."""

from artgen.compiler.jit import inline

NOTHING = 1e300
"""The score of a shape that may not be used."""


@inline
def best_listed(s0, s1, s2, s3, s4, s5, s6, s7, s8, low, high, palette):
    """The same among the colours of a palette, each with the alpha that is best for it."""
    change, alpha, best = NOTHING, low, 0
    for k in range(len(palette)):
        c0, c1, c2 = palette[k, 0], palette[k, 1], palette[k, 2]
        gain = c0 * s0 + c1 * s1 + c2 * s2 - s7
        cost = s6 * (c0 * c0 + c1 * c1 + c2 * c2) - 2 * (c0 * s3 + c1 * s4 + c2 * s5) + s8
        a = min(max(gain / max(cost, 1e-12), low), high)
        trial = a * (a * cost - 2 * gain)
        if trial < change:
            change, alpha, best = trial, a, k
    return change, alpha, palette[best, 0], palette[best, 1], palette[best, 2]


@inline
def best_colour(s0, s1, s2, s3, s4, s5, s6, s7, s8, low, high, palette):
    """The change of the error, the alpha from `low` to `high` and the colour in 0..1 of a shape.

    From the sums, over its pixels, of w·b·e (3), w·b²·u (3), w·b², w·b·e·u and w·b²·|u|², where b
    is coverage times `through`, e the error without the shape and u what is below it. The error
    then changes by −2a(c·Σwbe − Σwbeu) + a²(|c|²Σwb² − 2c·Σwb²u + Σwb²|u|²).
    """
    if len(palette) > 0:
        return best_listed(s0, s1, s2, s3, s4, s5, s6, s7, s8, low, high, palette)
    n = max(float(s6), 1e-12)
    # Without bounds on the colour, the best alpha is the top of a parabola.
    spread = max(s8 - (s3 * s3 + s4 * s4 + s5 * s5) / n, 1e-12)
    alpha = min(max(((s0 * s3 + s1 * s4 + s2 * s5) / n - s7) / spread, low), high)
    c0 = c1 = c2 = change = 0.0
    for _ in range(2):
        c0 = min(max((s0 / alpha + s3) / n, 0.0), 1.0)
        c1 = min(max((s1 / alpha + s4) / n, 0.0), 1.0)
        c2 = min(max((s2 / alpha + s5) / n, 0.0), 1.0)
        gain = c0 * s0 + c1 * s1 + c2 * s2 - s7
        cost = n * (c0 * c0 + c1 * c1 + c2 * c2) - 2 * (c0 * s3 + c1 * s4 + c2 * s5) + s8
        alpha = min(max(gain / max(cost, 1e-12), low), high)
        change = alpha * (alpha * cost - 2 * gain)
    return change, alpha, c0, c1, c2
