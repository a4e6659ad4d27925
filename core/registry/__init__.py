"""The sensor registry: which sensors there are, which space each watches and when, and changes of both.

Shared by the api and the command line. A change is one transaction: it audits itself, wakes whoever keeps the registry
in memory, and asks ingest to look again at readings that belong elsewhere now (``core.tables.Reassignment``).
"""
