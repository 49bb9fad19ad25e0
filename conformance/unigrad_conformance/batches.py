"""What `ug.vmap` promises beyond each op: axes, nesting, variables, keys, layers.

Each check is a function that raises `Deviation`. What must come out is what a loop gives.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import unigrad as ug
from unigrad_conformance.checks.layouts import require_same
from unigrad_conformance.subject import Deviation, quiet

_generator = np.random.default_rng(20)


def numbers(*shape: int) -> ug.Tensor:
    """Return random numbers in float64."""
    return ug.asarray(_generator.uniform(-1.5, 1.5, shape))


def looped(function: Callable[..., Any], *columns: ug.Tensor) -> Any:
    """Run a function on each example of the first axes and stack what it gives."""
    rows = [function(*[one[i] for one in columns]) for i in range(columns[0].shape[0])]
    return ug.tree.map(lambda *leaves: ug.stack(leaves), *rows)


def require(what: str, found: Any, expected: Any) -> None:
    """Compare two pytrees of tensors."""
    first, second = ug.tree.leaves(found), ug.tree.leaves(expected)
    if ug.tree.structure(found) != ug.tree.structure(expected):
        raise Deviation(f"{what}: {ug.tree.structure(found)}, not {ug.tree.structure(expected)}")
    require_same(what, first, second)


def same_as_loop(what: str, function: Callable[..., Any], *columns: ug.Tensor) -> None:
    """Compare with a loop, eager and compiled."""
    with quiet():
        expected = looped(function, *columns)
        require(what, ug.vmap(function)(*columns), expected)
        require(f"{what}, jitted", ug.jit(ug.vmap(function))(*columns), expected)


def refused(what: str, call: Callable[[], Any], kind: type[Exception] = ug.TracingError) -> str:
    """Check that a call raises an error of a kind; return what it says."""
    try:
        call()
    except kind as error:
        return str(error)
    except Exception as error:
        raise Deviation(f"{what}: {type(error).__name__}: {error}") from error
    raise Deviation(f"{what} is not refused")


# -- axes


def axes_of_arguments_and_results() -> None:
    """Examples stand along any axis, in arguments, pytrees of them and results."""
    x, y = numbers(3, 4, 2), numbers(4, 5)

    def f(x: ug.Tensor, y: ug.Tensor) -> Any:
        return {"matrix": x * 2.0, "outer": ug.outer(ug.sum(x, axis=0), y)}

    expected = ug.stack([ug.outer(ug.sum(x[:, i], axis=0), y[i]) for i in range(4)])
    for into, at in (((1, 0), 0), ((-2, -2), 0)):
        found = ug.vmap(f, in_axes=into, out_axes=at)(x, y)
        require(f"in_axes={into}", found["outer"], expected)
    for place in (0, 1, 2, -1, -2, -3):
        found = ug.vmap(f, in_axes=(1, 0), out_axes={"matrix": 1, "outer": place})(x, y)
        require("the matrix", found["matrix"], x * 2.0)
        require(f"out_axes={place}", found["outer"], ug.moveaxis(expected, 0, place))
    pairs = ug.vmap(lambda p, k: p["a"] * p["b"] + k, in_axes=({"a": 0, "b": None}, None))
    require("a pytree of axes", pairs({"a": y, "b": 3.0}, 1.0), y * 3.0 + 1.0)


def results_that_are_the_same_for_all() -> None:
    """A result of nothing mapped is repeated, or given once where out_axes says None."""
    x, y = numbers(3), numbers(2)
    first, second = ug.vmap(lambda x: (x * 2.0, y + 1.0), out_axes=(0, None))(x)
    require("the batch", first, x * 2.0)
    require("given once", second, y + 1.0)
    require("repeated", ug.vmap(lambda x: y)(x), ug.stack([y, y, y]))
    require("a number", ug.vmap(lambda x: 2.0, out_axes=0)(x), ug.full((3,), 2.0))


def keyword_arguments() -> None:
    """They are mapped over their first axis."""
    x, y = numbers(3, 2), numbers(3, 2)
    require("keywords", ug.vmap(lambda x, y: ug.vecdot(x, y))(x, y=y), ug.vecdot(x, y))


def batches_of_none_and_one() -> None:
    """No example is enough to tell the shapes; one is a batch."""
    w = numbers(4, 3)
    several = ug.vmap(lambda x: (ug.softmax(x @ w), ug.sort(x)[:2], ug.max(x)))
    gradient = ug.vmap(ug.grad(lambda x: ug.sum(ug.tanh(x @ w))))
    for size in (0, 1):
        x = numbers(size, 4)
        shapes = [one.shape for one in (*several(x), gradient(x))]
        if shapes != [(size, 3), (size, 2), (size,), (size, 4)]:
            raise Deviation(f"{size} examples: shapes {shapes}")


def examples_of_any_rank_meet_what_is_the_same() -> None:
    """Broadcasting is that of one example, on either side."""
    shapes: Sequence[tuple[int, ...]] = ((), (3,), (1,), (2, 3), (3, 1), (4, 2, 3))
    functions = ((ug.subtract, np.subtract), (_greatest, np.maximum))
    for first in shapes:
        for second in shapes:
            try:
                np.broadcast_shapes(first, second)
            except ValueError:
                continue
            x, y = numbers(3, *first), numbers(*second)
            for f, plain in functions:
                rows, same = x.numpy(), y.numpy()
                found = ug.vmap(f, in_axes=(0, None))(x, y)
                wanted = np.stack([plain(row, same) for row in rows])
                require(f"{first} and {second}", found, ug.asarray(wanted))
                found = ug.vmap(lambda a, b, f=f: f(b, a), in_axes=(0, None))(x, y)
                wanted = np.stack([plain(same, row) for row in rows])
                require(f"{second} and {first}", found, ug.asarray(wanted))


def _greatest(x: ug.Tensor, y: ug.Tensor) -> ug.Tensor:
    return ug.where(x > y, x, y)


# -- nesting


def nested() -> None:
    """A map in a map: of both arguments, of one each, and three deep."""
    x, y, z = numbers(3, 4), numbers(5, 4), numbers(2)
    dots = ug.vmap(ug.vmap(ug.vecdot, in_axes=(None, 0)), in_axes=(0, None))
    require("all pairs", dots(x, y), x @ ug.permute_dims(y, (1, 0)))
    require("both", ug.vmap(ug.vmap(ug.atan2))(x, x * 2.0), ug.atan2(x, x * 2.0))

    def three(a: ug.Tensor) -> ug.Tensor:
        out: ug.Tensor = ug.vmap(lambda b: ug.vmap(lambda c: ug.sin(a) * b - c * a)(z))(y[:, 0])
        return out

    a = numbers(3)
    expected = ug.sin(a)[:, None, None] * y[None, :, :1] - z * a[:, None, None]
    require("three", ug.vmap(three)(a), expected)


def indices_of_nested_maps() -> None:
    """Reads and writes whose indices differ at both levels, or at one."""
    x, i = numbers(3, 5), ug.asarray([[0, -1, 2], [4, 1, 1]])
    require("take", ug.vmap(lambda r: ug.vmap(lambda j: r[j])(i))(x), ug.moveaxis(x[:, i], 0, 0))

    def write(row: ug.Tensor) -> ug.Tensor:
        out: ug.Tensor = ug.vmap(lambda j: row.at[j].add(1.0))(i)
        return out

    require("write", ug.vmap(write)(x), looped(lambda r: looped(lambda j: r.at[j].add(1.0), i), x))


# -- variables


def variables_are_the_same_for_all() -> None:
    """They are read in the mapped function, assigned what is the same, never what differs."""
    v, x = ug.Variable([1.0, 2.0]), ug.asarray([[1.0, 1.0], [2.0, 3.0], [0.0, 1.0]])

    def f(x: ug.Tensor) -> ug.Tensor:
        v.assign(v * 2.0)
        return x * v

    require("read after a write", ug.vmap(f)(x), x * ug.asarray([2.0, 4.0]))
    require("the variable", v.read(), ug.asarray([2.0, 4.0]))
    require("jitted", ug.jit(ug.vmap(f))(x), x * ug.asarray([4.0, 8.0]))
    require("the variable", v.read(), ug.asarray([4.0, 8.0]))
    refused("a write of an example", lambda: ug.vmap(lambda x: v.assign(x).read())(x))
    require("the variable", v.read(), ug.asarray([4.0, 8.0]))


# -- random numbers


def keys_in_batches() -> None:
    """Draws under a batch of keys are those under each key, bit for bit where one key's are."""
    keys = ug.random.split(ug.random.key(7), 4)
    draws: dict[str, Callable[[ug.Tensor], Any]] = {
        "bits": lambda k: [ug.random.bits(k, (3,), f"uint{n}") for n in (8, 16, 32, 64)],
        "split": lambda k: ug.random.split(k, 3),
        "fold_in": lambda k: ug.random.fold_in(k, 5),
        "uniform": lambda k: [ug.random.uniform(k, (2, 3), f"float{n}") for n in (16, 32, 64)],
        "randint": lambda k: ug.random.randint(k, (9,), -4, 2**40),
        "randint32": lambda k: ug.random.randint(k, (9,), -4, 7, "int32"),
        "permutation": lambda k: ug.random.permutation(k, 9),
        "choice": lambda k: ug.random.choice(k, 9, (4,), replace=False),
        "bernoulli": lambda k: ug.random.bernoulli(k, 0.4, (9,)),
    }
    for name, draw in draws.items():
        _same_bits(name, ug.vmap(draw)(keys), looped(draw, keys))
    draw = draws["bernoulli"]
    _same_bits("jitted bernoulli", ug.jit(ug.vmap(draw))(keys), looped(draw, keys))
    normal = ug.vmap(lambda k: ug.random.normal(k, (5,)))(keys)
    require("normal", normal, looped(lambda k: ug.random.normal(k, (5,)), keys))


