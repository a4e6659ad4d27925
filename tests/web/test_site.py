"""How the pages and their files are served."""

import gzip
import re
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette

import web

WEIGHT_LIMIT = 600_000
SMALL_LIMIT = 60_000
"""For pages without a map."""
PAGES = ["/", "/docs", "/s/KL-017", "/pay", "/arrears", "/passes", "/kiosk"]
ADDRESS = re.compile(r'(?:href|src)="(/(?:static|vendor)/[^"]+)"')


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=Starlette(routes=web.routes()))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


async def test_a_page_is_asked_for_anew_and_carries_a_strict_policy(client: httpx.AsyncClient) -> None:
    answer = await client.get("/")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-cache"
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy


@pytest.mark.parametrize("page", PAGES)
async def test_a_page_has_no_script_or_style_of_its_own(client: httpx.AsyncClient, page: str) -> None:
    text = (await client.get(page)).text
    assert re.findall(r"<script(?![^>]*\bsrc=)", text) == []
    assert "<style" not in text
    assert " style=" not in text
    assert re.findall(r"\son\w+=", text) == []


@pytest.mark.parametrize("page", PAGES)
async def test_every_file_a_page_names_is_there_and_kept_for_a_year(client: httpx.AsyncClient, page: str) -> None:
    addresses = ADDRESS.findall((await client.get(page)).text)
    assert len(addresses) > 3
    for address in addresses:
        answer = await client.get(address)
        assert answer.status_code == 200, address
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable", address


async def test_modules_are_javascript_whatever_the_machine_thinks(client: httpx.AsyncClient) -> None:
    page = (await client.get("/")).text
    scripts = [address for address in ADDRESS.findall(page) if address.endswith((".js", ".mjs"))]
    assert any(address.endswith(".mjs") for address in scripts)
    for address in scripts:
        assert (await client.get(address)).headers["content-type"] == "text/javascript; charset=utf-8", address


async def test_a_file_goes_out_compressed_to_whoever_takes_that(client: httpx.AsyncClient) -> None:
    address = "/vendor/maplibre-gl-6.17.0/maplibre-gl.css"
    plain = await client.get(address, headers={"accept-encoding": "identity"})
    packed = await client.get(address, headers={"accept-encoding": "gzip"})
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers["vary"] == "Accept-Encoding"
    assert packed.content == plain.content
    assert int(packed.headers["content-length"]) < len(plain.content) / 3


async def test_a_file_the_browser_has_is_not_sent_again(client: httpx.AsyncClient) -> None:
    first = await client.get("/vendor/htm-3.1.1/htm.mjs")
    again = await client.get("/vendor/htm-3.1.1/htm.mjs", headers={"if-none-match": first.headers["etag"]})
    assert again.status_code == 304
    assert again.content == b""


async def test_a_page_from_before_an_upgrade_still_finds_its_files(client: httpx.AsyncClient) -> None:
    answer = await client.get("/static/000000000000/js/main.js")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "address", ["/static/x/%2e%2e/site.py", "/vendor/%2e%2e/%2e%2e/site.py", "/static/x/no.js", "/vendor/no.js"]
)
async def test_nothing_else_is_served(client: httpx.AsyncClient, address: str) -> None:
    assert (await client.get(address)).status_code == 404


async def test_the_page_with_its_map_code_weighs_less_than_allowed(client: httpx.AsyncClient) -> None:
    addresses = {*ADDRESS.findall((await client.get("/")).text)}
    addresses |= {f"/vendor/maplibre-gl-6.17.0/{name}" for name in ("maplibre-gl-worker.mjs", "maplibre-gl.css")}
    addresses |= {"/vendor/preact-11.2.0/preact.mjs", "/vendor/preact-11.2.0/hooks.mjs", "/vendor/htm-3.1.1/htm.mjs"}
    addresses |= {"/vendor/signals-core-1.14.5/signals-core.mjs"}
    weights = {address: len(gzip.compress((await client.get(address)).content)) for address in addresses}
    assert sum(weights.values()) < WEIGHT_LIMIT * 0.9, weights


@pytest.mark.parametrize("page", ["/s/KL-017", "/pay", "/arrears", "/passes", "/kiosk"])
async def test_a_page_where_one_pays_is_there_before_the_driver_has_sat_down(
    client: httpx.AsyncClient, page: str
) -> None:
    addresses = {*ADDRESS.findall((await client.get(page)).text)}
    weights = {address: len(gzip.compress((await client.get(address)).content)) for address in addresses}
    assert sum(weights.values()) < SMALL_LIMIT, weights
