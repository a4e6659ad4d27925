"""The schema's history: each revision spells out its own tables and never imports ours, which will have moved on."""
