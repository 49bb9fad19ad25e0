"""Write differentiable code once; run it on NumPy, PyTorch, JAX or TensorFlow.

What a module of ops has in its ``__all__`` is public here; everything else is named below.
"""

import unigrad.ops.activations as _activations
import unigrad.ops.affine as _affine
import unigrad.ops.arithmetic as _arithmetic
import unigrad.ops.averages as _averages
import unigrad.ops.choosing as _choosing
import unigrad.ops.closeness as _closeness
import unigrad.ops.comparison as _comparison
import unigrad.ops.convolution as _convolution
import unigrad.ops.counting as _counting
import unigrad.ops.creation as _creation
import unigrad.ops.cumulative as _cumulative
import unigrad.ops.curves as _curves
import unigrad.ops.derived as _derived
import unigrad.ops.einsum as _einsum
import unigrad.ops.elementary as _elementary
import unigrad.ops.exchange as _exchange
import unigrad.ops.filling as _filling
import unigrad.ops.grids as _grids
import unigrad.ops.identity as _identity
import unigrad.ops.indexing as _indexing
import unigrad.ops.information as _information
import unigrad.ops.joining as _joining
import unigrad.ops.limits as _limits
import unigrad.ops.linear as _linear
import unigrad.ops.losses as _losses
import unigrad.ops.mantissas as _mantissas
import unigrad.ops.methods as _methods
import unigrad.ops.nans as _nans
import unigrad.ops.parts as _parts
import unigrad.ops.patterns as _patterns
import unigrad.ops.pooling as _pooling
import unigrad.ops.quantiles as _quantiles
import unigrad.ops.quotients as _quotients
import unigrad.ops.ragged as _ragged
import unigrad.ops.ranges as _ranges
import unigrad.ops.rearranging as _rearranging
import unigrad.ops.reductions as _reductions
import unigrad.ops.repeating as _repeating
import unigrad.ops.rounding as _rounding
import unigrad.ops.scattering as _scattering
import unigrad.ops.segments as _segments
import unigrad.ops.sets as _sets
import unigrad.ops.shaping as _shaping
import unigrad.ops.softmax as _softmax
import unigrad.ops.sorting as _sorting
import unigrad.ops.stacking as _stacking
import unigrad.ops.statistics as _statistics
import unigrad.ops.updating as _updating
import unigrad.ops.windows as _windows
from unigrad import (
    data,
    decoding,
    fft,
    graph,
    initializers,
    io,
    layers,
    linalg,
    losses,
    metrics,
    nn,
    optimizers,
    pronunciation,
    random,
    seq2seq,
    special,
    training,
)
from unigrad.autodiff import rules as _rules
from unigrad.autodiff.forward import ForwardAccumulator
from unigrad.autodiff.tape import GradientTape
from unigrad.autodiff.transforms import grad, jvp, value_and_grad, vjp
from unigrad.batching import rules as _batching_rules  # noqa: F401 (as those of derivatives)
from unigrad.batching.vectorize import vectorize
from unigrad.batching.vmap import vmap
from unigrad.control import (
    ShapeDtypeStruct,
    associative_scan,
    cond,
    fori_loop,
    map,
    pure_callback,
    reduce_window,
    scan,
    switch,
    while_loop,
)
from unigrad.control import batching as _batching  # noqa: F401 (how loops run on batches)
from unigrad.control import derivatives as _derivatives  # noqa: F401 (and are differentiated)
from unigrad.core import copying as _copying  # noqa: F401 (for copy and pickle)
from unigrad.core import dtypes as _dtypes
from unigrad.core import errors as _errors
from unigrad.core import foreign as _foreign
from unigrad.core import tree
from unigrad.core.dtypes import *
from unigrad.core.dtypes import bool_ as bool
from unigrad.core.errors import *
from unigrad.core.registry import available_backends, get_backend, set_backend, use_backend
from unigrad.core.tensor import Tensor
from unigrad.core.variable import Variable
from unigrad.native import einops_backend as _einops_backend  # noqa: F401 (tells einops of us)
from unigrad.native.call import native_call
from unigrad.native.interop import interop
from unigrad.native.minimizing import scipy_value_and_grad
from unigrad.ops.activations import *
from unigrad.ops.affine import *
from unigrad.ops.arithmetic import *
from unigrad.ops.averages import *
from unigrad.ops.choosing import *
from unigrad.ops.closeness import *
from unigrad.ops.comparison import *
from unigrad.ops.convolution import *
from unigrad.ops.counting import *
from unigrad.ops.creation import *
from unigrad.ops.cumulative import *
from unigrad.ops.curves import *
from unigrad.ops.derived import *
from unigrad.ops.einsum import *
from unigrad.ops.elementary import *
from unigrad.ops.exchange import *
from unigrad.ops.filling import *
from unigrad.ops.grids import *
from unigrad.ops.identity import *
from unigrad.ops.indexing import *
from unigrad.ops.information import *
from unigrad.ops.joining import *
from unigrad.ops.limits import *
from unigrad.ops.linear import *
from unigrad.ops.losses import *
from unigrad.ops.mantissas import *
from unigrad.ops.namespace_info import __array_api_version__, __array_namespace_info__
from unigrad.ops.nans import *
from unigrad.ops.parts import *
from unigrad.ops.patterns import *
from unigrad.ops.pooling import *
from unigrad.ops.quantiles import *
from unigrad.ops.quotients import *
from unigrad.ops.ragged import *
from unigrad.ops.ranges import *
from unigrad.ops.rearranging import *
from unigrad.ops.reductions import *
from unigrad.ops.repeating import *
from unigrad.ops.rounding import *
from unigrad.ops.scattering import *
from unigrad.ops.segments import *
from unigrad.ops.sets import *
from unigrad.ops.shaping import *
from unigrad.ops.softmax import *
from unigrad.ops.sorting import *
from unigrad.ops.stacking import *
from unigrad.ops.statistics import *
from unigrad.ops.updating import *
from unigrad.ops.windows import *
from unigrad.tracing import rows as _rows  # noqa: F401 (makes rows of kernels)
from unigrad.tracing.jit import jit
from unigrad.tracing.scope import init_scope
from unigrad.tracing.switch import disable_jit
from unigrad.transforms.checking import check_grads
from unigrad.transforms.checkpoint import checkpoint
from unigrad.transforms.clipping import grad_clip_identity
from unigrad.transforms.custom import custom_gradient, custom_jvp, custom_vjp
from unigrad.transforms.directions import (
    elementwise_grad,
    ggnvp,
    holomorphic_grad,
    laplacian,
    taylor,
)
from unigrad.transforms.implicit import implicit_diff
from unigrad.transforms.jacobians import hessian, hvp, jacfwd, jacobian, jacrev
from unigrad.transforms.linearize import linearize

