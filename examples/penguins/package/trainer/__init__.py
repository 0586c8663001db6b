"""Tells penguin species apart; one program for every replica of a training job."""
