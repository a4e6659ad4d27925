"""A rough day at the till: thousands of payments while everything that can go wrong does, and the books afterwards.

Drivers pay over HTTP at a simulated gateway that loses, repeats, reorders, forges and cuts off; some pay twice, some a
wrong amount, some never; fees are corrected and stays turn out to be none behind their backs; people give money back;
and the processes are killed wherever they stand. A seed decides all of it that is ours to decide.
"""
