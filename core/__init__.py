"""The shared words: what a lot, a space, a session, a plate, a fen is."""
