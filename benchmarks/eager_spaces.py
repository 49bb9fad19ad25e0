"""More rows of `benchmarks.eager_table`: `ug.linalg`, `ug.fft`, `ug.special`, `ug.nn`, losses.

Besides what is named there, they see ``h`` float32 (4, 4), positive definite, ``z`` complex64
(4, 4), ``u`` float32 (1, 4, 4, 4), an image, ``w`` float32 (2, 2, 4, 4), a kernel of its, and ``o``
float32 (4, 4) between 0 and 1.
"""

from __future__ import annotations

from benchmarks.eager_rows import Row

_LINALG = [
    Row(f"linalg.{name}", f"ug.linalg.{name}(h)", f"np.linalg.{name}(h)",
        f"torch.linalg.{name}(h)", f"jnp.linalg.{name}(h)", tensorflow)
    for name, tensorflow in (
        ("cholesky", "tf.linalg.cholesky(h)"), ("det", "tf.linalg.det(h)"),
        ("eig", "tf.linalg.eig(h)"), ("eigh", "tf.linalg.eigh(h)"),
        ("eigvals", "tf.linalg.eigvals(h)"), ("eigvalsh", "tf.linalg.eigvalsh(h)"),
        ("inv", "tf.linalg.inv(h)"), ("pinv", "tf.linalg.pinv(h)"), ("qr", "tf.linalg.qr(h)"),
        ("slogdet", "tf.linalg.slogdet(h)"), ("svd", "tf.linalg.svd(h)"),
        ("svdvals", "tf.linalg.svd(h, compute_uv=False)"),
        ("matrix_norm", None), ("norm", "tf.norm(h)"), ("vector_norm", None),
        ("matrix_rank", "tf.linalg.matrix_rank(h)"),
    )
] + [
    Row("linalg.matrix_power", "ug.linalg.matrix_power(h, 3)", "np.linalg.matrix_power(h, 3)",
        "torch.linalg.matrix_power(h, 3)", "jnp.linalg.matrix_power(h, 3)"),
    Row("linalg.solve", "ug.linalg.solve(h, x)", "np.linalg.solve(h, x)",
        "torch.linalg.solve(h, x)", "jnp.linalg.solve(h, x)", "tf.linalg.solve(h, x)"),
    Row("linalg.lstsq", "ug.linalg.lstsq(h, x)", "np.linalg.lstsq(h, x)",
        "torch.linalg.lstsq(h, x)", "jnp.linalg.lstsq(h, x)", "tf.linalg.lstsq(h, x)"),
    Row("linalg.solve_triangular", "ug.linalg.solve_triangular(h, x)", None,
        "torch.linalg.solve_triangular(h, x, upper=False)",
        "jax.scipy.linalg.solve_triangular(h, x, lower=True)", "tf.linalg.triangular_solve(h, x)"),
    Row("linalg.cholesky_solve", "ug.linalg.cholesky_solve(h, x)", None,
        "torch.cholesky_solve(x, h)", None, "tf.linalg.cholesky_solve(h, x)"),
    Row("linalg.cross", "ug.linalg.cross(x[:, :3], y[:, :3])",
        "np.linalg.cross(x[:, :3], y[:, :3])", "torch.linalg.cross(x[:, :3], y[:, :3])",
        "jnp.linalg.cross(x[:, :3], y[:, :3])",
        "tf.linalg.cross(x[:, :3], y[:, :3])"),
    Row("linalg.expm", "ug.linalg.expm(x)", None, "torch.linalg.matrix_exp(x)",
        "jax.scipy.linalg.expm(x)", "tf.linalg.expm(x)"),
    Row("linalg.multi_dot", "ug.linalg.multi_dot((x, y, h))", "np.linalg.multi_dot((x, y, h))",
        "torch.linalg.multi_dot((x, y, h))", "jnp.linalg.multi_dot((x, y, h))"),
    Row("linalg.block_diag", "ug.linalg.block_diag(x, y)", None, "torch.block_diag(x, y)",
        "jax.scipy.linalg.block_diag(x, y)"),
]  # fmt: skip

_FFT = [
    Row(f"fft.{name}", f"ug.fft.{name}({of})", f"np.fft.{name}({of})", f"torch.fft.{name}({of})",
        f"jnp.fft.{name}({of})", tf and f"tf.signal.{tf}({of})")
    for name, of, tf in (
        ("fft", "z", "fft"), ("ifft", "z", "ifft"), ("rfft", "x", "rfft"), ("irfft", "z", "irfft"),
        ("fft2", "z", "fft2d"), ("ifft2", "z", "ifft2d"), ("rfft2", "x", "rfft2d"),
        ("irfft2", "z", "irfft2d"), ("fftn", "z", None), ("ifftn", "z", None), ("rfftn", "x", None),
        ("hfft", "z", None), ("ihfft", "x", None), ("fftshift", "x", "fftshift"),
        ("ifftshift", "x", "ifftshift"),
    )
]  # fmt: skip

