"""Emotions for new texts, from an exported model folder, without torch."""
