"""Texts to tokens to vectors. `tokenize`, `batches` and `engines` load no torch by themselves."""
