"""Expressions have Python's grammar and nothing more: right where they are right, and pointed at where not."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from artgen.base.errors import InputError
from artgen_plugins.curve import Expression

X = np.linspace(0.1, 2.0, 7)


def same_as_python(text: str, x: float) -> float:
    names = {name: getattr(math, name) for name in ("sin", "cos", "tan", "exp", "log", "sqrt")}
    names |= {"tanh": math.tanh, "abs": abs, "pi": math.pi, "e": math.e, "x": x}
    return eval(text, {"__builtins__": {}}, names)


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "2.777*x**2 + 0.123 - 1.5*x**3 + sin(4*x)",
        "1 - 2 - 3",
        "8 / 4 / 2",
        "2**3**0.5",
        "-x**2",
        "2**-x",
        "--x",
        "-2*-x",
        "(1 + x) * (1 - x)",
        "1e-3*x + .5 + 2.",
        "tan(x) + cos(pi*x) + exp(-x) + log(x) + sqrt(x) + abs(-x) + tanh(e)",
        "sin(cos(x))",
        "  1+ x ",
    ],
)
def test_it_agrees_with_python(text):
    expected = [same_as_python(text.strip(), x) for x in X.tolist()]
    np.testing.assert_allclose(Expression(text)(X), expected, rtol=1e-12)


numbers = st.floats(0.1, 9).map(lambda value: repr(round(value, 3)))


def grown(inner):
    pairs = st.tuples(inner, st.sampled_from(["+", "-", "*", "/"]), inner).map("".join)
    return (
        pairs
        | inner.map("({})".format)
        | inner.map("-{}".format)
        | inner.map("sin({})".format)
        | st.tuples(inner, st.sampled_from(["2", "0.5", "-1"])).map("({0[0]})**{0[1]}".format)
    )


@given(st.recursive(numbers | st.just("x"), grown, max_leaves=12))
def test_any_expression_agrees_with_python(text):
    try:
        expected = same_as_python(text, 0.7)
    except (ZeroDivisionError, OverflowError, TypeError):  # the last: sin of a complex number
        return
    if isinstance(expected, complex) or len(text) > 500:
        return
    (value,) = Expression(text)(np.array([0.7]))
    assert value == pytest.approx(expected, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sin(4*y)", "character 7: unknown name 'y'"),
        ("2 +", "character 4: it cannot be read"),
        ("2 * / 3", "character 5: it cannot be read"),
        ("(x", "character 1: '(' is not closed"),
        ("sin(3*x", "character 4: '(' is not closed"),
        ("x)", "character 2: it cannot be read"),
        ("2x", "character 1: it cannot be read"),
        ("sin x", "character 5: it cannot be read"),
        ("2*sin", "character 3: sin needs parentheses"),
        ("x ^ 2", "character 3: '^' cannot be read"),
        ("", "character 1: it cannot be read"),
        ("__import__('os')", 'character 12: "\'" cannot be read'),
        ("x.real", "character 1: it cannot be read"),
        ("2·x", "character 2: '·' cannot be read"),
        ("1" * 501, "501 characters, more than 500"),
        ("2 * (1 if x else 2)", "character 6: it cannot be read"),
        ("x//2", "character 1: it cannot be read"),
        ("sin(x) + True + 1j", "character 10: it cannot be read"),
        ("sin(*x)", "character 5: it cannot be read"),
        ("log(e)(x)", "character 1: it cannot be read"),
        ("x; e", "character 2: ';' cannot be read"),
        ("(" * 240 + "x" + ")" * 240, "it cannot be read"),
        ("-" * 400 + "x", "nested deeper than 50 levels"),
        ("2**" * 100 + "2", "nested deeper than 50 levels"),
    ],
)
def test_what_is_wrong_is_pointed_at(text, message):
    with pytest.raises(InputError) as caught:
        Expression(text)
    assert message in caught.value.message
    assert caught.value.hint


def test_a_name_that_is_nearly_right_is_recognised():
    with pytest.raises(InputError) as caught:
        Expression("sinn(x)")
    assert "did you mean" in str(caught.value.hint)
    assert "sin" in str(caught.value.hint)


def test_exponents_are_bounded():
    assert not np.isfinite(Expression("9" * 499)(X)).any()
    for text in ("x**65", "2**(x*1000)", "9**9**9"):
        with pytest.raises(InputError, match="exponent is larger than 64"):
            Expression(text)(X)
    assert np.isfinite(Expression("x**64")(X)).all()


def test_what_is_not_defined_is_not_finite_and_warns_nobody():
    assert not np.isfinite(Expression("log(x - 1) + 1/(x - x)")(X)).any()


def test_constants_fill_the_shape_and_the_argument_stays():
    x = X.copy()
    np.testing.assert_array_equal(Expression("2")(x), np.full_like(X, 2))
    value = Expression("x")(x)
    value += 1
    np.testing.assert_array_equal(x, X)


def test_an_expression_may_say_that_it_is_y():
    """`curve:y = sin(x)`, as people write it, was refused at the equals sign."""
    assert Expression("y = sin(x)")(X).tolist() == Expression("sin(x)")(X).tolist()
    with pytest.raises(InputError, match="'=' cannot be read"):
        Expression("y = x = 1")
