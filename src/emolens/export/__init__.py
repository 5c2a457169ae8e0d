"""Exports a trained model to OpenVINO, and compares the export with the model."""
