"""Samples of Fourier transforms."""

from __future__ import annotations

from typing import Any

import numpy as np

from unigrad_conformance.sample import case, complexes, integers, positive, real, samples

_name: str
for _name in ("fft", "ifft"):
    samples(
        f"fft.{_name}",
        case(complexes(2, 3)),
        case(real(4)),
        case(complexes(3, 2), axis=0, n=4, norm="ortho"),
        case(complexes(5), n=3, norm="forward"),
        oracle=getattr(np.fft, _name),
        ulps=16,
        brief=True,
    )
samples("fft.fft", case(integers(4)), oracle=np.fft.fft, ulps=16)
for _name in ("rfft", "ihfft"):
    samples(
        f"fft.{_name}",
        case(real(2, 5)),
        case(real(4, 2), axis=0, norm="ortho"),
        case(real(3), n=4, norm="forward"),
        case(real(1)),
        oracle=getattr(np.fft, _name),
        ulps=16,
        brief=True,
    )
for _name in ("irfft", "hfft"):
    samples(
        f"fft.{_name}",
        case(complexes(2, 3)),
        case(complexes(3, 2), axis=0, n=5, norm="ortho"),
        case(complexes(3), n=2, norm="forward"),
        case(real(3), n=7),
        oracle=getattr(np.fft, _name),
        ulps=16,
        brief=True,
    )


def _several(name: str) -> Any:
    def run(x: Any, s: Any = None, axes: Any = None, norm: Any = "backward") -> Any:
        if s is not None and axes is None:
            # What NumPy will do, and warns of.
            axes = tuple(range(x.ndim - len(s), x.ndim))
        return getattr(np.fft, name)(x, s, axes, norm)

    return run


for _name in ("fftn", "ifftn", "rfftn", "irfftn"):
    _draw = real if _name == "rfftn" else complexes
    samples(
        f"fft.{_name}",
        case(_draw(2, 3)),
        case(_draw(2, 3, 2), axes=(2, 0), norm="ortho"),
        case(_draw(3, 2, 2), s=(3, 4), norm="forward"),
        oracle=_several(_name),
        ulps=16,
        brief=True,
    )
for _name in ("fft2", "ifft2", "rfft2", "irfft2"):
    _draw = real if _name == "rfft2" else complexes
    samples(
        f"fft.{_name}",
        case(_draw(2, 3)),
        case(_draw(2, 2, 3), s=(3, 2), axes=(0, 2)),
        oracle=getattr(np.fft, _name),
        ulps=16,
        brief=True,
    )
for _name in ("fftfreq", "rfftfreq"):
    samples(f"fft.{_name}", case(5), case(4, d=0.5), oracle=getattr(np.fft, _name))
    samples(f"fft.{_name}", case(4, dtype="float64"), dtype="float64",
            oracle=lambda n, dtype, name=_name: getattr(np.fft, name)(n))  # fmt: skip
for _name in ("fftshift", "ifftshift"):
    samples(f"fft.{_name}", case(real(5)), case(complexes(3, 4), axes=1), case(integers(3, 2)),
            case(real(3, 2), axes=(0, -1)), ulps=0, brief=True,
            oracle=getattr(np.fft, _name))  # fmt: skip


# -- cosine transforms, by their sums
def _cosines(type: int, n: int) -> Any:
    j, k = np.arange(n), np.arange(n)[:, None]
    if type == 1:
        matrix = 2 * np.cos(np.pi * k * j / (n - 1))
        matrix[:, [0, -1]] /= 2
    elif type == 2:
        matrix = 2 * np.cos(np.pi * k * (2 * j + 1) / (2 * n))
    elif type == 3:
        matrix = 2 * np.cos(np.pi * j * (2 * k + 1) / (2 * n))
        matrix[:, 0] /= 2
    else:
        matrix = 2 * np.cos(np.pi * (2 * j + 1) * (2 * k + 1) / (4 * n))
    return matrix


