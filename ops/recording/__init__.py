"""The raw traffic of an installation in a file, and from there into another one."""
