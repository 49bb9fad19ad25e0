"""What this backend uses of torch that torch does not promise to keep.

Nothing else in the package names a private attribute or module of torch.
``tests/test_private_api_of_torch.py`` tries every name here, so that a new torch that
changes one says so.
"""

from __future__ import annotations

import functools
import importlib
import warnings
from collections.abc import Sequence
from operator import attrgetter
from typing import Any

import torch
from torch._guards import detect_fake_mode
from torch._subclasses.fake_tensor import FakeTensor
from torch.autograd import forward_ad
from torch.fx.experimental.proxy_tensor import (
    disable_proxy_modes_tracing as disable_proxy_modes,
)
from torch.fx.experimental.proxy_tensor import get_proxy_mode, make_fx, track_tensor_tree
from torch.utils._python_dispatch import _disable_current_modes as disable_current_modes
from torch.utils._python_dispatch import _get_current_dispatch_mode as current_dispatch_mode

from unigrad.core.references import LISTED, counts_of

__all__ = [
    "FAKE_TENSOR_LOG",
    "PLAIN_KEYS",
    "FakeTensor",
    "are_transforms_active",
    "are_whole_and_alone",
    "below_autograd",
    "compile_fx",
    "cross_entropy",
    "current_dispatch_mode",
    "disable_current_modes",
    "disable_proxy_modes",
    "dispatch_modes",
    "elu",
    "function_modes",
    "fused_adam",
    "get_proxy_mode",
    "is_batched",
    "is_batched_of_old",
    "is_followed_below",
    "is_wrapped_by_transform",
    "is_zero",
    "keys_of",
    "let_constants_in",
    "load_forward_derivatives",
    "log_softmax",
    "log_softmax_backward",
    "make_fx",
    "nonstrict_trace",
    "primal_of",
    "product_by_onednn",
    "run_backward",
    "track_tensor_tree",
    "value_of",
]

#: What ``torch.autograd.grad`` does after some 15 µs of checks: outputs, their cotangents, whether
#: to keep the graph, whether to record, inputs, and by keyword what to do with unreachable ones.
run_backward: Any = torch.autograd.Variable._execution_engine.run_backward
#: What ``torch.nn.functional.cross_entropy`` calls, once it has looked at its options: logits,
#: labels, weights, reduction (0: none), the label to ignore.
cross_entropy: Any = torch._C._nn.cross_entropy_loss
#: max(0, scale x) + min(0, α (exp(c x) - 1)): x, α, scale, c. ``functional.elu`` has no c.
elu: Any = torch._C._nn.elu
#: One step of Adam in place on lists of parameters, gradients, moments, steps.
fused_adam: Any = torch._fused_adam_
#: The op of a captured graph behind ``torch.log_softmax``: array, axis, half to float.
log_softmax: Any = torch._log_softmax
#: Its derivative: cotangent, result, axis, the input's dtype.
log_softmax_backward: Any = torch._log_softmax_backward_data
_precision_of: Any = torch._C._get_fp32_precision_getter
_pointwise: Any = getattr(torch.ops.mkldnn, "_linear_pointwise", None)
#: oneDNN has no products of bfloat16 on processors without AVX-512.
_has_bfloat16: bool = _pointwise is not None and torch.ops.mkldnn._is_mkldnn_bf16_supported()


def _product_by_onednn(
    x: torch.Tensor, transposed: torch.Tensor, bias: torch.Tensor | None
) -> torch.Tensor:
    """Return x @ transposed.T + bias, of what nothing follows: arrays (…, m), (n, m) and (n,).

    ``torch.set_float32_matmul_precision("medium")`` holds here as in torch's own products: factors
    of float32 are rounded to bfloat16, which takes half the time, and summed up in float32. It is
    a permission: without effect on processors that have no such products. (Some that have them
    torch's own products leave alone.)
    """
    # The public question raises where somebody has set the precision of one library alone.
    allowed = _has_bfloat16 and _precision_of("mkldnn", "matmul") == "bf16"
    if allowed and x.dtype is torch.float32:
        x, transposed = x.bfloat16(), transposed.bfloat16()
        product: torch.Tensor = _pointwise.default(x, transposed, None, "none", [], "")
        return product.float() if bias is None else product.float().add_(bias)
    if bias is not None:
        # Of a bias oneDNN is told where it begins, and not its stride.
        bias = bias.contiguous()
    found: torch.Tensor = _pointwise.default(x, transposed, bias, "none", [], "")
    return found


#: None where torch was built without oneDNN.
product_by_onednn: Any = None
if _pointwise is not None and torch.backends.mkldnn.is_available():
    product_by_onednn = _product_by_onednn
#: A context in which ops go past autograd; what they return is as ever, views and versions as well.
below_autograd: Any = torch._C._AutoDispatchBelowAutograd
#: Tell whether ``torch.func`` is transforming anything in this thread.
are_transforms_active: Any = torch._C._are_functorch_transforms_active
#: Tell whether an array stands for several, or for a tangent, inside of ``torch.func``.
is_wrapped_by_transform: Any = torch._C._functorch.is_functorch_wrapped_tensor


