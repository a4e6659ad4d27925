"""The city held ready in memory: loaded from the tables, woken by NOTIFY, encoded once per change."""
