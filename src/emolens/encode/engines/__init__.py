"""Engines: what runs a model over padded batches. One module for each engine."""
