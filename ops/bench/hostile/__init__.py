"""A hostile night at the till: every money route is asked for nonsense, thousands of times, by a seed.

Real notifications are caught on their way and sent altered, cut, re-encoded, re-signed with another key, to the wrong
place, again and again; bodies, ids and idempotency keys are whatever somebody might try. Afterwards no fen may have
moved that a payer did not pay, nothing may have answered with a fault of its own, and each no must be a clear one.
"""
