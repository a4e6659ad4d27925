"""The commands of `parking`, one module each: `app` is what `ops.cli` shows."""
