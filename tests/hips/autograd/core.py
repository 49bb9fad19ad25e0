"""What of autograd's core its tests ask for."""

from autograd.differentials import make_jvp, make_vjp

#: autograd's table of derivatives, which its tests take entries out of.
primitive_vjps = {}

__all__ = ["make_jvp", "make_vjp", "primitive_vjps"]
