"""HTTP: the city for everybody to read, the door for those who may do more."""