def _same_bits(what: str, found: Any, expected: Any) -> None:
    pairs = zip(ug.tree.leaves(found), ug.tree.leaves(expected), strict=True)
    for one, other in pairs:
        if not np.array_equal(one.numpy(), other.numpy()):
            raise Deviation(f"{what}: {one.tolist()}, not {other.tolist()}")


def bounds_in_batches() -> None:
    """Bounds of different ranks, of which not all are mapped, are compared example by example."""
    keys, least = ug.random.split(ug.random.key(7), 3), numbers(3)
    most = [ug.abs(numbers(3, 4)) + 3.0, ug.abs(numbers(3)) + 3.0]
    fixed = ug.asarray([4.0, 9.0, 5.0])
    draws: dict[str, Callable[..., Any]] = {
        "uniform": lambda k, a, b: ug.random.uniform(k, (*b.shape[-1:],), "float64", a, b),
        "truncated_normal": lambda k, a, b: ug.random.truncated_normal(k, a, b, None, "float64"),
        "randint": lambda k, a, b: ug.random.randint(
            k, (5, *b.shape), ug.astype(a, "int64"), ug.astype(b, "int64")
        ),
    }
    for name, draw in draws.items():
        for last in most:
            found = ug.vmap(draw)(keys, least, last)
            require(name, found, looped(draw, keys, least, last))
        found = ug.vmap(draw, in_axes=(0, 0, None))(keys, least, fixed)
        alone = looped(lambda k, a, draw=draw: draw(k, a, fixed), keys, least)
        require(f"{name}, one bound for all", found, alone)
    x, edges = numbers(3, 9), ug.sort(numbers(3, 4), axis=-1)

    def counts(x: ug.Tensor, edges: ug.Tensor) -> ug.Tensor:
        return ug.histogram(x, edges)[0]

    require("histogram", ug.vmap(counts)(x, edges), looped(counts, x, edges))


