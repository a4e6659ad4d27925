"""Session to money: price notices as data, the engine that prices a stay by them, and what follows from a price."""