_SPECIAL = [
    Row(f"special.{name}", f"ug.special.{name}({of})", None,
        torch and f"torch.special.{torch}({of})", jax and f"jax.scipy.special.{jax}({of})",
        tf and f"tf.math.{tf}({of})")
    for name, of, torch, jax, tf in (
        ("digamma", "p", "digamma", "digamma", "digamma"),
        ("lgamma", "p", "gammaln", "gammaln", "lgamma"),
        ("gammainc", "p, q", "gammainc", "gammainc", "igamma"),
        ("gammaincc", "p, q", "gammaincc", "gammaincc", "igammac"),
        ("i0", "x", "i0", "i0", "special.bessel_i0"),
        ("i0e", "x", "i0e", "i0e", "special.bessel_i0e"),
        ("i1", "x", "i1", "i1", "special.bessel_i1"),
        ("i1e", "x", "i1e", "i1e", "special.bessel_i1e"),
        ("j0", "x", "bessel_j0", None, "special.bessel_j0"),
        ("y0", "p", "bessel_y0", None, "special.bessel_y0"),
        ("ndtr", "x", "ndtr", "ndtr", None), ("ndtri", "o", "ndtri", "ndtri", None),
        ("log_ndtr", "x", "log_ndtr", "log_ndtr", None),
        ("logit", "o", "logit", "logit", None),
        ("xlogy", "p, q", "xlogy", "xlogy", "xlogy"),
        ("xlog1py", "p, q", "xlog1py", "xlog1py", "xlog1py"),
        ("zeta", "q, p", "zeta", "zeta", "zeta"),
        ("betaln", "p, q", None, "betaln", None),
    )
]  # fmt: skip

_F = "torch.nn.functional"
_NN = [
    Row("nn.hard_shrink", "ug.nn.hard_shrink(x)", None, f"{_F}.hardshrink(x)"),
    Row("nn.soft_shrink", "ug.nn.soft_shrink(x)", None, f"{_F}.softshrink(x)"),
    Row("nn.threshold", "ug.nn.threshold(x, 0.1, 2.0)", None, f"{_F}.threshold(x, 0.1, 2.0)"),
    Row("nn.squareplus", "ug.nn.squareplus(x)", None, None, "jax.nn.squareplus(x)"),
    Row("nn.glu", "ug.nn.glu(x)", None, f"{_F}.glu(x)", "jax.nn.glu(x)"),
    Row("nn.prelu", "ug.nn.prelu(x, v)", None, f"{_F}.prelu(x, v)"),
    Row("nn.embedding", "ug.nn.embedding(s, x)", "x[s]", f"{_F}.embedding(s, x)", None,
        "tf.nn.embedding_lookup(x, s)"),
    Row("nn.layer_norm", "ug.nn.layer_norm(x, v, v)", None, f"{_F}.layer_norm(x, (4,), v, v)"),
    Row("nn.rms_norm", "ug.nn.rms_norm(x, v)", None, f"{_F}.rms_norm(x, (4,), v)"),
    Row("nn.l2_normalize", "ug.nn.l2_normalize(x)", None, f"{_F}.normalize(x)", None,
        "tf.nn.l2_normalize(x, -1)"),
    Row("nn.dot_product_attention", "ug.nn.dot_product_attention(u, u, u)", None, None,
        "jax.nn.dot_product_attention(u, u, u)"),
    Row("conv", "ug.conv(u, w)", None, f"{_F}.conv2d(u.permute(0, 3, 1, 2), w.permute(3, 2, 0, 1))",
        "jax.lax.conv_general_dilated(u, w, (1, 1), 'VALID',"
        " dimension_numbers=('NHWC', 'HWIO', 'NHWC'))",
        "tf.nn.conv2d(u, w, 1, 'VALID')"),
    Row("max_pool", "ug.max_pool(u, 2)", None, f"{_F}.max_pool2d(u.permute(0, 3, 1, 2), 2)", None,
        "tf.nn.max_pool2d(u, 2, 2, 'VALID')"),
    Row("average_pool", "ug.average_pool(u, 2)", None, f"{_F}.avg_pool2d(u.permute(0, 3, 1, 2), 2)",
        None, "tf.nn.avg_pool2d(u, 2, 2, 'VALID')"),
    *[
        Row(f"losses.{name}", f"ug.losses.{name}(y, x)", None,
            f"{_F}.{torch}(x, y, reduction='none').mean(-1)")
        for name, torch in (("mse", "mse_loss"), ("mae", "l1_loss"), ("huber", "huber_loss"))
    ],
    Row("losses.sparse_categorical_crossentropy",
        "ug.losses.sparse_categorical_crossentropy(s, x, from_logits=True)", None,
        f"{_F}.cross_entropy(x, s, reduction='none')", None,
        "tf.nn.sparse_softmax_cross_entropy_with_logits(s, x)"),
]  # fmt: skip

ROWS = [*_LINALG, *_FFT, *_SPECIAL, *_NN]