def _matrix(type: int, n: int, norm: str) -> Any:
    matrix = _cosines(type, n)
    if norm == "ortho":
        # Its rows are orthogonal once the ends have their weights.
        weights = np.ones(n)
        if type in (1, 2, 3):
            weights[0] = np.sqrt(0.5)
        if type == 1:
            weights[-1] = np.sqrt(0.5)
        matrix = matrix * (weights[:, None] if type != 3 else 1)
        matrix = matrix / (weights if type != 2 else 1)
        return matrix / np.sqrt(2 * (n - 1 if type == 1 else n))
    return matrix / (1 if norm == "backward" else 2 * (n - 1 if type == 1 else n))


def _dct(inverse: bool) -> Any:
    def run(x: Any, type: int = 2, n: Any = None, axis: int = -1, norm: str = "backward") -> Any:
        x = np.moveaxis(x, axis, -1)
        if n is not None:
            x = np.concatenate([x, np.zeros((*x.shape[:-1], n))], axis=-1)[..., :n]
        matrix = _matrix(type, x.shape[-1], norm)
        return np.moveaxis(x @ (np.linalg.inv(matrix) if inverse else matrix).T, -1, axis)

    return run


for _name, _inverse in (("dct", False), ("idct", True)):
    samples(
        f"fft.{_name}",
        case(real(2, 5)),
        case(real(2, 4), type=1),
        case(real(5, 2), type=3, axis=0, norm="ortho"),
        case(real(4), type=4, norm="forward"),
        case(real(3), type=2, n=4, norm="ortho"),
        case(real(4), type=3),
        case(real(5), type=1, norm="ortho"),
        case(real(1)),
        case(real(0, 3)),
        oracle=_dct(_inverse),
        ulps=32,
        terms=lambda x, **settings: 2.0 * np.abs(x).sum() + 0 * _dct(False)(x, **settings),
        brief=True,
    )


# -- frames
def _hann(n: int) -> Any:
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n) / n)


def _stft(
    x: Any, n: int, hop: Any = None, fft_length: Any = None, window: Any = None, center: bool = True
) -> Any:
    hop, window = n // 4 if hop is None else hop, _hann(n) if window is None else window
    if center:
        x = np.pad(x, ((0, 0),) * (x.ndim - 1) + ((n // 2, n // 2),), mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(x, n, axis=-1)[..., ::hop, :]
    return np.fft.rfft(frames * window, fft_length or n)


samples(
    "fft.stft",
    case(real(2, 9), 4),
    case(real(7), 4, hop=3, fft_length=6, center=False),
    oracle=_stft,
    ulps=32,
    terms=lambda x, n, **settings: 4.0 + 0 * np.abs(_stft(x, n, **settings)),
    brief=True,
)
samples(
    "fft.stft",
    case(real(7), 4, positive(4)),
    oracle=lambda x, n, window: _stft(x, n, window=window),
    call=lambda ug, x, n, window: ug.fft.stft(x, n, window=window),
    ulps=32,
    terms=lambda x, n, window: 8.0 + 0 * np.abs(_stft(x, n)),
    brief=True,
)


def _istft(x: Any, n: int, hop: Any = None, length: Any = None, center: bool = True) -> Any:
    """By least squares, with the matrix of `_stft`, of spectra as pairs of real numbers."""
    hop = n // 4 if hop is None else hop
    total = (x.shape[-2] - 1) * hop + n
    units = _stft(np.eye(total), n, hop, center=False).reshape(total, -1)
    # Frames transformed back are what counts: so are both halves of a spectrum.
    weights = np.full(n // 2 + 1, 2.0)
    weights[0] = 1.0
    if n % 2 == 0:
        weights[-1] = 1.0
    roots = np.sqrt(np.tile(weights, x.shape[-2]))
    parts = [np.concatenate([one.real * roots, one.imag * roots], axis=-1)
             for one in (units, x.reshape(*x.shape[:-2], -1))]  # fmt: skip
    found = parts[1] @ np.linalg.pinv(parts[0])
    begin = n // 2 if center else 0
    return found[..., begin : total - begin if length is None else begin + length]


samples(
    "fft.istft",
    case(complexes(2, 5, 3), 4),
    case(complexes(3, 4), 6, hop=2, length=5),
    case(complexes(4, 4), 7, hop=2, center=False),
    oracle=_istft,
    ulps=64,
    terms=lambda x, n, **settings: 4.0 + 0 * _istft(x, n, **settings),
    brief=True,
)
