"""Pages: one HTML file each, which works from disk without a network."""
