"""What everybody may read: lots, spaces, states, the city's frame."""

import gzip
from collections import Counter
from datetime import timedelta

import prcoords
import pytest

from tests.api.conftest import Api
from tests.api.town import HEARTBEAT, Town, now

pytestmark = pytest.mark.services

WORDS = {"f": "free", "o": "occupied", "u": "unknown", "c": "closed"}


async def test_a_space_never_heard_from_is_unknown_and_not_free(api: Api) -> None:
    assert await api.states() == "uuuuu"
    lot = await api.lot("KA")
    assert (lot["capacity"], lot["unknown"], lot["free"], lot["available"]) == (3, 3, 0, 0)
    assert lot["heard_at"] is None
    assert lot["trend"] is None


async def test_what_the_street_says_is_shown_and_adds_up(api: Api, town: Town) -> None:
    await town.report("KA-001", occupied=True)
    await town.report("KA-002", "KB-001", occupied=False)
    await api.until_states("ofufu")
    lot = await api.lot("KA")
    assert (lot["occupied"], lot["free"], lot["unknown"], lot["closed"], lot["available"]) == (1, 1, 1, 0, 1)
    assert lot["heard_at"] is not None


async def test_a_space_not_heard_for_three_heartbeats_is_unknown(api: Api, town: Town) -> None:
    await town.report("KA-001", occupied=False, heard_at=now() - 3 * HEARTBEAT + timedelta(seconds=2.5))
    await town.report("KA-002", occupied=False, heard_at=now() - 3 * HEARTBEAT - timedelta(seconds=1))
    await api.until_states("fuuuu")
    await api.until_states("uuuuu")  # nothing is written: time alone makes it so


async def test_closed_outranks_whatever_a_sensor_says(api: Api, town: Town) -> None:
    await town.report("KA-001", occupied=True)
    await town.scalar("UPDATE space SET closed_since = now() WHERE code = 'KA-001' RETURNING 1")
    await town.change_lot("KA", name="文体路一段")
    await api.until_states("cuuuu")
    lot = await api.until_lot("KA", lambda lot: lot["name"] == "文体路一段")
    assert (lot["closed"], lot["occupied"]) == (1, 0)


async def test_a_lot_that_is_shut_offers_nothing(api: Api, town: Town) -> None:
    await town.report("KB-001", occupied=False)
    await api.until_states("uuufu")
    await town.change_lot("KB", opening_hours="off")
    lot = await api.until_lot("KB", lambda lot: not lot["open_now"])
    assert (lot["free"], lot["available"]) == (1, 0)


async def test_a_counter_lot_is_estimated_and_unknown_until_heard(api: Api, town: Town) -> None:
    lot = await api.lot("GS")
    assert (lot["estimated"], lot["capacity"], lot["unknown"], lot["available"]) == (True, 100, 100, 0)
    await town.count("GS", 130)  # a counter drifts
    lot = await api.until_lot("GS", lambda lot: lot["unknown"] == 0)
    assert (lot["occupied"], lot["free"]) == (100, 0)


async def test_the_lots_of_a_box_and_their_search_keys(api: Api) -> None:
    everything = await api.json("/api/v1/lots")
    assert [one["properties"]["id"] for one in everything["features"]] == ["GS", "KA", "KB"]
    here = await api.json("/api/v1/lots", params={"bbox": "120.9,29.505,120.901,29.506"})
    assert [one["properties"]["id"] for one in here["features"]] == ["KA"]
    assert here["features"][0]["properties"]["keys"] == ["wentilu", "wtl"]
    assert here["features"][0]["properties"]["price_summary"]["zh"]


async def test_one_lot_with_its_tariff_in_words_and_its_spaces(api: Api, town: Town) -> None:
    await town.report("KA-003", occupied=True)
    await api.until_states("uuouu")
    lot = (await api.json("/api/v1/lots/KA"))["properties"]
    assert lot["tariff"]["code"] == "xinchang-kerb"
    assert any("30" in sentence for sentence in lot["tariff"]["summary"]["en"])
    assert lot["opening"] == {"hours": "24/7", "zone": "Asia/Shanghai", "open_now": True, "next_change_at": None}
    spaces = (await api.json("/api/v1/lots/KA/spaces"))["features"]
    assert [one["properties"]["state"] for one in spaces] == ["unknown", "unknown", "occupied"]
    assert {one["properties"]["lot_id"] for one in spaces} == {"KA"}


