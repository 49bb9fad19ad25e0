"""Matrix products."""

import numpy as np

TABLE = {
    "matmul": np.matmul,
}