# By now every op is declared, whichever module declares it.
_rules.composites.derive_rules()

__all__ = [
    "ForwardAccumulator",
    "GradientTape",
    "ShapeDtypeStruct",
    "Tensor",
    "Variable",
    "__array_api_version__",
    "__array_namespace_info__",
    "associative_scan",
    "available_backends",
    "bool",
    "check_grads",
    "checkpoint",
    "cond",
    "custom_gradient",
    "custom_jvp",
    "custom_vjp",
    "data",
    "decoding",
    "disable_jit",
    "elementwise_grad",
    "fft",
    "fori_loop",
    "get_backend",
    "ggnvp",
    "grad",
    "grad_clip_identity",
    "graph",
    "hessian",
    "holomorphic_grad",
    "hvp",
    "implicit_diff",
    "init_scope",
    "initializers",
    "interop",
    "io",
    "jacfwd",
    "jacobian",
    "jacrev",
    "jit",
    "jvp",
    "laplacian",
    "layers",
    "linalg",
    "linearize",
    "losses",
    "map",
    "metrics",
    "native_call",
    "nn",
    "optimizers",
    "pronunciation",
    "pure_callback",
    "random",
    "reduce_window",
    "scan",
    "scipy_value_and_grad",
    "seq2seq",
    "set_backend",
    "special",
    "switch",
    "taylor",
    "training",
    "tree",
    "use_backend",
    "value_and_grad",
    "vectorize",
    "vjp",
    "vmap",
    "while_loop",
]
# Literal sums of lists, because type checkers read them too; the lists of modules that come by
# `import … as`, because pyright follows no module that its package imports by name.
__all__ += _dtypes.__all__
__all__ += _errors.__all__
__all__ += _activations.__all__
__all__ += _affine.__all__
__all__ += _arithmetic.__all__
__all__ += _averages.__all__
__all__ += _choosing.__all__
__all__ += _closeness.__all__
__all__ += _comparison.__all__
__all__ += _convolution.__all__
__all__ += _counting.__all__
__all__ += _creation.__all__
__all__ += _cumulative.__all__
__all__ += _curves.__all__
__all__ += _derived.__all__
__all__ += _einsum.__all__
__all__ += _elementary.__all__
__all__ += _exchange.__all__
__all__ += _filling.__all__
__all__ += _grids.__all__
__all__ += _identity.__all__
__all__ += _indexing.__all__
__all__ += _information.__all__
__all__ += _joining.__all__
__all__ += _limits.__all__
__all__ += _linear.__all__
__all__ += _losses.__all__
__all__ += _mantissas.__all__
__all__ += _nans.__all__
__all__ += _parts.__all__
__all__ += _patterns.__all__
__all__ += _pooling.__all__
__all__ += _quantiles.__all__
__all__ += _quotients.__all__
__all__ += _ragged.__all__
__all__ += _ranges.__all__
__all__ += _rearranging.__all__
__all__ += _reductions.__all__
__all__ += _repeating.__all__
__all__ += _rounding.__all__
__all__ += _scattering.__all__
__all__ += _segments.__all__
__all__ += _sets.__all__
__all__ += _shaping.__all__
__all__ += _softmax.__all__
__all__ += _sorting.__all__
__all__ += _stacking.__all__
__all__ += _statistics.__all__
__all__ += _updating.__all__
__all__ += _windows.__all__

_methods.attach()
_foreign.await_libraries()
