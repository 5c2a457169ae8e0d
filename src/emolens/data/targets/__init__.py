"""Columns of texts and labels become texts and class ids: read.py reads them."""
