"""Trigpoint: a self-hosted ML platform that speaks Vertex AI's public API."""

__version__ = "0.1.0"
