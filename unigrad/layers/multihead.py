"""`MultiHeadAttention`: several attentions side by side, each on a part of the units."""

from __future__ import annotations

from typing import Any

import numpy as np

from unigrad.core.arguments import as_tensor, visible
from unigrad.core.errors import SettingError, ShapeError
from unigrad.core.settings import check_sizes
from unigrad.core.tensor import Tensor
from unigrad.core.variable import Variable
from unigrad.layers.dense import Initializer
from unigrad.layers.dropout import Dropout
from unigrad.layers.module import Module
from unigrad.layers.positions import rotary
from unigrad.ops.affine import linear
from unigrad.ops.comparison import less_equal, where
from unigrad.ops.filling import zeros
from unigrad.ops.linear import matmul
from unigrad.ops.nn.attention import attention_weights, causal_mask
from unigrad.ops.shaping import expand_dims, permute_dims, reshape
from unigrad.ops.windows import dynamic_slice, slice_update

#: Keys, values (batch, heads, length, size) and how many of them are there.
Cache = dict[str, Tensor]


class MultiHeadAttention(Module):
    """softmax(q kᵀ / √d) v in several heads, from projections of queries, keys and values.

    ``call`` takes queries (batch, steps, q), keys (batch, time, k) and values (batch, time, v);
    without keys it is self-attention. The heads' parts lie side by side along the last axis of the
    projections: ``query_kernel`` is (q, heads · d), ``output_kernel`` (heads · d, units).

    Source: Vaswani et al., "Attention is all you need" (2017).

    Args:
        heads: how many.
        head_size: d; the queries' length over ``heads`` by default.
        value_size: the length of a head's values; d by default.
        units: the length of the result; the queries' by default.
        use_bias: whether the projections have biases.
        dropout: the rate at which weights are dropped while training.
        use_rotary: whether queries and keys are turned by their positions: see `rotary`.
        memory_sizes: the lengths of keys and values, where they are known and not the queries'.
        kernel_initializer: how the kernels are drawn.
        key, name: see `Module`.

    Example:
        >>> import unigrad as ug
        >>> MultiHeadAttention(2)(ug.ones((3, 5, 8)), causal=True).shape
        (3, 5, 8)
    """

    query_kernel: Variable
    key_kernel: Variable
    value_kernel: Variable
    output_kernel: Variable

    def __init__(
        self,
        heads: int,
        head_size: int | None = None,
        value_size: int | None = None,
        units: int | None = None,
        use_bias: bool = True,
        dropout: float = 0.0,
        use_rotary: bool = False,
        memory_sizes: tuple[int, int] | None = None,
        kernel_initializer: Initializer = "glorot_uniform",
        key: Any = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name, key=key)
        own = {"head_size": head_size, "value_size": value_size, "units": units}
        given = {what: one for what, one in own.items() if one is not None}
        check_sizes(self.name, heads=heads, **given)
        self.heads = heads
        self.head_size = head_size
        self.value_size = value_size
        self.units = units
        self.use_bias = use_bias
        self.use_rotary = use_rotary
        self.kernel_initializer = kernel_initializer
        self.drop = Dropout(dropout) if dropout else None
        self.memory_sizes = memory_sizes

    def __call__(self, *inputs: Any, training: bool | None = None, **settings: Any) -> Any:
        """Build at the first call from all shapes, then run `call`."""
        if not self.built:
            given = dict(zip(("query", "key", "value"), inputs, strict=False)) | settings
            if given.get("key") is not None:
                keys = as_tensor(given["key"]).shape[-1]
                values = given.get("value")
                self.memory_sizes = (keys, keys if values is None else as_tensor(values).shape[-1])
        return super().__call__(*inputs, training=training, **settings)

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Make the weights from the queries' shape and ``memory_sizes``."""
        query = input_shape[-1]
        keys, values = self.memory_sizes or (query, query)
        if self.head_size is None:
            if query % self.heads:
                raise SettingError(f"{self.name}: {query} units are not {self.heads} heads")
            self.head_size = query // self.heads
        self.value_size = self.head_size if self.value_size is None else self.value_size
        self.units = query if self.units is None else self.units
        inner, outer = self.heads * self.head_size, self.heads * self.value_size
        self.query_kernel, self.query_bias = self._projection("query", query, inner)
        self.key_kernel, self.key_bias = self._projection("key", keys, inner)
        self.value_kernel, self.value_bias = self._projection("value", values, outer)
        self.output_kernel, self.output_bias = self._projection("output", outer, self.units)

    def _projection(self, name: str, inputs: int, units: int) -> tuple[Variable, Variable | None]:
        kernel = self.add_weight(f"{name}_kernel", (inputs, units), self.kernel_initializer)
        bias = self.add_weight(f"{name}_bias", (units,), "zeros") if self.use_bias else None
        return kernel, bias

    def cache(self, batch: int, length: int, like: Tensor | None = None) -> Cache:
        """Return an empty cache for so many steps; the layer must have been built.

        Args:
            batch: how many sequences.
            length: how many steps at most.
            like: a tensor beside which the cache is made.
        """
        like = as_tensor(self.query_kernel) if like is None else like
        assert self.head_size is not None
        assert self.value_size is not None
        return {
            "keys": zeros((batch, self.heads, length, self.head_size), dtype=like.dtype, like=like),
            "values": zeros(
                (batch, self.heads, length, self.value_size), dtype=like.dtype, like=like
            ),
            "count": zeros((), dtype="int64", like=like),
        }

    def remember(self, memory: Any) -> tuple[Tensor, Tensor]:
        """Return the keys and values (batch, heads, time, size) of a memory, for `attend`.

        Padding in the memory must be finite.
        """
        memory = as_tensor(memory)
        keys = self._split(_projected(memory, self.key_kernel, self.key_bias))
        values = self._split(_projected(memory, self.value_kernel, self.value_bias))
        return keys, values

    def attend(
        self, query: Any, remembered: tuple[Tensor, Tensor], key_mask: Any = None
    ) -> tuple[Tensor, Tensor]:
        """Attend to what `remember` returned: the result, and the weights, as of `call`.

        Args:
            query: (batch, steps, q).
            remembered: keys and values.
            key_mask: see `call`.
        """
        q = self._split(_projected(as_tensor(query), self.query_kernel, self.query_bias))
        return self._attended(q, *remembered, 0, None, key_mask, False)

    def call(
        self,
        query: Any,
        key: Any = None,
        value: Any = None,
        *,
        mask: Any = None,
        key_mask: Any = None,
        causal: bool = False,
        cache: Cache | None = None,
        return_weights: bool = False,
    ) -> Any:
        """Attend.

        Args:
            query: (batch, steps, q).
            key, value: (batch, time, …); the query by default, the value the key.
            mask: bools that broadcast to (batch, heads, steps, time), True where a step may look.
            key_mask: bools (batch, time), False at padding, which does not count, infinities and
                NaN included; with a cache (batch, length), of all steps that it holds.
            causal: whether a step sees only those up to itself.
            cache: the keys and values of the steps before, from `cache`: the new ones are put
                behind them, and each step sees those up to itself. Self-attention only. Of more
                steps than it holds the result is NaN where nobody can see it: in programs, and
                on accelerators.
            return_weights: whether to return the weights (batch, heads, steps, time) as well.

        Returns:
            The result (batch, steps, units); with a cache the new cache after it, then the weights
            if they are wanted, as a tuple.

        A step that may look nowhere looks everywhere alike.

        Raises:
            ShapeError: when shapes do not fit, or a cache has no room for all steps.
            SettingError: for a cache together with keys or values other than the queries.
        """
        if cache is not None and not all(one is None or one is query for one in (key, value)):
            raise SettingError(f"{self.name}: a cache= is for self-attention, without keys")
        query, key, value = self._inputs(query, key, value, key_mask, cache)
        q = self._split(_projected(query, self.query_kernel, self.query_bias))
        k = self._split(_projected(key, self.key_kernel, self.key_bias))
        v = self._split(_projected(value, self.value_kernel, self.value_bias))
        start: Any = 0 if cache is None else cache["count"]
        if self.use_rotary:
            steps = as_tensor(np.arange(q.shape[2]), q)
            q = rotary(q, steps + start)
            k = rotary(k, as_tensor(np.arange(k.shape[2]), k) + start)
        fits = None
        if cache is not None:
            fits = self._fits(cache, k.shape[2])
            cache = _with(cache, k, v)
            k, v = cache["keys"], cache["values"]
        causal = causal or cache is not None
        out, weights = self._attended(q, k, v, start, mask, key_mask, causal)
        if fits is not None:
            out = where(fits, out, float("nan"))
            weights = where(fits, weights, float("nan")) if return_weights else weights
        found = [out, *([] if cache is None else [cache]), *([weights] if return_weights else [])]
        return tuple(found) if len(found) > 1 else out

    def _attended(
        self, q: Tensor, k: Tensor, v: Tensor, start: Any, mask: Any, key_mask: Any, causal: bool
    ) -> tuple[Tensor, Tensor]:
        """Return the result and the weights of projected queries, keys and values."""
        assert self.head_size is not None
        masks = self._masks(q, k, start, mask, key_mask, causal)
        weights = attention_weights(q, k, self.head_size**-0.5, *masks)
        kept = weights if self.drop is None else self.drop(weights)
        joined = permute_dims(matmul(kept, v), (0, 2, 1, 3))
        rows = reshape(joined, (*joined.shape[:2], joined.shape[2] * joined.shape[3]))
        return _projected(rows, self.output_kernel, self.output_bias), weights

    def _fits(self, cache: Cache, steps: int) -> Tensor | None:
        """Return whether a cache has room for more steps, where nobody can see that it has."""
        room, count = cache["keys"].shape[2], cache["count"]
        seen = visible(count)
        if seen is None and steps <= room:
            return less_equal(count, room - steps)
        there = 0 if seen is None else seen.max(initial=0)
        if there + steps > room:
            raise ShapeError(
                f"{self.name}: {steps} steps behind {there} are more than a cache of {room} holds"
            )
        return None

    def _inputs(
        self, query: Any, key: Any, value: Any, key_mask: Any, cache: Cache | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        query = as_tensor(query)
        if query.ndim != 3:
            raise ShapeError(f"{self.name}: expected (batch, steps, units), not {query.shape}")
        itself = key is None
        key = query if itself else as_tensor(key)
        same = value is None
        value = key if same else as_tensor(value)
        if key_mask is not None:
            real = real_steps(self.name, key, key_mask, cache)
            cleaned = where(real, key, 0.0)
            value = cleaned if same else where(real, value, 0.0)
            key, query = cleaned, cleaned if itself else query
        return query, key, value

    def _split(self, x: Tensor) -> Tensor:
        """Return (batch, time, heads · size) as (batch, heads, time, size)."""
        parts = reshape(x, (*x.shape[:2], self.heads, x.shape[2] // self.heads))
        return permute_dims(parts, (0, 2, 1, 3))

    def _masks(
        self, q: Tensor, k: Tensor, start: Any, mask: Any, key_mask: Any, causal: bool
    ) -> list[Tensor]:
        """Return what must be true of (batch, heads, steps, time)."""
        found = []
        if mask is not None:
            found.append(as_tensor(mask, q))
        if key_mask is not None:
            found.append(expand_dims(as_tensor(key_mask, q), axis=(1, 2)))
        if causal:
            found.append(causal_mask((q.shape[-2], k.shape[-2]), q, start))
        return found


def _projected(x: Tensor, kernel: Any, bias: Any) -> Tensor:
    return matmul(x, kernel) if bias is None else linear(x, kernel, bias)


def _with(cache: Cache, keys: Tensor, values: Tensor) -> Cache:
    """Put keys and values behind those that are there."""
    count = cache["count"]
    starts = [0, 0, count, 0]
    return {
        "keys": slice_update(cache["keys"], starts, keys),
        "values": slice_update(cache["values"], starts, values),
        "count": count + keys.shape[2],
    }


def real_steps(name: str, x: Tensor, key_mask: Any, cache: Cache | None) -> Tensor:
    """Return which of the steps (batch, steps, …) are no padding, as (batch, steps, 1).

    With a cache a mask is of all steps that it holds, and these are the ones that come next.

    Raises:
        ShapeError: when it does not fit the cache.
    """
    mask = as_tensor(key_mask, x)
    if cache is not None:
        batch, steps = x.shape[:2]
        room = cache["keys"].shape[2]
        if mask.shape != (batch, room):
            raise ShapeError(
                f"{name}: beside a cache a key_mask is of all its steps, {(batch, room)}, not "
                f"{mask.shape}"
            )
        mask = dynamic_slice(mask, [0, cache["count"]], (batch, steps))
    return expand_dims(mask, axis=-1)
