"""More rows of `benchmarks.eager_table`: the rarer operations.

Besides what is named there, they see ``c`` float32 (4, 4) between -1 and 1, ``q`` greater than 1,
and ``s`` int64 (4,), labels.
"""

from __future__ import annotations

from benchmarks.eager_rows import Row, same

_UNARY = [
    *[
        Row(name, f"ug.{name}(c)", f"np.arc{name[1:]}(c)", f"torch.{name}(c)",
            f"jnp.arc{name[1:]}(c)", f"tf.{name}(c)")
        for name in ("acos", "asin", "atan", "asinh", "atanh")
    ],
    Row("acosh", "ug.acosh(q)", "np.arccosh(q)", "torch.acosh(q)", "jnp.arccosh(q)", "tf.acosh(q)"),
    same("tan"), same("sinh"), same("cosh"),
    same("exp2", tensorflow="tf.pow(2.0, x)"),
    same("log2", "p", tensorflow="tf.experimental.numpy.log2(p)"),
    same("log10", "p", tensorflow="tf.experimental.numpy.log10(p)"),
    same("reciprocal", "p", tensorflow="tf.math.reciprocal(p)"),
    Row("rsqrt", "ug.rsqrt(p)", "1 / np.sqrt(p)", "torch.rsqrt(p)", "jax.lax.rsqrt(p)",
        "tf.math.rsqrt(p)"),
    same("positive", tensorflow="tf.identity(x)"),
    same("trunc", tensorflow="tf.where(x < 0, tf.math.ceil(x), tf.floor(x))"),
    same("isinf", tensorflow="tf.math.is_inf(x)"),
    same("logical_not", "m"),
    same("sinc", tensorflow="tf.experimental.numpy.sinc(x)"),
    Row("erf", "ug.erf(x)", None, "torch.erf(x)", "jax.lax.erf(x)", "tf.math.erf(x)"),
    Row("erfinv", "ug.erfinv(c)", None, "torch.erfinv(c)", "jax.lax.erf_inv(c)",
        "tf.math.erfinv(c)"),
    Row("conj", "ug.conj(x)", "np.conj(x)", "torch.conj_physical(x)", "jnp.conj(x)",
        "tf.math.conj(x)"),
    Row("bitwise_invert", "ug.bitwise_invert(n)", "np.invert(n)", "torch.bitwise_not(n)",
        "jnp.invert(n)", "tf.bitwise.invert(n)"),
    same("nan_to_num", tensorflow="tf.where(tf.math.is_nan(x), 0.0, x)"),
]  # fmt: skip

_BINARY = [
    same("floor_divide", "x, p", tensorflow="tf.math.floordiv(x, p)"),
    same("remainder", "x, p", tensorflow="tf.math.floormod(x, p)"),
    same("greater", "x, y"), same("greater_equal", "x, y"), same("less_equal", "x, y"),
    Row("not_equal", "ug.not_equal(x, y)", "np.not_equal(x, y)", "torch.ne(x, y)",
        "jnp.not_equal(x, y)", "tf.not_equal(x, y)"),
    same("logical_or", "m, m"),
    same("logical_xor", "m, m", tensorflow="tf.math.logical_xor(m, m)"),
    *[same(f"bitwise_{name}", "n, n", tensorflow=f"tf.bitwise.bitwise_{name}(n, n)")
      for name in ("and", "or", "xor")],
    same("bitwise_left_shift", "n, n", numpy="np.left_shift(n, n)",
         jax="jnp.left_shift(n, n)", tensorflow="tf.bitwise.left_shift(n, n)"),
    same("bitwise_right_shift", "n, n", numpy="np.right_shift(n, n)",
         jax="jnp.right_shift(n, n)", tensorflow="tf.bitwise.right_shift(n, n)"),
    same("copysign", "x, y")._replace(tensorflow=None),
    same("fmax", "x, y")._replace(tensorflow=None),
    same("fmin", "x, y")._replace(tensorflow=None),
    same("heaviside", "x, y", tensorflow="tf.experimental.numpy.heaviside(x, y)"),
    same("hypot", "x, y", tensorflow="tf.experimental.numpy.hypot(x, y)"),
    same("logaddexp", "x, y", tensorflow="tf.experimental.numpy.logaddexp(x, y)"),
    same("isclose", "x, y", tensorflow="tf.experimental.numpy.isclose(x, y)"),
    # A bool in unigrad, which is waited for.
    same("allclose", "x, x", jax="bool(jnp.allclose(x, x))",
         tensorflow="bool(tf.experimental.numpy.allclose(x, x))"),
]  # fmt: skip

