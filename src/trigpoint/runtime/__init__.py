"""Programs: where they run, what they run in and with, and their logs; knows no API resource and no database."""
