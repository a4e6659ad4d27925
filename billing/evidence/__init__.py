"""Who parked: what wardens, cameras and drivers say, which stay it belongs to, and what follows from it."""
