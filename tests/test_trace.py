"""Programs, run number by number in Python, against torch: values and gradients."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from artgen import Param, Splat
from artgen.compiler.ir import DX, DY, IR, OPERATIONS, G
from artgen.compiler.record import Untraceable, trace
from artgen.compiler.schedule import Schedule
from artgen.primitives import Params
from artgen_plugins.fourier import Fourier

SHAPES = {"angle": (), "scale": (2,), "series": (5,), "grid": (2, 3)}


def splat(formula, **params):
    """A splat with this footprint, and parameters of many shapes."""

    class Formula(Splat):
        def footprint(self, dx, dy, p):
            return formula(dx, dy, p)

        def radius(self, p):
            return p.scale[0]

    Formula.params = params or {name: Param(*shape) for name, shape in SHAPES.items()}
    return Formula()


def evaluate(ir: IR, pixel, parameters):
    """Every value of a ir as a float64 number."""
    inputs = dict(zip((DX, DY, G), pixel, strict=True))
    inputs |= {n: parameters[name][index] for (name, index), n in ir.inputs.items()}
    numbers = []
    for n, value in enumerate(ir.values):
        if value.operation == "input":
            numbers.append(np.float64(inputs[n]))
        elif value.operation == "constant":
            numbers.append(np.float64(value.constant))
        else:
            arguments = [numbers[argument] for argument in value.arguments]
            with np.errstate(all="ignore"):
                numbers.append(np.float64(OPERATIONS[value.operation](*arguments)))
    return numbers


def agree(formula, trials=4, seed=0, low=-1.5, high=1.5):
    """Value and all gradients equal torch's, at a few random places."""
    owner = splat(formula)
    ir = trace(owner)
    rng = torch.Generator().manual_seed(seed)

    def random(*shape):
        return low + (high - low) * torch.rand(shape, generator=rng, dtype=torch.float64)

    for _ in range(trials):
        g = random()
        dx, dy = random().requires_grad_(), random().requires_grad_()
        parameters = {"xy": random(2)} | {name: random(*shape) for name, shape in SHAPES.items()}
        leaves = [dx, dy, *(value.requires_grad_() for value in parameters.values())]
        weight = formula(*(leaf + 0 for leaf in (dx, dy)), Params(parameters))
        expected = [None] * len(leaves)
        if weight.requires_grad:
            expected = torch.autograd.grad(weight, leaves, g, allow_unused=True)
        expected = [
            torch.zeros_like(leaf) if grad is None else grad
            for leaf, grad in zip(leaves, expected, strict=True)
        ]
        numbers = evaluate(
            ir,
            [float(v.detach()) for v in (dx, dy, g)],
            {name: value.detach().numpy() for name, value in parameters.items()},
        )
        close = {"rtol": 1e-7, "atol": 1e-9, "equal_nan": True}
        np.testing.assert_allclose(numbers[ir.weight], weight.detach(), **close)
        found = [numbers[n] for n in ir.offset_gradient]
        np.testing.assert_allclose(found, [float(e) for e in expected[:2]], **close)
        for (name, value), gradient in zip(parameters.items(), expected[2:], strict=True):
            mine = np.empty(value.shape)
            for index in np.ndindex(*mine.shape):
                mine[index] = numbers[ir.gradients[name, index]]
            np.testing.assert_allclose(mine, gradient, **close, err_msg=name)


def without_gradient(x, y, p):
    with torch.no_grad():
        fixed = torch.exp(y)
    return x * fixed


def in_place_arguments(x, y, p):
    x *= p.angle
    x -= y
    return x * x


def in_place_on_a_part(x, y, p):
    values = p.series * x
    values[1] = y
    values[2:4] *= 2.0
    return values.prod()


class Doubled(torch.autograd.Function):
    """Its gradient is not that of what it computes."""

    @staticmethod
    def forward(ctx, x):
        return torch.sin(x)

    @staticmethod
    def backward(ctx, gradient):
        return 2 * gradient


