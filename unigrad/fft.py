"""Fourier transforms as a namespace: the Array API's ``fft`` extension, and more.

Two axes at once, cosine transforms, and the spectra of frames of a signal.
"""

from unigrad.ops.cosines import dct, idct
from unigrad.ops.fourier import (
    fft,
    fft2,
    fftn,
    hfft,
    ifft,
    ifft2,
    ifftn,
    ihfft,
    irfft,
    irfft2,
    irfftn,
    rfft,
    rfft2,
    rfftn,
)
from unigrad.ops.frequencies import fftfreq, fftshift, ifftshift, rfftfreq
from unigrad.ops.short_time import istft, stft

__all__ = [
    "dct",
    "fft",
    "fft2",
    "fftfreq",
    "fftn",
    "fftshift",
    "hfft",
    "idct",
    "ifft",
    "ifft2",
    "ifftn",
    "ifftshift",
    "ihfft",
    "irfft",
    "irfft2",
    "irfftn",
    "istft",
    "rfft",
    "rfft2",
    "rfftfreq",
    "rfftn",
    "stft",
]
