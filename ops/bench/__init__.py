"""Measurements that can be repeated: one module a bench, each beside the limit that it is measured against.

Absolute figures drift with the machine and with whoever else uses it; a ratio to a limit measured in the same run
holds. A bench never fails because a figure is lower than wished: it shows both.
"""
