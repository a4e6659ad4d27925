"""From a stay to charges, one idea a module: timeline, free minutes, clocks, caps. Integers throughout. Pure."""
