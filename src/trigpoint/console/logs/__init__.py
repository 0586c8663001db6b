"""What a job printed, page by page and as it comes."""
