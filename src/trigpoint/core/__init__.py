"""Shared nouns, pure: names, errors, states, filters, paging, masks, clock, messages."""
