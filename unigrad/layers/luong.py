"""`LuongAttention`: which parts of a memory a query asks for, by products."""

from __future__ import annotations

from typing import Any

from unigrad.core.arguments import as_tensor
from unigrad.core.errors import SettingError, ShapeError
from unigrad.core.settings import count
from unigrad.core.tensor import Tensor
from unigrad.core.variable import Variable
from unigrad.layers.dense import Initializer
from unigrad.layers.module import Module
from unigrad.ops.comparison import where
from unigrad.ops.elementary import tanh
from unigrad.ops.linear import matmul, matrix_transpose
from unigrad.ops.nn.attention import lowest
from unigrad.ops.shaping import expand_dims, squeeze
from unigrad.ops.softmax import softmax

_SCORES = ("dot", "general", "concat")


class LuongAttention(Module):
    """Attention with the weights softmax(score(q, m)) over the memory.

    The score is q · m ("dot"), q W · m ("general") or v · tanh(q W_q + m Wₘ) ("concat").

    ``call`` takes queries (batch, q) or (batch, steps, q) and a memory (batch, time, m), and
    returns the contexts, the memory's means under the weights, and the weights, (…, m) and
    (…, time). Where the mask (batch, time) is False the weight is zero; if it is False everywhere,
    all weights are equal.

    Source: Luong, Pham & Manning, "Effective approaches to attention-based neural machine
    translation" (2015).

    Args:
        score: which of the three.
        units: the length of the hidden layer of "concat".
        use_scale: whether the scores are multiplied by a weight, 1 at first, as Keras can.
        memory_size: m, where it is known and not q.
        kernel_initializer: how W, W_q, Wₘ and v are drawn.
        key, name: see `Module`.

    Raises:
        SettingError: for another score, or "concat" without units.

    Example:
        >>> import unigrad as ug
        >>> context, weights = LuongAttention("general")(ug.ones((2, 3)), ug.ones((2, 5, 4)))
        >>> context.shape, weights.shape
        ((2, 4), (2, 5))
    """

    def __init__(
        self,
        score: str = "dot",
        units: int | None = None,
        use_scale: bool = False,
        memory_size: int | None = None,
        kernel_initializer: Initializer = "glorot_uniform",
        key: Any = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name, key=key)
        if score not in _SCORES:
            raise SettingError(
                f"LuongAttention: score is one of {', '.join(_SCORES)}, not {score!r}"
            )
        if score == "concat" and units is None:
            raise SettingError("LuongAttention: the score 'concat' needs units")
        self.score = score
        self.units = None if units is None else count(self.name, "units", units, 1)
        self.use_scale = use_scale
        self.kernel_initializer = kernel_initializer
        if memory_size is not None:
            memory_size = count(self.name, "memory_size", memory_size, 1)
        self.memory_size = memory_size

    def __call__(self, *inputs: Any, training: bool | None = None, **settings: Any) -> Any:
        """Build at the first call from both shapes, then run `call`."""
        memory = inputs[1] if len(inputs) > 1 else settings.get("memory")
        if not self.built and memory is not None:
            self.memory_size = as_tensor(memory).shape[-1]
        return super().__call__(*inputs, training=training, **settings)

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Make the weights from the lengths of a query and of an entry of the memory."""
        query = input_shape[-1]
        memory = query if self.memory_size is None else self.memory_size
        draw = self.kernel_initializer
        self.kernel: Variable | None = None
        if self.score == "general":
            self.kernel = self.add_weight("kernel", (query, memory), draw)
        if self.score == "concat":
            assert self.units is not None
            self.query_kernel = self.add_weight("query_kernel", (query, self.units), draw)
            self.memory_kernel = self.add_weight("memory_kernel", (memory, self.units), draw)
            self.vector = self.add_weight("vector", (self.units, 1), draw)
        self.scale = self.add_weight("scale", (), "ones") if self.use_scale else None

    def keys(self, memory: Any) -> Tensor | None:
        """Return what "concat" computes of the memory alone, to be handed to `call`; else None."""
        return matmul(memory, self.memory_kernel) if self.score == "concat" else None

    def call(
        self, query: Any, memory: Any, *, mask: Any = None, keys: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return the contexts and the weights.

        Args:
            query: (batch, q) or (batch, steps, q).
            memory: (batch, time, m); for "dot" m is q.
            mask: bools (batch, time); None for all True. What it leaves out does not count,
                infinities and NaN included.
            keys: `keys` of the memory, if it was computed before; padding in it must be finite.
        """
        query, memory = as_tensor(query), as_tensor(memory)
        if self.score == "dot" and query.shape[-1] != memory.shape[-1]:
            raise ShapeError(
                f"{self.name}: query {query.shape} and memory {memory.shape} do not fit"
            )
        alone = query.ndim == 2
        if alone:
            query = expand_dims(query, axis=1)
        if mask is not None:
            mask = as_tensor(mask, memory)
            memory = where(expand_dims(mask, axis=-1), memory, 0.0)
        scores = self._scores(query, memory, keys)
        if self.scale is not None:
            scores = scores * self.scale
        if mask is not None:
            scores = where(expand_dims(mask, axis=1), scores, lowest(scores.dtype))
        weights = softmax(scores, axis=-1)
        context = matmul(weights, memory)
        return (squeeze(context, axis=1), squeeze(weights, axis=1)) if alone else (context, weights)

    def _scores(self, query: Tensor, memory: Tensor, keys: Tensor | None) -> Tensor:
        """Return (batch, steps, time)."""
        if self.score == "concat":
            left = expand_dims(matmul(query, self.query_kernel), axis=2)
            right = expand_dims(self.keys(memory) if keys is None else keys, axis=1)
            return squeeze(matmul(tanh(left + right), self.vector), axis=-1)
        if self.kernel is not None:
            query = matmul(query, self.kernel)
        return matmul(query, matrix_transpose(memory))
