"""Simulated drivers: they scan printed codes, call the public API as phones do, and pay at the gateway's page."""
