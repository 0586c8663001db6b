"""One folder per thing the user names. Each slice's `__init__` is its facade; the ladder is in docs/map.md."""
