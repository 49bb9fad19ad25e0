"""Moving elements. Views are fine: arrays are never changed in place."""

import numpy as np

TABLE = {
    "identity": lambda x: x,
    "stop_gradient": lambda x: x,
    "reshape": lambda x, shape: x.reshape(shape),
    "broadcast_to": lambda x, shape: np.broadcast_to(x, shape),
    "permute_dims": lambda x, axes: x.transpose(axes),
    "stack": lambda *xs, axis: np.stack(xs, axis),
}
