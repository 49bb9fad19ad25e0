"""autograd's operators by unigrad's transforms."""

from functools import wraps

import numpy as np

import unigrad as ug
from autograd.trees import tensor, tensors


def on_arguments(operator):
    """Return autograd's form of an operator on functions of one argument: by argument numbers."""

    @wraps(operator)
    def of_function(fun, argnum=0, *more, **settings):
        def run(*args, **kwargs):
            def alone(x):
                given = list(args)
                places = [argnum] if isinstance(argnum, int) else argnum
                for place, value in zip(places, [x] if isinstance(argnum, int) else x):
                    given[place] = value
                return fun(*given, **kwargs)

            alone.__name__ = getattr(fun, "__name__", "fun")
            x = args[argnum] if isinstance(argnum, int) else tuple(args[i] for i in argnum)
            return operator(alone, x, *more, **settings)

        run.__name__ = f"{operator.__name__}_of_{getattr(fun, '__name__', 'fun')}"
        return run

    return of_function


def _vjp(fun, x):
    """Return a value and its pullback; a result that hangs on nothing is a constant."""
    value, pull = ug.vjp(lambda t: tensors(fun(t)), tensors(x))
    return value, lambda w: pull(
        ug.tree.map(lambda y, one: ug.asarray(one, dtype=y.dtype), value, w)
    )[0]


@on_arguments
def make_vjp(fun, x):
    value, pull = _vjp(fun, x)
    return pull, value


@on_arguments
def make_jvp(fun, x):
    def push(v):
        x_, v_ = tensors(x), tensors(v)
        v_ = ug.tree.map(lambda a, b: ug.broadcast_to(ug.astype(b, a.dtype), a.shape), x_, v_)
        return ug.jvp(lambda t: tensors(fun(t)), (x_,), (v_,))

    return push


def _real(fun):
    """Return a function whose result must be floating: of others autograd has no derivative."""

    def run(x):
        value = fun(x)
        if ug.asarray(value).dtype.kind in "iub":
            raise TypeError("grad is of functions with one real number for a result")
        return value

    return run


def _scalar(value):
    if value.dtype.kind == "c" or value.shape != ():
        if value.shape == (1,) * len(value.shape) and value.dtype.kind != "c":
            return
        raise TypeError("grad is of functions with one real number for a result")


@on_arguments
def grad(fun, x):
    value, pull = _vjp(_real(fun), x)
    _scalar(value)
    return pull(ug.ones(value.shape))


@on_arguments
def value_and_grad(fun, x):
    value, pull = _vjp(_real(fun), x)
    _scalar(value)
    return value, pull(ug.ones(value.shape))


@on_arguments
def elementwise_grad(fun, x):
    value, pull = _vjp(fun, x)
    return pull(ug.tree.map(ug.ones_like, value))


@on_arguments
def holomorphic_grad(fun, x):
    if not np.iscomplexobj(np.asarray(x)):
        raise TypeError("holomorphic_grad takes a complex argument")
    _, push = tensor(x), make_jvp(fun)(x)
    return push(ug.ones_like(tensor(x)))[1]


@on_arguments
def deriv(fun, x):
    return make_jvp(fun)(x)(ug.ones_like(tensor(x)))[1]


@on_arguments
def jacobian(fun, x):
    return ug.jacobian(lambda t: tensors(fun(t)), mode="reverse")(tensors(x))


@on_arguments
def hessian(fun, x):
    return jacobian(jacobian(fun))(x)


@on_arguments
def make_hvp(fun, x):
    pull, value = make_vjp(grad(fun))(x)
    return pull, value


def hessian_tensor_product(fun, argnum=0):
    """Return (args…, v) ↦ H v."""

    def product(*args, **kwargs):
        *args, v = args
        inner = grad(lambda *a: ug.sum(grad(fun, argnum)(*a, **kwargs) * v), argnum)
        return inner(*args)

    return product


hessian_vector_product = hessian_tensor_product


def tensor_jacobian_product(fun, argnum=0):
    """Return (args…, v) ↦ v J, the axes of v summed over."""

    def product(*args, **kwargs):
        *args, v = args

        def contracted(*given):
            return ug.tensordot(v, fun(*given, **kwargs), axes=ug.asarray(v).ndim)

        found = jacobian(contracted, argnum)(*args)
        return found

    return product


vector_jacobian_product = tensor_jacobian_product


def make_ggnvp(f, g=lambda x: 0.5 * ug.sum(x**2), f_argnum=0):
    """Return args ↦ (v ↦ Jᵀ H J v)."""

    @on_arguments
    def make(fun, x):
        value, pull = _vjp(fun, x)
        push = make_jvp(fun)(x)
        return lambda v: pull(make_hvp(g)(value)[0](push(v)[1]))

    return make(f, f_argnum)


@on_arguments
def grad_and_aux(fun, x):
    value, pull, aux = ug.vjp(fun, tensors(x), has_aux=True)
    return pull(ug.ones(value.shape))[0], aux


def grad_named(fun, argname):
    """Return the gradient by an argument that is named."""
    from inspect import signature

    return grad(fun, list(signature(fun).parameters).index(argname))


def multigrad_dict(fun):
    """Return the gradients by all arguments, by name."""
    from inspect import signature

    bind = signature(fun).bind

    def run(*args, **kwargs):
        bound = bind(*args, **kwargs)
        bound.apply_defaults()
        return grad(lambda d: fun(**d))(dict(bound.arguments))

    return run


def checkpoint(fun):
    """unigrad's."""
    return ug.checkpoint(fun)
