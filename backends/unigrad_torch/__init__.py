"""unigrad's PyTorch backend, differentiated by torch autograd."""

# Triton must load before TensorFlow does: the other order aborts the process (both bring LLVM).
from unigrad_torch import triton_first as _triton_first  # noqa: F401
from unigrad_torch.backend import TorchBackend

backend = TorchBackend()

__all__ = ["TorchBackend", "backend"]
