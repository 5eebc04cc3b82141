"""The table in the docstring of vector_math is true, and its functions become vector instructions."""

from __future__ import annotations

import functools
import re

import numba
import numpy as np
import pytest
from scipy import special

from artgen.compiler import vector_math
from artgen.compiler.elementary import MARK, with_functions
from artgen.compiler.printer import OWN, Printer

f32 = np.float32
SAMPLES = 40_001


@functools.cache
def loop(name):
    """The function over arrays, compiled with the flags of the kernels."""
    function = getattr(vector_math, name)
    options = {"fastmath": vector_math.FASTMATH, "error_model": "numpy"}
    array = numba.float32[::1]

    @numba.njit((array, array), **options)
    def unary(x, out):
        for i in range(len(x)):
            out[i] = function(x[i])

    return unary


@functools.cache
def loop_of_two(name):
    function = getattr(vector_math, name)
    options = {"fastmath": vector_math.FASTMATH, "error_model": "numpy"}
    array = numba.float32[::1]

    @numba.njit((array, array, array), **options)
    def binary(x, y, out):
        for i in range(len(x)):
            out[i] = function(x[i], y[i])

    return binary


def computed(name, *arguments):
    arguments = [np.ascontiguousarray(np.atleast_1d(a), f32) for a in arguments]
    out = np.empty_like(arguments[0])
    (loop if len(arguments) == 1 else loop_of_two)(name)(*arguments, out)
    return out.astype(np.float64)


def spread(low, high):
    return np.linspace(low, high, SAMPLES).astype(f32)


