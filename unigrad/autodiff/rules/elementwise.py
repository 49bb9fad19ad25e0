"""Derivatives of the elementwise ops, as partial derivatives of ``out`` by each input."""

from unigrad.autodiff.rules.registry import elementwise, linear, rule, zero
from unigrad.ops.creation import astype
from unigrad.ops.elementary import cos, sin

rule(
    "add",
    lambda g, out, x, y: g,
    lambda g, out, x, y: g,
    jvp=lambda t, out, x, y: t[1] if t[0] is None else t[0] if t[1] is None else t[0] + t[1],
)
rule(
    "subtract",
    lambda g, out, x, y: g,
    lambda g, out, x, y: -g,
    jvp=lambda t, out, x, y: -t[1] if t[0] is None else t[0] if t[1] is None else t[0] - t[1],
)
elementwise("multiply", lambda out, x, y: y, lambda out, x, y: x)
elementwise("divide", lambda out, x, y: 1.0 / y, lambda out, x, y: -out / y)
linear("negative", lambda g, out, x: -g)
elementwise("exp", lambda out, x: out)
elementwise("log", lambda out, x: 1.0 / x)
elementwise("sin", lambda out, x: cos(x))
elementwise("cos", lambda out, x: -sin(x))
elementwise("tanh", lambda out, x: 1.0 - out * out)
zero("greater")
linear("astype", lambda g, out, x, dtype: astype(g, x.dtype))
