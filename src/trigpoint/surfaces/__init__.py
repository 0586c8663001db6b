"""The protocols that clients speak; none imports another."""
