"""What people with a login do: one module per subject."""
