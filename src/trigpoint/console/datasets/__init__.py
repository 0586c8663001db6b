"""What the pages of datasets ask beyond the public API: columns and uses."""
