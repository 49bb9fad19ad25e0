"""Write differentiable code once; run it on NumPy, PyTorch, JAX or TensorFlow."""

from unigrad import control as _control  # declares its ops before the rules are written
from unigrad import data, initializers, io, layers, losses, metrics, nn, optimizers, random, seq2seq
from unigrad.autodiff import rules as _rules
from unigrad.autodiff.forward import ForwardAccumulator
from unigrad.autodiff.tape import GradientTape
from unigrad.autodiff.transforms import grad, jvp, value_and_grad, vjp
from unigrad.control import identity, scan, stop_gradient
from unigrad.core.dtypes import *
from unigrad.core.dtypes import bool_ as bool
from unigrad.core.errors import *
from unigrad.core.registry import available_backends, get_backend, set_backend, use_backend
from unigrad.core.tensor import Tensor
from unigrad.core.variable import Variable
from unigrad.ops import methods as _methods
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
from unigrad.ops.linear import *
from unigrad.ops.ranges import *
from unigrad.ops.reductions import *
from unigrad.ops.sets import *
from unigrad.ops.repeating import *
from unigrad.ops.shaping import *
from unigrad.ops.sorting import *
from unigrad.ops.updating import *
from unigrad.ops.windows import *
from unigrad.ops.statistics import *
from unigrad.tracing.jit import jit
from unigrad.tracing.scope import init_scope

_methods.attach()
