"""`make bench`: what Comity does in a second, beside what the machine allows, measured alternately in one run."""
