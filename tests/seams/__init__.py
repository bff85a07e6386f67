"""Each seam of docs/extending.md: used by the core, without a way around it, and filled by one more in a test."""