def scales(low, high):
    """Of both signs, spread over orders of magnitude."""
    sizes = np.geomspace(low, high, SAMPLES // 2)
    return np.concatenate([-sizes, [0.0], sizes]).astype(f32)


def relative(found, expected):
    size = np.maximum(np.abs(expected), np.finfo(f32).tiny)
    return np.abs(found - expected) / size


def absolute(found, expected):
    return np.abs(found - expected)


def both(found, expected):
    return np.abs(found - expected) / (1 + np.abs(expected))


TABLE = {
    "exp": (np.exp, spread(-87, 88), relative, 2e-7),
    "expm1": (np.expm1, np.concatenate([spread(-20, 88), scales(1e-20, 0.5)]), relative, 3e-7),
    "log": (np.log, np.geomspace(1e-37, 1e38, SAMPLES).astype(f32), both, 3e-7),
    "log1p": (
        np.log1p,
        np.concatenate([spread(-0.99, 1), np.geomspace(1e-20, 1e6, SAMPLES).astype(f32)]),
        both,
        4e-7,
    ),
    "sin": (np.sin, np.concatenate([spread(-3000, 3000), spread(-7, 7)]), absolute, 3e-7),
    "cos": (np.cos, np.concatenate([spread(-3000, 3000), spread(-7, 7)]), absolute, 3e-7),
    "tan": (np.tan, np.concatenate([spread(-1.55, 1.55), spread(1.6, 4.6)]), relative, 2e-6),
    "tanh": (np.tanh, np.concatenate([scales(1e-20, 1e3), spread(-12, 12)]), relative, 3e-7),
    "sigmoid": (special.expit, spread(-86, 100), relative, 3e-7),
    "atan": (np.arctan, np.concatenate([scales(1e-20, 1e20), spread(-4, 4)]), absolute, 3e-7),
    "erf": (special.erf, np.concatenate([scales(1e-20, 1e3), spread(-5, 5)]), absolute, 3e-7),
    "floor": (np.floor, spread(-100, 100), absolute, 0),
    "trunc": (np.trunc, spread(-100, 100), absolute, 0),
    "sign": (np.sign, scales(1e-30, 1e30), absolute, 0),
}


@pytest.mark.parametrize("name", TABLE)
def test_errors(name):
    reference, x, error, limit = TABLE[name]
    assert error(computed(name, x), reference(x.astype(np.float64))).max() <= limit


LIMITS = {name: row[3] for name, row in TABLE.items() if row[3]} | {"atan2": 5e-7, "power": 3e-6}


@pytest.mark.parametrize("name", LIMITS)
def test_the_docstring_has_the_limit_that_is_tested(name):
    rows = re.findall(r"^(\S.*?)  .*(\de-\d)", vector_math.__doc__, re.MULTILINE)
    table = {function: float(limit) for names, limit in rows for function in names.split(", ")}
    assert table[name] == LIMITS[name]


def test_atan2():
    around = np.linspace(-np.pi, np.pi, 4001)
    for size in (1e-10, 1.0, 1e10):
        x, y = (size * np.cos(around)).astype(f32), (size * np.sin(around)).astype(f32)
        expected = np.arctan2(y.astype(np.float64), x.astype(np.float64))
        assert absolute(computed("atan2", y, x), expected).max() <= 5e-7


@pytest.mark.parametrize(
    ("y", "x", "angle"),
    [(0, 0, 0), (0, 1, 0), (0, -1, np.pi), (1, 0, np.pi / 2), (-1, 0, -np.pi / 2)],
)
def test_atan2_on_the_axes(y, x, angle):
    assert computed("atan2", y, x)[0] == pytest.approx(angle, abs=5e-7)


def test_power():
    rng = np.random.default_rng(0)
    base = np.exp(rng.uniform(-5, 5, SAMPLES)).astype(f32)
    exponent = (rng.uniform(-20, 20, SAMPLES) / np.maximum(np.abs(np.log(base)), 1)).astype(f32)
    expected = base.astype(np.float64) ** exponent.astype(np.float64)
    assert relative(computed("power", base, exponent), expected).max() <= 3e-6


@pytest.mark.parametrize(
    ("base", "exponent", "expected"),
    [(0, 2, 0), (0, 0, 1), (3, 0, 1), (-2, 3, -8), (-2, 2, 4), (-2, 0.5, np.nan)],
)
def test_power_of_numbers_that_are_not_positive(base, exponent, expected):
    np.testing.assert_allclose(computed("power", base, exponent)[0], expected, rtol=3e-6)


def test_minimum_and_maximum():
    x, y = spread(-1, 1), spread(2, -2)
    np.testing.assert_array_equal(computed("minimum", x, y), np.minimum(x, y))
    np.testing.assert_array_equal(computed("maximum", x, y), np.maximum(x, y))


@pytest.mark.parametrize("name", TABLE)
def test_nan_stays_nan(name):
    assert np.isnan(computed(name, np.nan)[0])


@pytest.mark.parametrize("name", ["minimum", "maximum", "atan2", "power"])
def test_nan_of_either_argument_stays_nan(name):
    found = computed(name, [np.nan, 2.0, np.nan], [2.0, np.nan, np.nan])
    assert np.isnan(found).all()


@pytest.mark.parametrize(
    ("name", "x", "expected"),
    [
        ("exp", 1e4, np.exp(88)),
        ("exp", np.inf, np.exp(88)),
        ("exp", -np.inf, np.exp(-87)),
        ("log", 0, -np.inf),
        ("log", np.inf, np.inf),
        ("log", -1, np.nan),
        ("tanh", np.inf, 1),
        ("tanh", -np.inf, -1),
        ("sigmoid", np.inf, 1),
        ("atan", np.inf, np.pi / 2),
        ("erf", -np.inf, -1),
    ],
)
def test_the_ends(name, x, expected):
    np.testing.assert_allclose(computed(name, x)[0], expected, rtol=1e-5)


@pytest.mark.parametrize("name", [*TABLE, "minimum", "maximum", "atan2", "power"])
def test_a_loop_becomes_vector_instructions(name):
    two = name in ("minimum", "maximum", "atan2", "power")
    (code,) = (loop_of_two if two else loop)(name).inspect_llvm().values()
    assert re.search(r"<(4|8|16) x float>", code)
    # A function of the C library would be called once per number.
    assert not re.search(rf"call [^\n]*@_?{name}f?\(", code)


class NumpyPrinter(Printer):
    """Prints functions of arrays, in a language that has none of its own."""

    templates = {
        **Printer.templates,
        **OWN,
        **{name: f"np.{name}({{}})" for name in ("abs", "sqrt", "floor", "trunc")},
        "where": "np.where({}, {}, {})",
        "is_nan": "np.isnan({})",
        "is_infinite": "{} == np.inf",
        "fused": "({0}.astype(np.float64) * {1} + {2}).astype(np.float32)",
        "float": "{}.astype(np.float32)",
        "whole": "np.clip(np.nan_to_num({}), -(2**31), 2**31 - 128).astype(np.int32)",
        "bits": "{}.view(np.int32)",
        "float_of_bits": "{}.view(np.float32)",
        "whole_add": "{} + {}",
        "whole_sub": "{} - {}",
        "whole_and": "{} & {}",
        "left": "{} << {}",
        "right": "{} >> {}",
    }

    def constant(self, number):
        return f"np.float32({float(number)!r})".replace("inf", "np.inf").replace("nan", "np.nan")

    def function(self, name, parameters, lines, result):
        body = "\n    ".join([*lines, f"return {result}"])
        return f"def {name}({', '.join(parameters)}):\n    {body}\n"


@functools.cache
def printed():
    functions = {"np": np}
    exec(with_functions(NumpyPrinter, f"{MARK}\n# {' '.join(OWN.values())}"), functions)
    return functions


@pytest.mark.parametrize("name", [name for name in (*TABLE, "atan2", "power") if name in LIMITS])
def test_what_is_printed_for_other_languages_is_the_same_function(name):
    ends = np.array([0, -0.0, 1, -1, 2, -2, 0.5, 1e4, np.inf, -np.inf, np.nan, 3, 200], f32)
    arguments = [ends if name in ("atan2", "power") else np.concatenate([TABLE[name][1], ends])]
    if len(arguments[0]) == len(ends):
        arguments = [each.ravel() for each in np.meshgrid(ends, ends)]
    with np.errstate(all="ignore"):
        found = printed()[f"{name}_of"](*arguments)
    # Compiled, products and sums may be joined and divisions shared.
    np.testing.assert_allclose(found, computed(name, *arguments), rtol=2e-6, atol=3e-7)
