"""The program beside user code: standard library only, any Python >= 3.8, imports nothing else of ours."""
