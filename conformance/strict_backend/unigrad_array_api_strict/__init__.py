"""A backend of unigrad over array_api_strict, differentiated by the textbook's rules."""

from unigrad_array_api_strict.backend import StrictBackend

backend = StrictBackend()

__all__ = ["StrictBackend", "backend"]
