"""What the api counts of itself, in Prometheus's terms; route templates and states only, nothing about anybody."""

from collections.abc import Callable, Iterable
from typing import Final

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from api.live_city.picture import WORDS

BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Measures:
    """Counters of one process, and gauges read when they are asked for."""

    def __init__(self) -> None:
        """Begin at zero, in a registry of our own."""
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "parking_api_requests",
            "Requests answered, by route template, method and status.",
            ("route", "method", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "parking_api_request_seconds",
            "Time to the end of an answer; streams are left out.",
            ("route",),
            buckets=BUCKETS,
            registry=self._registry,
        )
        # looking a labelled child up costs more than counting
        self._counters: dict[tuple[str, str, int], Counter] = {}
        self._timers: dict[str, Histogram] = {}

    def answered(self, route: str, method: str, status: int, seconds: float | None) -> None:
        """Count one request; ``seconds`` is None for a stream."""
        counter = self._counters.get((route, method, status))
        if counter is None:
            named = method if method in METHODS else "other"
            counter = self._counters[route, method, status] = self._requests.labels(route, named, str(status))
            if named == "other":
                del self._counters[route, method, status]  # invented methods must not fill the memory
        counter.inc()
        if seconds is not None:
            timer = self._timers.get(route) or self._timers.setdefault(route, self._seconds.labels(route))
            timer.observe(seconds)

    def watch(self, gauges: Callable[[], Iterable[GaugeMetricFamily]]) -> None:
        """Also show these whenever somebody asks."""

        class Watched(Collector):
            def collect(self) -> Iterable[GaugeMetricFamily]:
                return gauges()

        self._registry.register(Watched())

    def text(self) -> bytes:
        """Everything in Prometheus's text format."""
        return generate_latest(self._registry) + generate_latest(REGISTRY)


METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def gauge(name: str, words: str, value: float) -> GaugeMetricFamily:
    """One number."""
    return GaugeMetricFamily(name, words, value=value)


def spaces_by_state(letters: bytes) -> GaugeMetricFamily:
    """How many spaces are free, occupied, unknown and closed."""
    family = GaugeMetricFamily(
        "parking_spaces", "Spaces of lots with sensors, by what the map shows.", labels=["state"]
    )
    for letter, word in WORDS.items():
        family.add_metric([word], letters.count(letter))
    return family
