"""Statutory clocks: worked pairs as data, properties of counting, refused rules, and the clocks of real records."""
