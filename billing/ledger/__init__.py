"""The ledger: what is charged, received and given back, in a journal nobody can change."""
