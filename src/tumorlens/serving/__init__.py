"""A bundle becomes a REST API. Knows nothing about training; needs the extra ``serve``."""

from tumorlens.serving.settings import ServeLimits, ServeSettings

__all__ = ["ServeLimits", "ServeSettings"]
