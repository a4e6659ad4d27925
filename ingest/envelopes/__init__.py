"""What the network servers and carriers wrap around a sensor's payload, one module each. Pure.

Every module turns a message into an ``Uplink`` (bytes for the codec that the sensor is configured with) or, where the
envelope itself says what the space is, into readings. What a server decoded on its own is ignored.
"""
