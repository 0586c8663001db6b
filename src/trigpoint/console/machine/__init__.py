"""The start page: what runs, what failed, what the machine has, what was found wrong with it."""