FORMULAS = {
    "arithmetic": lambda x, y, p: (x + 2) * y - x / (y + 3) + (1 - x) + 2 / (3 + y * y) - (-x),
    "alpha": lambda x, y, p: torch.add(x, y, alpha=3) - torch.sub(x, y, alpha=0.5),
    "pow 2": lambda x, y, p: x**2 + x**3 * y**4,
    "pow -1.5": lambda x, y, p: (x * x + 0.1) ** -1.5,
    "pow 0": lambda x, y, p: (x + y) ** 0 + y,
    "pow 0.7": lambda x, y, p: (x * x + 0.1) ** 0.7,
    "pow of tensors": lambda x, y, p: (x * x + 0.1) ** y,
    "pow of a number": lambda x, y, p: 2**x,
    "pow 20": lambda x, y, p: x**20,
    "exp": lambda x, y, p: torch.exp(-x * y),
    "exp2": lambda x, y, p: torch.exp2(x),
    "expm1": lambda x, y, p: torch.expm1(x * y),
    "log": lambda x, y, p: torch.log(x * x + y * y),
    "log1p": lambda x, y, p: torch.log1p(x * x),
    "log2, log10": lambda x, y, p: torch.log2(x * x) + torch.log10(y * y),
    "sqrt": lambda x, y, p: torch.sqrt(x * x + y * y),
    "rsqrt": lambda x, y, p: torch.rsqrt(x * x + y * y),
    "reciprocal, square": lambda x, y, p: torch.reciprocal(x) + torch.square(y),
    "abs, sign": lambda x, y, p: torch.abs(x) * torch.sign(y) + abs(y),
    "minimum": lambda x, y, p: torch.minimum(x, y) * torch.maximum(x, p.angle),
    "fmin": lambda x, y, p: torch.fmin(x, y) * torch.fmax(x, p.angle),
    "clamp": lambda x, y, p: x.clamp(-0.3, 0.8) + y.clamp_min(0.1) * x.clamp_max(0.2),
    "clamp by tensors": lambda x, y, p: torch.clamp(x, min=-abs(y), max=p.scale[0] ** 2),
    "where": lambda x, y, p: torch.where(x > y, x * 2, y * 3) + torch.where(x < 0, 1.0, y),
    "comparisons": lambda x, y, p: (
        x * (x >= y) + y * (y <= 0.3) + x * (x == x) + y * (x != y) + y * ((x > 0) & ~(y > 0))
    ),
    "logic": lambda x, y, p: (
        x * torch.logical_or(x > 0, y > 0) * torch.logical_not((x > 1) | (y > 1)).float()
    ),
    "sin, cos, tan": lambda x, y, p: torch.sin(x) * torch.cos(y) + torch.tan(p.angle),
    "asin, acos": lambda x, y, p: torch.asin(x / 2) * torch.acos(y / 2),
    "atan": lambda x, y, p: torch.atan(x * y),
    "atan2": lambda x, y, p: torch.atan2(y, x) + torch.arctan2(x, p.angle),
    "sinh, cosh": lambda x, y, p: torch.sinh(x) + torch.cosh(y),
    "tanh": lambda x, y, p: torch.tanh(x * p.angle),
    "sigmoid": lambda x, y, p: torch.sigmoid(x - y),
    "logit": lambda x, y, p: torch.logit(0.5 + x / 4),
    "erf": lambda x, y, p: torch.erf(x) - torch.erfc(y),
    "floor": lambda x, y, p: torch.floor(3 * x) * y + torch.ceil(3 * y) * x + torch.trunc(4 * x),
    "round": lambda x, y, p: torch.round(7 * x) * y,
    "frac": lambda x, y, p: torch.frac(5 * x) + y,
    "remainder": lambda x, y, p: (x % 0.3) * y + torch.fmod(x, 0.4) + torch.remainder(x, y),
    "floor division": lambda x, y, p: (
        (x.detach() // 0.3) * y + torch.div(x, 0.3, rounding_mode="trunc") * x
    ),
    "hypot": lambda x, y, p: torch.hypot(x, y),
    "lerp": lambda x, y, p: torch.lerp(x, y, 0.3) + torch.lerp(x, y, p.angle),
    "addcmul": lambda x, y, p: torch.addcmul(x, y, p.angle, value=2) + torch.addcdiv(x, y, y),
    "logaddexp": lambda x, y, p: torch.logaddexp(x, y),
    "sinc": lambda x, y, p: torch.sinc(x),
    "copysign": lambda x, y, p: torch.copysign(x, y),
    "xlogy": lambda x, y, p: torch.xlogy(x, y * y),
    "nan_to_num": lambda x, y, p: torch.nan_to_num(x * y, 0.0),
    "relu": lambda x, y, p: torch.relu(x) + F.relu6(3 * y),
    "leaky_relu": lambda x, y, p: F.leaky_relu(x, 0.2),
    "elu": lambda x, y, p: F.elu(x) + F.elu(y, 0.5) + F.celu(x, 0.7) + F.selu(y),
    "gelu": lambda x, y, p: F.gelu(x) + F.gelu(y, approximate="tanh"),
    "silu, mish": lambda x, y, p: F.silu(x) + F.mish(y),
    "hard": lambda x, y, p: F.hardtanh(2 * x) + F.hardsigmoid(5 * y) + F.hardswish(4 * x),
    "softplus": lambda x, y, p: F.softplus(x) + F.softplus(40 * y, beta=2.0, threshold=5.0),
    "softsign": lambda x, y, p: F.softsign(x) + F.logsigmoid(y) + F.tanhshrink(y),
    "smoothstep": lambda x, y, p: (lambda t: t * t * (3 - 2 * t))(((x + 1) / 2).clamp(0, 1)),
    "indexing": lambda x, y, p: x * p.scale[0] + y * p.scale[-1] + p.grid[1, 2] * p.series[1:3][0],
    "fancy indexing": lambda x, y, p: (p.series[[0, 2, 2]] * x).sum(),
    "unpacking": lambda x, y, p: (lambda a, b: a * x - b * y)(*p.scale),
    "a loop": lambda x, y, p: sum(c * torch.sin(m * x) for m, c in enumerate(p.series)),
    "a reversed loop": lambda x, y, p: sum(c * y for c in p.series.flip(0)),
    "sum": lambda x, y, p: (p.series * x).sum() + (p.grid * y).sum(0).sum(-1, keepdim=True)[0],
    "mean": lambda x, y, p: (p.series * x).mean() + (p.grid * y).mean(1)[0],
    "prod": lambda x, y, p: (p.series * x).prod() + (p.grid + y).prod(0).sum(),
    "amax": lambda x, y, p: (p.series * x).amax() + (p.grid * y).amin(1).amax(0),
    "max": lambda x, y, p: (p.series * x).max() * (p.grid * y).min(),
    "cumsum": lambda x, y, p: (p.series * x).cumsum(0)[3] * y,
    "norm": lambda x, y, p: torch.linalg.norm(torch.stack([x, y])) + p.grid.norm(),
    "softmax": lambda x, y, p: (torch.softmax(p.series * x, 0) * p.series).sum(),
    "logsumexp": lambda x, y, p: torch.logsumexp(p.series * x, 0),
    "stack": lambda x, y, p: (torch.stack([x, y, x * y]) * torch.stack([y, x, p.angle])).sum(),
    "cat": lambda x, y, p: (torch.cat([p.series, p.scale]) * x).sum(),
    "dot": lambda x, y, p: torch.dot(p.scale, torch.stack([x, y])),
    "matrix": lambda x, y, p: (p.grid.T @ torch.stack([x, y])).square().sum(),
    "matrices": lambda x, y, p: (p.grid @ p.grid.T)[0, 1] * x,
    "einsum": lambda x, y, p: torch.einsum("ij,i->j", p.grid, torch.stack([x, y])).sum(),
    "reshape": lambda x, y, p: (
        (p.grid.reshape(6)[4] + p.grid.flatten()[1] + p.grid[None].mT[0, 2, 1]) * x
    ),
    "xy": lambda x, y, p: torch.sin(5 * (p.xy[0] + x)) * torch.sin(p.xy[1] + y),
    "a constant": lambda x, y, p: (torch.linspace(0, 1, 5, dtype=x.dtype) * p.series).sum() * x,
    "arange": lambda x, y, p: torch.cos(torch.arange(5) * p.angle).sum() * x,
    "like": lambda x, y, p: torch.zeros_like(x) + torch.ones_like(y) * x + torch.full_like(x, 2.0),
    "new": lambda x, y, p: x.new_zeros(()) + y.new_full((2,), 3.0).sum() * y + x.new_tensor(2.0),
    "numbers": lambda x, y, p: math.pi * x + y * np.float32(2.0),
    "detach": lambda x, y, p: x.detach() * y,
    "no_grad": without_gradient,
    "whole numbers": lambda x, y, p: ((4 * x).long() % 2 == 0) * y + x,
    "in place": lambda x, y, p: (x * y).mul_(2).add_(1).clamp_(max=2.5).exp_(),
    "in place arguments": in_place_arguments,
    "in place on a part": in_place_on_a_part,
    "a function of its own": lambda x, y, p: Doubled.apply(x) * y,
    "only dx": lambda x, y, p: torch.sin(x),
    "only parameters": lambda x, y, p: p.angle * p.scale[0],
    "nothing at all": lambda x, y, p: torch.tensor(0.25, dtype=torch.float64),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_a_program_computes_what_torch_computes(name):
    agree(FORMULAS[name])


UNARY = {
    "neg": lambda v: -v,
    "sin": torch.sin,
    "exp": lambda v: torch.exp(-v * v),
    "tanh": torch.tanh,
    "root": lambda v: torch.sqrt(v * v + 0.5),
    "softplus": F.softplus,
    "relu": torch.relu,
    "square": lambda v: v**2,
    "third": lambda v: v / 3,
    "one over": lambda v: 1 / (v * v + 1),
    "erf": torch.erf,
    "same": lambda v: v * 1 + 0,
    "nothing": lambda v: v * 0,
    "abs": torch.abs,
}
BINARY = {
    "add": torch.add,
    "sub": torch.sub,
    "mul": torch.mul,
    "div": lambda a, b: a / (b * b + 1),
    "max": torch.maximum,
    "where": lambda a, b: torch.where(a > b, a, 2 * b),
    "atan2": lambda a, b: torch.atan2(a, b * b + 1),
}

trees = st.recursive(
    st.sampled_from(["dx", "dy", "angle", "scale", "constant"]),
    lambda inner: (
        st.tuples(st.sampled_from(sorted(UNARY)), inner)
        | st.tuples(st.sampled_from(sorted(BINARY)), inner, inner)
    ),
    max_leaves=12,
)


@settings(max_examples=60)
@given(trees, st.integers(0, 99))
def test_random_formulas(tree, seed):
    def build(tree, values):
        if isinstance(tree, str):
            return values[tree]
        name, *inner = tree
        return {**UNARY, **BINARY}[name](*(build(i, values) for i in inner))

    def formula(dx, dy, p):
        constant = torch.full_like(dx, 0.75)
        leaves = {"dx": dx, "dy": dy, "angle": p.angle, "scale": p.scale[1], "constant": constant}
        return build(tree, leaves) + 0 * dx

    agree(formula, trials=2, seed=seed)


def reason(formula):
    with pytest.raises(Untraceable) as caught:
        trace(splat(formula))
    return str(caught.value)


def decides(dx, dy, p):
    if dx > 0:
        return dx
    return dy


def changes_a_constant(dx, dy, p):
    both = torch.zeros(2)
    both[0] = dx
    return both.sum()


def helper(x):
    return torch.special.bessel_j0(x)


def calls_a_helper(dx, dy, p):
    distance = torch.sqrt(dx * dx + dy * dy)
    return helper(distance)


@pytest.mark.parametrize(
    ("formula", "what", "line"),
    [
        (decides, "a tensor decides", "if dx > 0:"),
        (lambda x, y, p: x * float(p.angle), "a tensor decides", "float(p.angle)"),
        (lambda x, y, p: x * p.angle.item(), "a tensor decides", "p.angle.item()"),
        (lambda x, y, p: x * max(p.scale), "a tensor decides", "max(p.scale)"),
        (lambda x, y, p: x * p.scale.detach().numpy()[0], "numpy", ".numpy()"),
        (lambda x, y, p: x * p.scale.tolist()[0], "tolist", ".tolist()"),
        (changes_a_constant, "constants is changed in place", "both[0] = dx"),
        (lambda x, y, p: x + torch.rand_like(y), "rand_like", "torch.rand_like(y)"),
        (calls_a_helper, "bessel_j0", "return torch.special.bessel_j0(x)"),
        (lambda x, y, p: p.series[(3 * x).long()], "index", "(3 * x).long()"),
        (lambda x, y, p: torch.sort(p.series)[0][0] * x, "sort", "torch.sort"),
        (lambda x, y, p: torch.lgamma(x), "lgamma", "torch.lgamma(x)"),
        (lambda x, y, p: x * p.sclae, "no parameter 'sclae'", "p.sclae"),
        (lambda x, y, p: x / undefined, "NameError", "undefined"),  # noqa: F821
    ],
)
def test_what_cannot_be_traced_names_the_operation_and_the_line(formula, what, line):
    message = reason(formula)
    assert what in message
    assert line in message
    assert "test_trace.py, line " in message


def test_the_line_is_the_authors_innermost():
    line = helper.__code__.co_firstlineno + 1
    place = f"(test_trace.py, line {line}: return torch.special.bessel_j0(x))"
    assert reason(calls_a_helper) == f"torch's bessel_j0 has no compiled form {place}"


def test_a_gradient_that_cannot_be_traced():
    class Odd(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, gradient):
            return torch.special.bessel_j0(gradient)

    assert "bessel_j0" in reason(lambda x, y, p: Odd.apply(x))


@pytest.mark.parametrize(
    ("formula", "what"),
    [
        (lambda x, y, p: p.scale * x, r"a tensor of shape \[2\]"),
        (lambda x, y, p: None, "None"),
        (lambda x, y, p: 0.5, "0.5"),
    ],
)
def test_a_footprint_gives_one_weight(formula, what):
    with pytest.raises(
        Untraceable, match=f"^the footprint gives {what}, not one weight per offset$"
    ):
        trace(splat(formula))


def test_tracing_works_without_gradients_and_leaves_no_state():
    with torch.no_grad():
        ir = trace(splat(lambda x, y, p: x * p.angle))
        assert not torch.is_grad_enabled()
    assert ir.values[ir.gradients["angle", ()]].operation == "mul"


def test_a_long_recurrence_is_traced_in_time_proportional_to_its_length():
    # Each term is used by two of the next, so following all ways back would take years.
    ir = trace(Fourier({"harmonics": 64}))
    assert len(ir.values) < 64 * 60


def test_printing_does_not_stop_a_trace(capsys):
    def formula(x, y, p):
        print(x)
        return x * y

    agree(formula, trials=1)
    assert "traced tensor" in capsys.readouterr().out


def test_names_of_parameters_do_not_matter():
    names = ("dx", "dy", "g", "class", "U", "f32", "exp", "v3", "a b")
    ir = trace(
        splat(
            lambda x, y, p: sum(getattr(p, name) * x for name in names),
            **{name: Param() for name in names},
        )
    )
    assert [name for name, _ in ir.inputs] == ["xy", "xy", *names]


def test_colour_is_no_parameter_of_a_footprint_unless_it_is_declared():
    assert "no parameter 'colour'" in reason(lambda x, y, p: x * p.colour[0])
    ir = trace(splat(lambda x, y, p: x * p.colour[0], colour=Param(3)))
    assert ("colour", (2,)) in ir.inputs


# ---- programs ------------------------------------------------------------------------------------


def test_constants_and_values_are_never_confused():
    ir = IR()
    one = ir.add("add", G, ir.constant(1.0))
    assert ir.add("add", G, DY) != one  # DY is value number 1


def test_equal_values_are_computed_once():
    ir = IR()
    assert ir.add("mul", DX, DY) == ir.add("mul", DY, DX)
    assert ir.add("sub", DX, DY) != ir.add("sub", DY, DX)


@pytest.mark.parametrize(
    ("operation", "numbers", "expected"),
    [
        ("div", (1.0, 0.0), math.inf),
        ("div", (0.0, 0.0), math.nan),
        ("log", (0.0,), -math.inf),
        ("sqrt", (-1.0,), math.nan),
        ("exp", (1e4,), math.inf),
        ("pow", (-8.0, 1 / 3), math.nan),
        ("minimum", (math.nan, 1.0), math.nan),
        ("floor", (-0.5,), -1.0),
        ("where", (0.0, 1.0, 2.0), 2.0),
        ("lt", (1.0, 2.0), 1.0),
    ],
)
def test_constants_are_folded_as_floating_point_numbers(operation, numbers, expected):
    ir = IR()
    result = ir.values[ir.add(operation, *map(ir.constant, numbers))]
    np.testing.assert_equal(result.constant, expected)


def test_what_depends_on_the_splat_alone_is_known():
    ir = IR()
    size = ir.input(("size", ()))
    inverse = ir.add("div", ir.constant(1.0), size)
    assert not ir.values[inverse].per_pixel
    assert ir.values[ir.add("mul", DX, inverse)].per_pixel


def test_what_is_divided_by_the_same_shares_a_division():
    ir = trace(splat(lambda x, y, p: x / (y + 2) + p.angle / (y + 2) + 1 / (3 * (y + 2))))
    assert [value.operation for value in ir.values].count("div") == 1


@pytest.mark.parametrize("exponent", [-3, -1, -0.5, 0, 0.5, 1, 1.5, 2, 7, 16])
def test_small_powers_need_no_logarithm(exponent):
    ir = IR()
    ir.add("pow", DX, ir.constant(float(exponent)))
    found = {value.operation for value in ir.values}
    assert found <= {"input", "constant", "mul", "sqrt", "div"}


@pytest.mark.parametrize(
    ("build", "positive"),
    [
        (lambda p, x: p.add("exp", x), True),
        (lambda p, x: p.add("abs", x), False),
        (lambda p, x: p.add("add", p.add("abs", x), p.constant(1e-6)), True),
        (lambda p, x: p.add("add", x, p.constant(1.0)), False),
        (lambda p, x: p.add("add", p.add("mul", x, x), p.add("exp", x)), True),
        (lambda p, x: p.add("mul", p.add("exp", x), p.add("exp", DY)), False),  # may underflow
        (lambda p, x: p.add("maximum", x, p.constant(0.1)), True),
        (lambda p, x: p.add("minimum", p.add("exp", x), p.constant(-1.0)), False),
        (lambda p, x: p.add("where", x, p.constant(2.0), p.add("exp", x)), True),
    ],
)
def test_what_is_positive_whatever_comes_is_known(build, positive):
    ir = IR()
    assert ir.is_positive(build(ir, DX)) == positive


def test_powers_of_positive_numbers_and_their_derivatives_share_one_logarithm():
    ir = trace(splat(lambda x, y, p: (x.abs() + 0.1) ** p.angle))
    found = [value.operation for value in ir.values]
    assert "pow" not in found
    assert found.count("log") == 1
    assert found.count("exp") == 1


def test_a_schedule_adds_to_a_copy_of_the_record_alone():
    ir = trace(splat(FORMULAS["pow of tensors"]))
    before = [*ir.values], dict(ir.known), [*ir.least]
    made = Schedule(ir).ir
    assert len(made.values) == len(made.least) > len(ir.values)
    assert (ir.values, ir.known, ir.least) == before


def test_a_fit_of_splats_loads_no_package_that_it_does_not_need():
    code = """
import sys
from artgen.base.process import prepare_process
prepare_process()
import artgen
artgen.fit("sample:coffee", primitive="gaussian", count=20, size=32, steps=3)
print([name for name in ("sympy", "scipy.spatial", "skimage.io") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_process_of_artgen_alone_records_without_packages_that_it_does_not_need():
    code = """
import sys
from artgen.base.process import prepare_process
prepare_process()
from artgen.compiler.record import recording, trace
from artgen_plugins.gaussian import Gaussian
trace(Gaussian())
print("sympy" in sys.modules, "torch.distributed.tensor" in sys.modules)
with recording():  # No stand-in is seen by what a footprint calls.
    print("torch.distributed.tensor" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False False\nFalse\n"
