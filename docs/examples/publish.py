#!/usr/bin/env python3
"""Publish one message as a sensor would, and return once the broker has it: ``publish.py TOPIC PAYLOAD``.

Broker and user come from ``PARKING_MQTT_URL``, which ``eval "$(./parking env)"`` sets.
"""

import os
import sys
from urllib.parse import unquote, urlsplit

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

topic, payload = sys.argv[1:]
broker = urlsplit(os.environ["PARKING_MQTT_URL"])
client = Client(CallbackAPIVersion.VERSION2)
client.username_pw_set(unquote(broker.username or ""), unquote(broker.password or ""))
client.connect(broker.hostname or "127.0.0.1", broker.port or 1883)
client.loop_start()
client.publish(topic, payload, qos=1).wait_for_publish(timeout=10)
client.disconnect()
client.loop_stop()
