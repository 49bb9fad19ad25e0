"""Numbers that come into a compiled function: 0-d tensors, as weak as the Python numbers they were.

Beside a tensor such a number takes the tensor's dtype, as a Python number does, so ``x * rate``
stays bfloat16; sums and products of numbers are numbers again. In all else it is a tensor of the
default dtype of its kind. It carries its digits in 64 bits until it meets a dtype.

Source: JAX, "Type promotion semantics", weakly-typed values.
"""

from __future__ import annotations

import operator
from typing import Any

from unigrad.core import dtypes
from unigrad.core.arguments import cast, untracked, weak_types
from unigrad.core.origins import Origin
from unigrad.core.tensor import Tensor

_NUMBERS = (int, float, complex)


class Weak(Tensor):
    """A weak 0-d tensor. See the module's docstring."""

    __slots__ = ("carrier", "kind", "origin")

    #: The number in 64 bits.
    carrier: Tensor
    #: The type of Python's that it stands for.
    kind: type
    #: Of an integer, how it comes from the arguments of a call.
    origin: Origin | None

    def __unigrad_tensor__(self) -> Tensor:
        """Return it as a tensor like any other, of the same identity for recorders."""
        tensor = untracked(self)
        tensor.uid = self.uid
        return tensor

    def within(self, dtype: dtypes.DType) -> Tensor:
        """Return it in a dtype that it has met, from all of its digits.

        An integer that does not fit raises `DTypeError` when the program is called.
        """
        if self.origin is not None and dtype in dtypes.INTEGER and dtype != dtypes.int64:
            self.origin.require_fit(dtype)
        # What a tape watches is the tensor, not the digits that it was made of.
        return cast(self.__unigrad_tensor__() if self.uid else self.carrier, dtype)


def weak(
    carrier: Tensor, kind: type, dtype: dtypes.DType | None = None, origin: Origin | None = None
) -> Weak:
    """Return a number of a kind; where it is a tensor like any other it has a dtype."""
    strong = cast(carrier, dtypes.default_dtype_of_kind(kind) if dtype is None else dtype)
    number = Weak.__new__(Weak)
    number._native = strong._native
    number.backend = strong.backend
    number.uid = 0
    number.carrier = carrier
    number.kind = kind
    number.origin = origin
    return number


def _is_number(x: Any) -> bool:
    return (type(x) is Weak and not x.uid) or type(x) in _NUMBERS


def _origin(name: str, self: Weak, others: tuple[Any, ...], reflected: bool) -> Origin | None:
    """Return the origin of an operator's result, if those of its operands are known."""
    given = [one.origin if type(one) is Weak else one for one in others]
    if self.origin is None or None in given:
        return None
    return self.origin.derived(name, given, reflected)


def _operator(name: str) -> Any:
    symbol = name.strip("_")
    plain = symbol if hasattr(operator, name) else symbol[1:]

    def run(self: Weak, *others: Any) -> Any:
        method = getattr(Tensor, name)
        if self.uid or not all(map(_is_number, others)):
            return method(self, *others)
        found = method(self.carrier, *[x.carrier if type(x) is Weak else x for x in others])
        if type(found) is not Tensor:
            return found
        kind = {"i": int, "f": float, "c": complex}[found.dtype.kind]
        origin = _origin(plain, self, others, plain != symbol) if kind is int else None
        return weak(found, kind, None if kind is not self.kind else self.dtype, origin)

    run.__name__ = name
    return run


def _rounding(name: str) -> Any:
    """Return what rounds a number to an integer.

    Of an integer it is a number again. Of a float nothing would tell whether it fits a dtype, into
    which it must not wrap: it is a tensor.
    """

    def run(self: Weak) -> Any:
        return getattr(Tensor, name)(self) if self.kind is not int or self.uid else self + 0

    run.__name__ = name
    return run


_to_integer = _rounding("__round__")


def _rounded(self: Weak, digits: int | None = None) -> Any:
    if digits is None or (self.kind is int and digits >= 0):
        return _to_integer(self)
    if self.uid or self.kind is not float:
        return Tensor.__round__(self, digits)
    return weak(Tensor.__round__(self.carrier, digits), float, self.dtype)


def _divided(self: Weak, other: Any) -> Any:
    return self // other, self % other


def _divided_by(self: Weak, other: Any) -> Any:
    return other // self, other % self


for _name in (
    "add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "and", "or", "xor", "lshift",
    "rshift",
):  # fmt: skip
    setattr(Weak, f"__{_name}__", _operator(f"__{_name}__"))
    setattr(Weak, f"__r{_name}__", _operator(f"__r{_name}__"))
for _name in ("neg", "pos", "abs", "invert"):
    setattr(Weak, f"__{_name}__", _operator(f"__{_name}__"))
for _name in ("__trunc__", "__floor__", "__ceil__"):
    setattr(Weak, _name, _rounding(_name))
for _name, _method in {
    "__round__": _rounded, "__divmod__": _divided, "__rdivmod__": _divided_by,
}.items():  # fmt: skip
    setattr(Weak, _name, _method)

weak_types.add(Weak)
