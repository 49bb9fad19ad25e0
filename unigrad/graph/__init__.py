"""`ug.graph`: capture a computation, look at it, count and add up its paths, draw it.

The recorded graph is `unigrad.tracing.graph`'s; here is what one does with it by eye.
"""

from unigrad.graph.captured import CapturedGraph, capture
from unigrad.graph.expressions import expression
from unigrad.graph.paths import Edge, Path
from unigrad.graph.tables import Step, Table
from unigrad.tracing.graph import Graph, Node, Value

__all__ = [
    "CapturedGraph",
    "Edge",
    "Graph",
    "Node",
    "Path",
    "Step",
    "Table",
    "Value",
    "capture",
    "expression",
]
