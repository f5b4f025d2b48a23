"""The main results and what they must hold: one module a session, base.py for all."""

from tests.properties import cnn, convolution, dense, pooling
from tests.properties.base import CHECKS, rejection

__all__ = ["CHECKS", "cnn", "convolution", "dense", "pooling", "rejection"]
