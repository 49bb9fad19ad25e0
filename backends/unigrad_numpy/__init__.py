"""unigrad's NumPy backend: ndarray kernels, differentiated by the reference tape."""

from unigrad_numpy.backend import NumpyBackend

backend = NumpyBackend()

__all__ = ["NumpyBackend", "backend"]
