"""Write differentiable code once; run it on NumPy, PyTorch, JAX or TensorFlow."""

from unigrad.autodiff import rules as _rules  # noqa: F401
from unigrad.autodiff.tape import GradientTape
from unigrad.core.dtypes import *
from unigrad.core.registry import get_backend, set_backend, use_backend
from unigrad.core.tensor import Tensor
from unigrad.core.variable import Variable
from unigrad.ops import methods as _methods
from unigrad.ops.creation import *
from unigrad.ops.elementwise import *
from unigrad.ops.linear import *
from unigrad.ops.reductions import *
from unigrad.ops.shaping import *

_methods.attach()
