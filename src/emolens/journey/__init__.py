"""The walkthrough in the terminal: its sections, what each one needs, and how one is run."""
