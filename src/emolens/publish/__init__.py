"""Sends a model folder to the Hugging Face Hub: what goes along, what changes, and the commit."""