def one_key_for_all() -> None:
    """A key that is not mapped gives all examples the same numbers."""
    key, x = ug.random.key(7), numbers(3, 2)
    noise = ug.random.uniform(key, (2,), "float64")
    found = ug.vmap(lambda x: x + ug.random.uniform(key, (2,), "float64"))(x)
    require("one key", found, x + noise)


# -- layers


def layers_of_one_example() -> None:
    """Layers take an example where they take a batch otherwise."""
    ug.random.Generator(3)
    x = ug.astype(numbers(3, 5, 4), "float32")
    layers = [
        ug.layers.Dense(3, activation="tanh"),
        ug.layers.LayerNorm(),
        ug.layers.Sequential([ug.layers.Dense(6, activation="relu"), ug.layers.Dense(2)]),
        ug.layers.GRU(3, return_sequences=True),
    ]
    for layer in layers:
        layer(x)
        same_as_loop(type(layer).__name__, lambda one, layer=layer: layer(one[None])[0], x)
        gradient = ug.grad(lambda one, layer=layer: ug.sum(ug.sin(layer(one[None]))))
        same_as_loop(f"gradient of {type(layer).__name__}", gradient, x)
    embedding = ug.layers.Embedding(7, 3)
    tokens = ug.asarray([[1, 0, 6], [2, 2, 2]])
    embedding(tokens)
    same_as_loop("Embedding", lambda one: embedding(one), tokens)


BATCHES: dict[str, Callable[[], None]] = {
    one.__name__: one
    for one in (
        axes_of_arguments_and_results,
        results_that_are_the_same_for_all,
        keyword_arguments,
        batches_of_none_and_one,
        examples_of_any_rank_meet_what_is_the_same,
        nested,
        indices_of_nested_maps,
        variables_are_the_same_for_all,
        keys_in_batches,
        bounds_in_batches,
        one_key_for_all,
        layers_of_one_example,
    )
}
