"""Whether there are values to look at: then a kernel may choose by them."""

import torch

from unigrad_torch.private import dispatch_modes, is_wrapped_by_transform


def has_values(x: torch.Tensor) -> bool:
    """Tell whether an array's values are there to be read, and reading them waits for nothing."""
    return (
        type(x) is torch.Tensor
        and x.device.type == "cpu"
        and not is_wrapped_by_transform(x)
        # While a graph is captured, even what it closes over gives no numbers.
        and not dispatch_modes()
    )
