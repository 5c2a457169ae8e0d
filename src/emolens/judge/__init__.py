"""Measures a model on labelled rows that it was not trained with. Nothing is trained here."""
