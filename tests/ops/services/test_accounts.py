import re

import pytest
from paho.mqtt.client import topic_matches_sub

from core.wire import SUBSCRIPTIONS
from ingest.broker import WATCHED
from ops.services import accounts
from ops.services.accounts import Account


def test_a_sensor_may_publish_under_its_own_topics_only() -> None:
    access = accounts.render_access([accounts.sensor("a81758fffe05c68d", "x")])
    assert access.splitlines() == [
        "user sensor.a81758fffe05c68d",
        "topic write parking/+/a81758fffe05c68d/up",
        "topic write parking/a81758fffe05c68d/senml",
    ]


def test_ingest_reads_what_the_tester_and_the_api_may_publish_and_publishes_nothing() -> None:
    ingest, tester, api = accounts.ingest("x"), accounts.tester("x"), accounts.api("x")
    assert set(ingest.reads) == {*tester.publishes, "$SYS/#"}
    assert tester.publishes == (*api.publishes, accounts.UNREGISTERED_TOPIC)
    assert ingest.publishes == tester.reads == api.reads == ()


def test_ingest_is_never_told_the_brokers_errors_of_which_its_own_connection_may_be_one() -> None:
    access = accounts.render_access([accounts.ingest("x")]).splitlines()
    assert access[-1] == "topic deny $SYS/broker/log/E"
    assert not any(topic_matches_sub(topic, "$SYS/broker/log/E") for topic in WATCHED)


def test_what_ingest_may_read_is_what_it_subscribes_to() -> None:
    assert (*accounts.INGEST_TOPICS, accounts.UNREGISTERED_TOPIC) == SUBSCRIPTIONS


def test_a_sensor_named_like_one_of_our_processes_is_still_a_sensor() -> None:
    assert accounts.sensor("ingest", "x").name != accounts.ingest("x").name


@pytest.mark.parametrize("identifier", ["", "+", "#", "a/b", "a\nuser ingest", "a:b"])
def test_an_identifier_that_would_reach_other_topics_or_lines_is_refused(identifier: str) -> None:
    with pytest.raises(ValueError, match=r"not a|cannot be"):
        accounts.sensor(identifier, "x")
    with pytest.raises(ValueError, match=r"not a|cannot be"):
        accounts.gateway(identifier, "x")


@pytest.mark.parametrize("topic", ["up\ntopic readwrite #", " up", "up\x00"])
def test_a_topic_that_would_break_out_of_its_line_is_refused(topic: str) -> None:
    with pytest.raises(ValueError, match="not a topic filter"):
        accounts.platform("ttn", "x", (topic,))


def test_the_same_password_is_hashed_differently_for_each_account() -> None:
    lines = accounts.render_passwords(Account(name=name, password="same") for name in ("a", "b")).splitlines()
    hashes = [line.partition(":")[2] for line in lines]
    assert hashes[0] != hashes[1]
    assert all(re.fullmatch(r"\$7\$101\$[A-Za-z0-9+/]{16}\$[A-Za-z0-9+/]{86}==", each) for each in hashes)
