"""Measures the server beside floors taken in the same run; each module is a command that prints ratios and targets."""
