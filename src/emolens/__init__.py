"""emolens: from a table of texts to a measured, explained and deployable emotion classifier."""

__version__ = "0.1.0"