def is_batched(array: torch.Tensor) -> bool:
    """Tell whether an array stands for one of each example of ``torch.func.vmap``.

    ``torch.func.grad`` within it wraps it once more.
    """
    functorch = torch._C._functorch
    while functorch.is_functorch_wrapped_tensor(array):
        if functorch.is_batchedtensor(array):
            return True
        array = functorch.get_unwrapped(array)
    return False


def value_of(array: torch.Tensor) -> torch.Tensor:
    """Return the array of all examples behind what ``torch.func`` has made of it."""
    functorch = torch._C._functorch
    while functorch.is_functorch_wrapped_tensor(array):
        array = functorch.get_unwrapped(array)
    return array


#: What an array is to torch's dispatcher: where it lies, and who stands between ops and it.
keys_of: Any = torch._C._dispatch_keys
with torch.inference_mode(False):
    #: Those of an array of torch's own on the CPU, whoever wants its derivative.
    PLAIN_KEYS: Any = keys_of(torch.empty(0, device="cpu"))
_OLD_BATCHES: Any = torch._C._dispatch_key_parse("Batched")


def is_batched_of_old(array: torch.Tensor) -> bool:
    """Tell whether an array is a batch of what stood for ``torch.func.vmap`` before.

    ``torch.autograd.grad(is_grads_batched=True)`` and ``gradcheck`` still use it.
    """
    return bool(keys_of(array).has(_OLD_BATCHES))


def is_followed_below(array: torch.Tensor) -> bool:
    """Tell whether what ``torch.func.vmap`` has made of an array wants a derivative.

    The batched array itself does not say so.
    """
    functorch = torch._C._functorch
    while functorch.is_functorch_wrapped_tensor(array):
        array = functorch.get_unwrapped(array)
        if array.requires_grad:
            return True
    return False


#: Tell whether an array is one of autograd's symbolic zeros.
is_zero: Any = torch.Tensor._is_zerotensor
#: The number of dispatch modes (a trace is one) that stand between ops and their kernels.
dispatch_modes: Any = torch._C._len_torch_dispatch_stack
#: The number of function modes that stand before every function of torch's in this thread.
function_modes: Any = torch._C._len_torch_function_stack
#: The log to which fake tensors write the traceback of an op that fails.
FAKE_TENSOR_LOG = "torch._subclasses.fake_tensor"


_address = attrgetter("_cdata")


def are_whole_and_alone(arrays: Sequence[torch.Tensor]) -> list[bool]:
    """Tell of plain arrays whether each fills a memory of torch's to which nothing else leads.

    That would be a view or a graph; Python's own references to the array are not counted.
    """
    # Each memory has its array, and here its own object, which it holds in turn. Another library's
    # cannot be resized.
    storages = [*map(torch.Tensor.untyped_storage, arrays)]
    addresses = map(_address, storages)
    found = (
        [*map(torch.Tensor._use_count, arrays)],
        [*map(torch._C._storage_Use_Count, addresses)],
        counts_of(storages),
        [*map(torch.Tensor.is_contiguous, arrays)],
        [*map(torch.UntypedStorage.resizable, storages)],
    )
    alone = (1, 2, LISTED + 1, True, True)
    # Most often all are, and whole lists are quickly compared.
    if all(one == [wanted] * len(arrays) for one, wanted in zip(found, alone, strict=True)):
        return [True] * len(arrays)
    return [each == alone for each in zip(*found, strict=True)]


def let_constants_in() -> None:
    """Let the trace that runs, if one does, take real tensors (weights, say) for constants."""
    mode = detect_fake_mode()
    if mode is not None:
        mode.allow_non_fake_inputs = True


@functools.cache
def load_forward_derivatives() -> None:
    """Load what torch loads when it first needs a tangent, without its warning of itself."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`torch.jit.script`", FutureWarning)
        importlib.import_module("torch._decomp.decompositions_for_jvp")


def nonstrict_trace(function: Any) -> Any:
    """Do what ``torch.compiler.nonstrict_trace`` does, in code that Dynamo reads."""
    import torch._dynamo

    return torch._dynamo.nonstrict_trace(function)


def compile_fx(module: Any, examples: Any) -> Any:
    """Compile a captured graph by Inductor, which is imported when it is asked for."""
    from torch._inductor.compile_fx import compile_fx as compile_graph

    return compile_graph(module, examples)


def primal_of(x: torch.Tensor) -> torch.Tensor:
    """Return a tensor without its tangent of the innermost forward mode.

    torch has no such function of the batches of its ``vmap``, which are taken apart here.
    """
    functorch: Any = torch._C._functorch
    if not functorch.is_batchedtensor(x):
        return forward_ad.unpack_dual(x, level=0).primal
    axis, level = functorch.maybe_get_bdim(x), functorch.maybe_get_level(x)
    inner = primal_of(functorch.get_unwrapped(x))
    batched: torch.Tensor = functorch._add_batch_dim(inner, axis, level)
    return batched