async def test_states_are_in_the_order_of_the_spaces_and_agree_with_the_lots(api: Api, town: Town) -> None:
    await town.report("KA-002", "KB-002", occupied=True)
    await town.report("KA-001", occupied=False)
    await api.until_states("founo".replace("n", "u"))
    spaces = (await api.json("/api/v1/spaces"))["features"]
    states = await api.json("/api/v1/spaces/state")
    counted: Counter[tuple[str, str]] = Counter()
    for space, letter in zip(spaces, states["states"], strict=True):
        counted[space["properties"]["lot_id"], WORDS[letter]] += 1
    for code in ("KA", "KB"):
        lot = await api.lot(code)
        assert {word: counted[code, word] for word in WORDS.values()} == {word: lot[word] for word in WORDS.values()}
        assert lot["capacity"] == sum(lot[word] for word in WORDS.values())


async def test_what_has_not_changed_is_not_sent_again(api: Api, town: Town) -> None:
    for path in ("/api/v1/lots", "/api/v1/spaces", "/api/v1/spaces/state", "/api/v1/city", "/api/v1/lots/KA/spaces"):
        first = await api.get(path)
        assert first.headers["etag"].startswith('"'), "strong"
        again = await api.get(path, headers={"If-None-Match": f'"other", {first.headers["etag"]}'})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]
    before = (await api.get("/api/v1/spaces/state")).headers["etag"]
    await town.report("KA-001", occupied=True)
    await api.until_states("ouuuu")
    after = await api.get("/api/v1/spaces/state", headers={"If-None-Match": before})
    assert after.status_code == 200


async def test_the_states_name_the_etag_of_the_spaces(api: Api, town: Town) -> None:
    etag = (await api.get("/api/v1/spaces")).headers["etag"]
    assert (await api.json("/api/v1/spaces/state"))["spaces_etag"] == etag
    await town.add_space("KB")
    await api.until_states("uuuuuu")
    changed = await api.get("/api/v1/spaces")
    assert changed.headers["etag"] != etag
    assert (await api.json("/api/v1/spaces/state"))["spaces_etag"] == changed.headers["etag"]


async def test_answers_are_compressed_for_whoever_takes_that(api: Api) -> None:
    plain = await api.get("/api/v1/spaces", headers={"Accept-Encoding": "identity"})
    async with api.client.stream("GET", "/api/v1/spaces", headers={"Accept-Encoding": "gzip"}) as answer:
        raw = b"".join([chunk async for chunk in answer.aiter_raw()])
    assert answer.headers["content-encoding"] == "gzip"
    assert gzip.decompress(raw) == plain.content
    assert answer.headers["vary"] == "Accept-Encoding"


@pytest.mark.parametrize("path", ["/api/v1/lots", "/api/v1/lots/KA", "/api/v1/spaces", "/api/v1/lots/KA/spaces"])
async def test_every_geographic_answer_comes_in_the_datum_of_chinese_maps(api: Api, path: str) -> None:
    def first_corner(answer: dict[str, object]) -> list[float]:
        features = answer.get("features", [answer])
        corner: list[float] = features[0]["geometry"]["coordinates"][0][0]  # type: ignore[index]  # JSON
        return corner

    lon, lat = first_corner(await api.json(path))
    shown = first_corner(await api.json(path, params={"crs": "gcj02"}))
    independent = prcoords.wgs_gcj((lat, lon))
    assert shown == pytest.approx([independent.lon, independent.lat], abs=2e-7)


async def test_the_frame_of_the_city(api: Api) -> None:
    city = await api.json("/api/v1/city")
    assert (city["name"], city["name_en"]) == ("新昌县", "Xinchang County")
    assert city["context"]["features"][0]["properties"] == {
        "name": "新昌江",
        "what": "water",
        "keys": ["xinchangjiang", "xcj"],
    }
    west, south, east, north = city["bounds"]
    assert west <= city["centre"][0] <= east
    assert south <= city["centre"][1] <= north


async def test_every_answer_is_guarded(api: Api) -> None:
    answers = [await api.get(path) for path in ("/api/v1/lots", "/api/v1/lots/KA", "/nothing", "/")]
    for answer in answers:
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "server" not in answer.headers
        assert answer.headers.get("x-frame-options") == "DENY"
