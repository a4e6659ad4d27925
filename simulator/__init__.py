"""A county of sensors that knows the truth: seeded events, real publishes, and a file of what really happened."""
