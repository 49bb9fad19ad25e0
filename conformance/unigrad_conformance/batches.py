"""What `ug.vmap` promises beyond each op: axes, nesting, variables, keys, layers.

Each check is a function that raises `Deviation`. What must come out is what a loop gives.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

import unigrad as ug
from unigrad_conformance.backends import compiles_for_every_shape
from unigrad_conformance.checks.layouts import require_same
from unigrad_conformance.subject import Deviation, quiet

_generator = np.random.default_rng(20)


def numbers(*shape: int) -> ug.Tensor:
    """Return random numbers in float64."""
    return ug.asarray(_generator.uniform(-1.5, 1.5, shape))


def in_one_program(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function compiled where each of its ops would be, and else as it is."""
    return ug.jit(function) if compiles_for_every_shape(ug.get_backend()) else function


def looped(function: Callable[..., Any], *columns: ug.Tensor) -> Any:
    """Run a function on each example of the first axes and stack what it gives."""
    function = in_one_program(function)
    rows = [function(*row) for row in zip(*map(ug.unstack, columns), strict=True)]
    return ug.tree.map(lambda *leaves: ug.stack(leaves), *rows)


def require(what: str, found: Any, expected: Any) -> None:
    """Compare two pytrees of tensors."""
    first, second = ug.tree.leaves(found), ug.tree.leaves(expected)
    if ug.tree.structure(found) != ug.tree.structure(expected):
        raise Deviation(f"{what}: {ug.tree.structure(found)}, not {ug.tree.structure(expected)}")
    require_same(what, first, second)


def same_as_loop(
    what: str, function: Callable[..., Any], *columns: ug.Tensor, eager: bool = True
) -> None:
    """Compare with a loop, eager if asked for and compiled."""
    with quiet():
        expected = looped(function, *columns)
        if eager:
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


def narrow_indices() -> None:
    """Indices of a dtype that does not hold the examples' numbers are as wide ones."""
    x, places = numbers(130, 5), ug.asarray(np.arange(260, dtype=np.int64).reshape(130, 2) % 5)
    places = ug.astype(places, "int8")
    same_as_loop("getitem", lambda x, i: x[i], x, places)
    same_as_loop("at_add", lambda x, i: x.at[i].add(2.0), x, places)


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
    pairs = [pair for pair in itertools.product(shapes, repeat=2) if _meet(*pair)]
    given = [(numbers(3, *first), numbers(*second)) for first, second in pairs]

    def both(f: Callable[..., Any], x: ug.Tensor, y: ug.Tensor) -> list[Any]:
        swapped = ug.vmap(lambda a, b: f(b, a), in_axes=(0, None))
        return [ug.vmap(f, in_axes=(0, None))(x, y), swapped(x, y)]

    for f, plain in functions:
        found = in_one_program(lambda given, f=f: [both(f, *one) for one in given])(given)
        for (first, second), (x, y), (one, other) in zip(pairs, given, found, strict=True):
            rows, same = x.numpy(), y.numpy()
            wanted = np.stack([plain(row, same) for row in rows])
            require(f"{first} and {second}", one, ug.asarray(wanted))
            wanted = np.stack([plain(same, row) for row in rows])
            require(f"{second} and {first}", other, ug.asarray(wanted))


def _meet(first: tuple[int, ...], second: tuple[int, ...]) -> bool:
    """Tell whether two shapes broadcast."""
    try:
        np.broadcast_shapes(first, second)
    except ValueError:
        return False
    return True


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
        "fold_in of words": lambda k: ug.random.fold_in(keys[0], k[1]),
        "uniform": lambda k: [ug.random.uniform(k, (2, 3), f"float{n}") for n in (16, 32, 64)],
        "randint": lambda k: ug.random.randint(k, (9,), -4, 2**40),
        "randint32": lambda k: ug.random.randint(k, (9,), -4, 7, "int32"),
        "permutation": lambda k: ug.random.permutation(k, 9),
        "choice": lambda k: ug.random.choice(k, 9, (4,), replace=False),
        "bernoulli": lambda k: ug.random.bernoulli(k, 0.4, (9,)),
    }

    def drawn(k: ug.Tensor) -> Any:
        return {name: draw(k) for name, draw in draws.items()}

    found, expected = in_one_program(ug.vmap(drawn))(keys), looped(drawn, keys)
    for name in draws:
        _same_bits(name, found[name], expected[name])
    if not compiles_for_every_shape(ug.get_backend()):  # There it is part of the program above.
        jitted = ug.jit(ug.vmap(draws["bernoulli"]))(keys)
        _same_bits("jitted bernoulli", jitted, expected["bernoulli"])
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
    fixed = ug.asarray([4.0, 9.0, 5.0])
    draws: dict[str, Callable[..., Any]] = {
        "uniform": lambda k, a, b: ug.random.uniform(k, (*b.shape[-1:],), "float64", a, b),
        "truncated_normal": lambda k, a, b: ug.random.truncated_normal(k, a, b, None, "float64"),
        "randint": lambda k, a, b: ug.random.randint(
            k, (5, *b.shape), ug.astype(a, "int64"), ug.astype(b, "int64")
        ),
    }
    # The upper bounds with their axis, and what each example's are.
    wide, narrow = ug.abs(numbers(3, 4)) + 3.0, ug.abs(numbers(3)) + 3.0
    bounds = [(wide, 0, wide), (narrow, 0, narrow), (fixed, None, ug.stack([fixed] * 3))]
    few = compiles_for_every_shape(ug.get_backend())
    for number, (name, draw) in enumerate(draws.items()):
        # Programs of draws are long: where each is compiled, one kind of bounds must do.
        for most, axis, each in bounds[number : number + 1] if few else bounds:
            found = in_one_program(ug.vmap(draw, in_axes=(0, 0, axis)))(keys, least, most)
            require(f"{name}, bounds {most.shape}", found, looped(draw, keys, least, each))
    x, edges = numbers(3, 9), ug.sort(numbers(3, 4), axis=-1)

    def counts(x: ug.Tensor, edges: ug.Tensor) -> ug.Tensor:
        return ug.histogram(x, edges)[0]

    found = in_one_program(ug.vmap(counts))(x, edges)
    require("histogram", found, looped(counts, x, edges))


def one_key_for_all() -> None:
    """A key that is not mapped gives all examples the same numbers."""
    key, x = ug.random.key(7), numbers(3, 2)
    noise = ug.random.uniform(key, (2,), "float64")
    found = ug.vmap(lambda x: x + ug.random.uniform(key, (2,), "float64"))(x)
    require("one key", found, x + noise)


# -- layers


def _of_one_example(layer: Any, one: Any) -> Any:
    return layer(one[None])[0]


def _each_of(functions: tuple[Any, ...], one: Any) -> tuple[Any, ...]:
    return tuple([function(one) for function in functions])


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
    # Where each op of a layer would be compiled for itself, a program of both must do.
    eager = not compiles_for_every_shape(ug.get_backend())
    for layer in layers:
        layer(x)
        name = type(layer).__name__
        value = partial(_of_one_example, layer)
        gradient = ug.grad(lambda one, layer=layer: ug.sum(ug.sin(layer(one[None]))))
        if eager:
            same_as_loop(name, value, x)
            same_as_loop(f"gradient of {name}", gradient, x)
        else:
            both = partial(_each_of, (value, gradient))
            same_as_loop(f"{name} and its gradient", both, x, eager=False)
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
        narrow_indices,
        variables_are_the_same_for_all,
        keys_in_batches,
        bounds_in_batches,
        one_key_for_all,
        layers_of_one_example,
    )
}
