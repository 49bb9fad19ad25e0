"""Control flow as functions: loops and branches that stay one op where functions are traced.

Eagerly the Python functions run, step by step: they may print, and a debugger stops in them. While
a function is traced (under `ug.jit`, `ug.vmap` and the like) a body is captured once, and a single
op runs it: compiled programs do not grow with the number of steps.
"""

from unigrad.control.associative import associative_scan
from unigrad.control.branches import cond, switch
from unigrad.control.callback import ShapeDtypeStruct, pure_callback
from unigrad.control.scanning import map, scan
from unigrad.control.while_loops import fori_loop, while_loop
from unigrad.control.windows import reduce_window

__all__ = [
    "ShapeDtypeStruct",
    "associative_scan",
    "cond",
    "fori_loop",
    "map",
    "pure_callback",
    "reduce_window",
    "scan",
    "switch",
    "while_loop",
]
