"""Write differentiable code once; run it on NumPy, PyTorch, JAX or TensorFlow.

What a module of ops has in its ``__all__`` is public here; everything else is named below.
"""

from unigrad import (
    data,
    initializers,
    io,
    layers,
    losses,
    metrics,
    nn,
    optimizers,
    random,
    seq2seq,
)
from unigrad.autodiff import rules as _rules  # noqa: F401 (writes the rules into the ops)
from unigrad.autodiff.forward import ForwardAccumulator
from unigrad.autodiff.tape import GradientTape
from unigrad.autodiff.transforms import grad, jvp, value_and_grad, vjp
from unigrad.control import scan, stop_gradient
from unigrad.core import copying as _copying  # noqa: F401 (for copy and pickle)
from unigrad.core import dtypes as _dtypes
from unigrad.core import errors as _errors
from unigrad.core import tree
from unigrad.core.dtypes import *
from unigrad.core.dtypes import bool_ as bool
from unigrad.core.errors import *
from unigrad.core.registry import available_backends, get_backend, set_backend, use_backend
from unigrad.core.tensor import Tensor
from unigrad.core.variable import Variable
from unigrad.ops import activations as _activations
from unigrad.ops import affine as _affine
from unigrad.ops import arithmetic as _arithmetic
from unigrad.ops import comparison as _comparison
from unigrad.ops import creation as _creation
from unigrad.ops import cumulative as _cumulative
from unigrad.ops import einsum as _einsum
from unigrad.ops import elementary as _elementary
from unigrad.ops import indexing as _indexing
from unigrad.ops import information as _information
from unigrad.ops import joining as _joining
from unigrad.ops import limits as _limits
from unigrad.ops import linear as _linear
from unigrad.ops import losses as _losses
from unigrad.ops import methods as _methods
from unigrad.ops import ranges as _ranges
from unigrad.ops import reductions as _reductions
from unigrad.ops import repeating as _repeating
from unigrad.ops import rounding as _rounding
from unigrad.ops import sets as _sets
from unigrad.ops import shaping as _shaping
from unigrad.ops import softmax as _softmax
from unigrad.ops import sorting as _sorting
from unigrad.ops import statistics as _statistics
from unigrad.ops import updating as _updating
from unigrad.ops import windows as _windows
from unigrad.ops.activations import *
from unigrad.ops.affine import *
from unigrad.ops.arithmetic import *
from unigrad.ops.comparison import *
from unigrad.ops.creation import *
from unigrad.ops.cumulative import *
from unigrad.ops.einsum import *
from unigrad.ops.elementary import *
from unigrad.ops.indexing import *
from unigrad.ops.information import *
from unigrad.ops.joining import *
from unigrad.ops.limits import *
from unigrad.ops.linear import *
from unigrad.ops.losses import *
from unigrad.ops.namespace_info import __array_api_version__, __array_namespace_info__
from unigrad.ops.ranges import *
from unigrad.ops.reductions import *
from unigrad.ops.repeating import *
from unigrad.ops.rounding import *
from unigrad.ops.sets import *
from unigrad.ops.shaping import *
from unigrad.ops.softmax import *
from unigrad.ops.sorting import *
from unigrad.ops.statistics import *
from unigrad.ops.updating import *
from unigrad.ops.windows import *
from unigrad.tracing.jit import jit
from unigrad.tracing.scope import init_scope

__all__ = [
    "ForwardAccumulator",
    "GradientTape",
    "Tensor",
    "Variable",
    "__array_api_version__",
    "__array_namespace_info__",
    "available_backends",
    "bool",
    "data",
    "get_backend",
    "grad",
    "init_scope",
    "initializers",
    "io",
    "jit",
    "jvp",
    "layers",
    "losses",
    "metrics",
    "nn",
    "optimizers",
    "random",
    "scan",
    "seq2seq",
    "set_backend",
    "stop_gradient",
    "tree",
    "use_backend",
    "value_and_grad",
    "vjp",
]
# Literal sums of lists, because type checkers read them too.
__all__ += _dtypes.__all__
__all__ += _errors.__all__
__all__ += _activations.__all__
__all__ += _affine.__all__
__all__ += _arithmetic.__all__
__all__ += _comparison.__all__
__all__ += _creation.__all__
__all__ += _cumulative.__all__
__all__ += _einsum.__all__
__all__ += _elementary.__all__
__all__ += _indexing.__all__
__all__ += _information.__all__
__all__ += _joining.__all__
__all__ += _limits.__all__
__all__ += _linear.__all__
__all__ += _losses.__all__
__all__ += _ranges.__all__
__all__ += _reductions.__all__
__all__ += _repeating.__all__
__all__ += _rounding.__all__
__all__ += _sets.__all__
__all__ += _shaping.__all__
__all__ += _softmax.__all__
__all__ += _sorting.__all__
__all__ += _statistics.__all__
__all__ += _updating.__all__
__all__ += _windows.__all__

_methods.attach()
