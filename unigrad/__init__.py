"""Write differentiable code once; run it on NumPy, PyTorch, JAX or TensorFlow.

What a module of ops has in its ``__all__`` is public here; everything else is named below.
"""

import unigrad.ops.activations as _activations
import unigrad.ops.affine as _affine
import unigrad.ops.arithmetic as _arithmetic
import unigrad.ops.comparison as _comparison
import unigrad.ops.creation as _creation
import unigrad.ops.cumulative as _cumulative
import unigrad.ops.einsum as _einsum
import unigrad.ops.elementary as _elementary
import unigrad.ops.identity as _identity
import unigrad.ops.indexing as _indexing
import unigrad.ops.information as _information
import unigrad.ops.joining as _joining
import unigrad.ops.limits as _limits
import unigrad.ops.linear as _linear
import unigrad.ops.losses as _losses
import unigrad.ops.methods as _methods
import unigrad.ops.ranges as _ranges
import unigrad.ops.reductions as _reductions
import unigrad.ops.repeating as _repeating
import unigrad.ops.rounding as _rounding
import unigrad.ops.sets as _sets
import unigrad.ops.shaping as _shaping
import unigrad.ops.softmax as _softmax
import unigrad.ops.sorting as _sorting
import unigrad.ops.statistics as _statistics
import unigrad.ops.updating as _updating
import unigrad.ops.windows as _windows
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
from unigrad.control import scan
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
from unigrad.ops.activations import *
from unigrad.ops.affine import *
from unigrad.ops.arithmetic import *
from unigrad.ops.comparison import *
from unigrad.ops.creation import *
from unigrad.ops.cumulative import *
from unigrad.ops.einsum import *
from unigrad.ops.elementary import *
from unigrad.ops.identity import *
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
    "tree",
    "use_backend",
    "value_and_grad",
    "vjp",
]
# Literal sums of lists, because type checkers read them too; the lists of modules that come by
# `import … as`, because pyright follows no module that its package imports by name.
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
__all__ += _identity.__all__
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
