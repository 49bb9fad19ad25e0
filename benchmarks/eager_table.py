"""The eager operations that are timed, each beside what one writes natively for it.

A row is a name, an expression in unigrad and one per framework; ``None`` where a framework has no
single function for it. All see the same names: ``x``, ``y`` float32 (4, 4), ``v`` float32 (4,),
``p`` positive float32 (4, 4), ``i`` int64 (3,), ``n`` int64 (4, 4), ``m`` bool (4, 4), ``r`` bool
(4,), ``a`` an ndarray like ``x``, and the framework (``ug``, ``np``, ``torch``, ``jnp``, ``tf``).
"""

from __future__ import annotations

from benchmarks.eager_more import ROWS as _MORE
from benchmarks.eager_rest import ROWS as _REST
from benchmarks.eager_rows import Row, same
from benchmarks.eager_spaces import ROWS as _SPACES


def _everywhere(name: str, expression: str, tensorflow: str | None = None) -> Row:
    """Return a row of an expression that is the same in all."""
    return Row(name, expression, expression, expression, expression, tensorflow or expression)


_UNARY = [
    same("abs", tensorflow="tf.abs(x)"),
    same("negative"),
    same("exp"),
    same("expm1", tensorflow="tf.math.expm1(x)"),
    same("log", "p", tensorflow="tf.math.log(p)"),
    same("log1p", "p", tensorflow="tf.math.log1p(p)"),
    same("sqrt", "p"),
    same("square"),
    same("sin"),
    same("cos"),
    same("tanh"),
    same("sign"),
    same("floor"),
    same("ceil", tensorflow="tf.math.ceil(x)"),
    same("round"),
    same("isnan", tensorflow="tf.math.is_nan(x)"),
    same("isfinite", tensorflow="tf.math.is_finite(x)"),
    Row(
        "sigmoid",
        "ug.sigmoid(x)",
        "1 / (1 + np.exp(-x))",
        "torch.sigmoid(x)",
        "jax.nn.sigmoid(x)",
        "tf.sigmoid(x)",
    ),
    Row(
        "relu",
        "ug.nn.relu(x)",
        "np.maximum(x, 0)",
        "torch.relu(x)",
        "jax.nn.relu(x)",
        "tf.nn.relu(x)",
    ),
]

_BINARY = [
    _everywhere("x + y", "x + y"),
    _everywhere("x + 1.0", "x + 1.0"),
    _everywhere("x * 2", "x * 2", "x * 2.0"),
    _everywhere("x > 0", "x > 0", "x > 0.0"),
    same("add", "x, y"),
    same("subtract", "x, y"),
    same("multiply", "x, y"),
    same("divide", "x, y"),
    same("pow", "p, y", numpy="np.power(p, y)", jax="jnp.power(p, y)"),
    _everywhere("x ** 2", "x ** 2"),
    same("maximum", "x, y"),
    same("minimum", "x, y"),
    same("maximum scalar", "x, 0.0", unigrad="ug.maximum(x, 0.0)", numpy="np.maximum(x, 0.0)",
          torch="torch.clamp_min(x, 0.0)", jax="jnp.maximum(x, 0.0)",
          tensorflow="tf.maximum(x, 0.0)"),
    same("equal", "x, y", torch="torch.eq(x, y)"),
    same("less", "x, y"),
    same("logical_and", "m, m"),
    same("where", "m, x, y"),
    same("clip", "x, -1.0, 1.0", tensorflow="tf.clip_by_value(x, -1.0, 1.0)"),
    same("atan2", "x, y", numpy="np.arctan2(x, y)", jax="jnp.arctan2(x, y)"),
]  # fmt: skip

_REDUCTIONS = [
    same("sum", tensorflow="tf.reduce_sum(x)"),
    same("sum along an axis", unigrad="ug.sum(x, axis=0)", numpy="np.sum(x, axis=0)",
          torch="torch.sum(x, dim=0)", jax="jnp.sum(x, axis=0)",
          tensorflow="tf.reduce_sum(x, axis=0)"),
    same("mean", tensorflow="tf.reduce_mean(x)"),
    same("max", tensorflow="tf.reduce_max(x)"),
    same("max along an axis", unigrad="ug.max(x, axis=1)", numpy="np.max(x, axis=1)",
          torch="torch.amax(x, dim=1)", jax="jnp.max(x, axis=1)",
          tensorflow="tf.reduce_max(x, axis=1)"),
    same("prod", tensorflow="tf.reduce_prod(x)"),
    same("std", tensorflow="tf.math.reduce_std(x)"),
    same("var", tensorflow="tf.math.reduce_variance(x)"),
    same("argmax", "x, axis=1", torch="torch.argmax(x, dim=1)",
          tensorflow="tf.argmax(x, axis=1)"),
    same("any", "m", tensorflow="tf.reduce_any(m)"),
    same("all", "m", tensorflow="tf.reduce_all(m)"),
    Row("cumulative_sum", "ug.cumulative_sum(x, axis=1)", "np.cumsum(x, axis=1)",
        "torch.cumsum(x, dim=1)", "jnp.cumsum(x, axis=1)", "tf.cumsum(x, axis=1)"),
    Row("softmax", "ug.nn.softmax(x)", None, "torch.softmax(x, -1)", "jax.nn.softmax(x)",
        "tf.nn.softmax(x)"),
    Row("log_softmax", "ug.nn.log_softmax(x)", None, "torch.log_softmax(x, -1)",
        "jax.nn.log_softmax(x)", "tf.nn.log_softmax(x)"),
    Row("logsumexp", "ug.logsumexp(x)", None, "torch.logsumexp(x, (0, 1))",
        "jax.scipy.special.logsumexp(x)", "tf.reduce_logsumexp(x)"),
    Row("sort", "ug.sort(x)", "np.sort(x)", "torch.sort(x)", "jnp.sort(x)", "tf.sort(x)"),
    Row("argsort", "ug.argsort(x)", "np.argsort(x)", "torch.argsort(x)", "jnp.argsort(x)",
        "tf.argsort(x)"),
]  # fmt: skip

