"""Fourier transforms, without a factor forward and with 1/n back."""

import torch


def irfft(x: torch.Tensor, *, axes: tuple[int, ...], n: int) -> torch.Tensor:
    """Torch's."""
    return torch.fft.irfftn(x, [*[x.shape[axis] for axis in axes[:-1]], n], axes)


TABLE = {
    "fft": lambda x, axes: torch.fft.fftn(x, dim=axes),
    "ifft": lambda x, axes: torch.fft.ifftn(x, dim=axes),
    "rfft": lambda x, axes: torch.fft.rfftn(x, dim=axes),
    "irfft": irfft,
}
