"""What is trained on the training split: baselines, a probe, a fine-tuned encoder."""