_PRODUCTS = [
    same("matmul", "x, y"),
    _everywhere("x @ y", "x @ y"),
    Row("linear", "ug.linear(x, y, v)", "x @ y + v", "torch.addmm(v, x, y)", "x @ y + v",
        "x @ y + v"),
    same("einsum", "'ij,jk->ik', x, y"),
    same("tensordot", "x, y", unigrad="ug.tensordot(x, y, axes=1)",
          numpy="np.tensordot(x, y, 1)", torch="torch.tensordot(x, y, 1)",
          jax="jnp.tensordot(x, y, 1)", tensorflow="tf.tensordot(x, y, 1)"),
    same("outer", "v, v", tensorflow="tf.einsum('i,j->ij', v, v)"),
]  # fmt: skip

_MOVEMENT = [
    same("reshape", "x, (2, 8)"),
    _everywhere("x.reshape(-1)", "x.reshape(-1)", "tf.reshape(x, (-1,))"),
    _everywhere("x.T", "x.T", "tf.transpose(x)"),
    same("permute_dims", "x, (1, 0)", numpy="np.transpose(x, (1, 0))",
          torch="torch.permute(x, (1, 0))", jax="jnp.transpose(x, (1, 0))",
          tensorflow="tf.transpose(x, (1, 0))"),
    same("broadcast_to", "v, (4, 4)"),
    same("expand_dims", "x, axis=0", torch="torch.unsqueeze(x, 0)"),
    _everywhere("squeeze(x[None])", "ug.squeeze(x[None])")._replace(
        numpy="np.squeeze(x[None])", torch="torch.squeeze(x[None])",
        jax="jnp.squeeze(x[None])", tensorflow="tf.squeeze(x[None])"),
    same("concat", "(x, y)", numpy="np.concatenate((x, y))", tensorflow="tf.concat((x, y), 0)",
          jax="jnp.concatenate((x, y))"),
    same("stack", "(x, y)"),
    same("flip", "x, axis=0", torch="torch.flip(x, (0,))", tensorflow="tf.reverse(x, (0,))"),
    same("roll", "x, 1, axis=0", torch="torch.roll(x, 1, 0)", tensorflow="tf.roll(x, 1, 0)"),
    same("split", "x, 2", torch="torch.split(x, 2)"),
    same("tile", "x, (2, 1)"),
    same("tril", "x", tensorflow="tf.linalg.band_part(x, -1, 0)"),
    same("pad", "x, 1", torch="torch.nn.functional.pad(x, (1, 1, 1, 1))",
          tensorflow="tf.pad(x, ((1, 1), (1, 1)))"),
]  # fmt: skip

_INDEXING = [
    _everywhere("x[0]", "x[0]"),
    _everywhere("x[1, 2]", "x[1, 2]"),
    _everywhere("x[1:3]", "x[1:3]"),
    _everywhere("x[:, 1]", "x[:, 1]"),
    _everywhere("x[None]", "x[None]"),
    _everywhere("x[..., ::2]", "x[..., ::2]"),
    _everywhere("x[ints]", "x[i]", "tf.gather(x, i)"),
    _everywhere("x[mask]", "x[m]", "tf.boolean_mask(x, m)"),
    _everywhere("x[row mask]", "x[r]", "tf.boolean_mask(x, r)"),
    Row("take", "ug.take(x, i, axis=0)", "np.take(x, i, axis=0)", "torch.index_select(x, 0, i)",
        "jnp.take(x, i, axis=0)", "tf.gather(x, i, axis=0)"),
    Row("take_along_axis", "ug.take_along_axis(x, n, axis=1)",
        "np.take_along_axis(x, n, axis=1)", "torch.gather(x, 1, n)",
        "jnp.take_along_axis(x, n, axis=1)", "tf.gather(x, n, axis=1, batch_dims=1)"),
    Row("x.at[0].set", "x.at[0].set(v)", None, None, "x.at[0].set(v)", None),
]  # fmt: skip

_CREATION = [
    same("zeros", "(4, 4)"),
    same("ones", "(4, 4)"),
    same("full", "(4, 4), 2.0", tensorflow="tf.fill((4, 4), 2.0)"),
    same("zeros_like"),
    same("arange", "4", tensorflow="tf.range(4)"),
    same("asarray", "a", numpy="np.array(a)", torch="torch.tensor(a)",
          tensorflow="tf.constant(a)"),
    Row("astype", "x.astype('float64')", "x.astype('float64')", "x.to(torch.float64)",
        "x.astype('float64')", "tf.cast(x, tf.float64)"),
    Row("astype to the same", "x.astype('float32')", "x.astype('float32')", "x.clone()",
        "x.astype('float32')", "tf.identity(x)"),
    Row("numpy", "x.numpy()", "x.copy()", "x.numpy().copy()", "np.array(x)", "x.numpy()"),
]  # fmt: skip

ROWS = [
    *_UNARY, *_BINARY, *_REDUCTIONS, *_PRODUCTS, *_MOVEMENT, *_INDEXING, *_CREATION,
    *_REST, *_MORE, *_SPACES,
]  # fmt: skip