_ACTIVATIONS = [
    *[
        Row(name, f"ug.nn.{name}(x)", None, f"torch.nn.functional.{theirs}(x)",
            f"jax.nn.{jax}(x)", tf)
        for name, theirs, jax, tf in (
            ("relu6", "relu6", "relu6", "tf.nn.relu6(x)"),
            ("leaky_relu", "leaky_relu", "leaky_relu", "tf.nn.leaky_relu(x)"),
            ("elu", "elu", "elu", "tf.nn.elu(x)"),
            ("celu", "celu", "celu", None),
            ("selu", "selu", "selu", "tf.nn.selu(x)"),
            ("silu", "silu", "silu", "tf.nn.silu(x)"),
            ("mish", "mish", "mish", None),
            ("softplus", "softplus", "softplus", "tf.nn.softplus(x)"),
            ("log_sigmoid", "logsigmoid", "log_sigmoid", "tf.math.log_sigmoid(x)"),
            ("softsign", "softsign", "soft_sign", "tf.nn.softsign(x)"),
            ("hard_sigmoid", "hardsigmoid", "hard_sigmoid", None),
            ("hard_silu", "hardswish", "hard_silu", None),
            ("hard_tanh", "hardtanh", "hard_tanh", None),
            ("gelu", "gelu", "gelu", "tf.nn.gelu(x)"),
        )
    ],
    Row("sparse_softmax_crossentropy", "ug.sparse_softmax_crossentropy(x, s)", None,
        "torch.nn.functional.cross_entropy(x, s, reduction='none')", None,
        "tf.nn.sparse_softmax_cross_entropy_with_logits(s, x)"),
    Row("one_hot", "ug.nn.one_hot(s, 4)", None, "torch.nn.functional.one_hot(s, 4)",
        "jax.nn.one_hot(s, 4)", "tf.one_hot(s, 4)"),
]  # fmt: skip

_REDUCTIONS = [
    same("min", tensorflow="tf.reduce_min(x)"),
    same("argmin", "x, axis=1", torch="torch.argmin(x, dim=1)", tensorflow="tf.argmin(x, axis=1)"),
    same("count_nonzero", tensorflow="tf.math.count_nonzero(x)"),
    Row("cumulative_prod", "ug.cumulative_prod(x, axis=1)", "np.cumprod(x, axis=1)",
        "torch.cumprod(x, dim=1)", "jnp.cumprod(x, axis=1)", "tf.math.cumprod(x, axis=1)"),
    Row("norm", "ug.norm(x)", "np.linalg.norm(x)", "torch.linalg.vector_norm(x)",
        "jnp.linalg.norm(x)", "tf.norm(x)"),
    same("diff", tensorflow="tf.experimental.numpy.diff(x)"),
    Row("top_k", "ug.top_k(x, 2)", None, "torch.topk(x, 2)", "jax.lax.top_k(x, 2)",
        "tf.math.top_k(x, 2)"),
    same("searchsorted", "v, v", tensorflow="tf.searchsorted(v, v)"),
    Row("unique_values", "ug.unique_values(n)", "np.unique(n)", "torch.unique(n)", "jnp.unique(n)",
        "tf.unique(tf.reshape(n, (-1,)))"),
]  # fmt: skip

_PRODUCTS = [
    same("dot", "v, v", tensorflow="tf.tensordot(v, v, 1)"),
    same("inner", "x, y", tensorflow="tf.matmul(x, y, transpose_b=True)"),
    same("vecdot", "x, y", torch="torch.linalg.vecdot(x, y)",
         tensorflow="tf.reduce_sum(x * y, -1)"),
    same("kron", "x, y", tensorflow="tf.experimental.numpy.kron(x, y)"),
    same("trace", tensorflow="tf.linalg.trace(x)"),
    same("diagonal", tensorflow="tf.linalg.diag_part(x)"),
    same("diag", "v", tensorflow="tf.linalg.diag(v)"),
]  # fmt: skip

_MOVEMENT = [
    same("triu", tensorflow="tf.linalg.band_part(x, 0, -1)"),
    same("ravel", tensorflow="tf.reshape(x, (-1,))"),
    same("moveaxis", "x, 0, 1", tensorflow="tf.transpose(x, (1, 0))"),
    same("swapaxes", "x, 0, 1", tensorflow="tf.transpose(x, (1, 0))"),
    Row("unstack", "ug.unstack(x)", "list(x)", "torch.unbind(x)", "jnp.unstack(x)",
        "tf.unstack(x)"),
    same("repeat", "x, 2, axis=0", torch="torch.repeat_interleave(x, 2, 0)"),
    same("meshgrid", "v, v", torch="torch.meshgrid(v, v, indexing='xy')"),
    Row("stop_gradient", "ug.stop_gradient(x)", None, "x.detach()", "jax.lax.stop_gradient(x)",
        "tf.stop_gradient(x)"),
    same("copy", torch="torch.clone(x)", tensorflow="tf.identity(x)"),
]  # fmt: skip

_INDEXING = [
    Row("x[i, i]", "x[i, i]", "x[i, i]", "x[i, i]", "x[i, i]",
        "tf.gather_nd(x, tf.stack((i, i), 1))"),
    same("nonzero", "m", torch="torch.nonzero(m)", tensorflow="tf.where(m)"),
    Row("x.at[i].add", "x.at[i].add(x[:3])", None, "torch.index_add(x, 0, i, x[:3])",
        "x.at[i].add(x[:3])", "tf.tensor_scatter_nd_add(x, i[:, None], x[:3])"),
    Row("index_select", "ug.index_select(x, i)", "np.take(x, i, axis=0)",
        "torch.index_select(x, 0, i)", "jnp.take(x, i, axis=0)", "tf.gather(x, i)"),
]  # fmt: skip

_CREATION = [
    same("ones_like"),
    same("full_like", "x, 2.0", tensorflow="tf.fill((4, 4), 2.0)"),
    same("linspace", "0.0, 1.0, 5"),
    same("eye", "4"),
]

ROWS = [
    *_UNARY,
    *_BINARY,
    *_ACTIVATIONS,
    *_REDUCTIONS,
    *_PRODUCTS,
    *_MOVEMENT,
    *_INDEXING,
    *_CREATION,
]
