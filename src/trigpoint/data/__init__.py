"""User bytes behind gs:// and bq://: objects, tables, formats, splits; what they mean to an API is left to slices."""
