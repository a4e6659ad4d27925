"""A basemap by setting: its policy, its drawing, its datum; and what happens when it does not come."""

import asyncio
import io
import json
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import prcoords
import pytest
import uvicorn
from PIL import Image
from playwright.async_api import expect
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

import web
from core.errors import InvalidError
from tests.support.waiting import until
from tests.web.live import LiveCity
from tests.web.looking import Visit, Visits

PAGE_ONLY = "default-src 'none'; connect-src 'self'; img-src 'self' data:"


def test_without_a_basemap_the_policy_is_as_strict_as_ever() -> None:
    assert web.Basemap().policy(web.CONTENT_SECURITY_POLICY) == web.CONTENT_SECURITY_POLICY
    assert web.Basemap(origins=("https://unused.example",)).policy(PAGE_ONLY) == PAGE_ONLY
    assert web.Basemap(address="/tiles/style.json").policy(PAGE_ONLY) == PAGE_ONLY


def test_the_policy_lets_in_the_basemaps_hosts_and_no_others() -> None:
    basemap = web.Basemap(address="https://a.example/style.json?key=1", origins=("https://*.tiles.example:8443",))
    assert basemap.policy(PAGE_ONLY) == (
        "default-src 'none'; connect-src 'self' https://a.example https://*.tiles.example:8443; "
        "img-src 'self' data: https://a.example https://*.tiles.example:8443"
    )


@pytest.mark.parametrize(
    "wrong", ["javascript:alert(1)", "https://a.example; script-src *", "tiles.example", "https://"]
)
def test_an_address_that_could_open_the_policy_is_refused(wrong: str) -> None:
    with pytest.raises(InvalidError):
        web.Basemap(address="https://a.example/style.json", origins=(wrong,))
    if not wrong.startswith("https://a"):
        with pytest.raises(InvalidError):
            web.Basemap(address=wrong)


def test_what_the_page_is_told_cannot_end_its_attribute() -> None:
    told = web.Basemap(address='https://a.example/"><script>', credit="<b>").attributes()
    assert "<" not in told
    assert told.count('"') == 6


@dataclass
class Stranger:
    """A tile server of somebody else."""

    url: str
    asked: list[str] = field(default_factory=list)


@contextmanager
def tile_server() -> Iterator[Stranger]:
    """One grey-green tile for everything, and a style that names it."""
    picture = io.BytesIO()
    Image.new("RGB", (256, 256), "#88aa77").save(picture, "PNG")

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            stranger.asked.append(self.path)
            is_style = self.path == "/style.json"
            body = json.dumps(style_of(stranger.url)).encode() if is_style else picture.getvalue()
            self.send_response(200)
            self.send_header("Content-Type", "application/json" if is_style else "image/png")
            self.send_header("Access-Control-Allow-Origin", "*")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    stranger = Stranger(url=f"http://127.0.0.1:{server.server_address[1]}")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield stranger
    server.shutdown()
    server.server_close()


def style_of(url: str) -> dict[str, Any]:
    return {
        "version": 8,
        "glyphs": f"{url}/glyphs/{{fontstack}}/{{range}}.pbf",
        "sources": {
            "tiles": {"type": "raster", "tiles": [f"{url}/{{z}}/{{x}}/{{y}}.png"], "attribution": "© Somebody"}
        },
        "layers": [{"id": "tiles", "type": "raster", "source": "tiles"}],
    }


@asynccontextmanager
async def served(live_city: LiveCity, basemap: web.Basemap) -> AsyncIterator[str]:
    """The pages with this basemap; what they ask of the api is answered by the running city."""

    async def passed_on(request: Request) -> Response:
        async with httpx.AsyncClient(base_url=live_city.url) as client:
            answer = await client.get(request.url.path, params=str(request.query_params))
        return Response(answer.content, answer.status_code, media_type=answer.headers.get("content-type"))

    async def no_stream(_: Request) -> Response:
        return Response(status_code=204)  # a browser takes this for "never again"

    api = [Route("/api/v1/live", no_stream), Route("/api/{path:path}", passed_on)]
    app = Starlette(routes=[*web.routes(basemap), *api])
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", lifespan="off"))
    serving = asyncio.create_task(server.serve())

    async def started() -> bool:
        return server.started

    await until(started)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    await serving


async def opened(visits: Visits, url: str) -> Visit:
    visit = await visits.to(url)
    assert await visit.map_ready() == "1"
    visits.made.remove(visit)  # strangers are the point here
    assert [one for one in visit.complaints if "Content Security Policy" in one] == []
    return visit


pages = pytest.mark.asyncio(loop_scope="session")
browser = [pytest.mark.browser, pytest.mark.services, pages]


class TestInABrowser:
    """With the pages served."""

    pytestmark = browser

    async def test_a_style_lies_under_the_town_and_is_credited(self, live_city: LiveCity, visits: Visits) -> None:
        with tile_server() as stranger:
            async with served(live_city, web.Basemap(address=f"{stranger.url}/style.json")) as url:
                visit = await opened(visits, url)
                layers = await visit.on_map("return map.getStyle().layers.map((layer) => layer.id)")
                assert layers[0] == "under-tiles"
                assert "street" not in layers
                assert {"bubble", "spaces", "kerb"} <= set(layers)
                await until(lambda: _asked(stranger, ".png"))
                assert not [path for path in stranger.asked if "glyphs" in path]
                await expect(visit.page.locator(".maplibregl-ctrl-attrib")).to_contain_text("Somebody")
                await visit.page.context.close()

    async def test_what_lies_on_a_shifted_map_is_shifted_and_links_are_not(
        self, live_city: LiveCity, visits: Visits
    ) -> None:
        with tile_server() as stranger:
            tiles = f"{stranger.url}/{{z}}/{{x}}/{{y}}.png"
            basemap = web.Basemap(address=tiles, datum="gcj02", credit="Somebody else")
            async with served(live_city, basemap) as url:
                visit = await opened(visits, f"{url}/#at=17.00/29.50460/120.90080")
                lon, lat = await visit.on_map("return map.getCenter().toArray()")
                there = prcoords.wgs_gcj((29.5046, 120.9008))
                assert (lon, lat) == pytest.approx((there.lon, there.lat), abs=1e-6)
                assert "at=17.00/29.50460/120.90080" in visit.page.url
                async with httpx.AsyncClient(base_url=live_city.url) as client:
                    lots = (await client.get("/api/v1/lots", params={"crs": "gcj02"})).json()["features"]
                shifted = {lot["properties"]["id"]: lot["geometry"]["coordinates"] for lot in lots}
                drawn = await visit.on_map("return (await map.getSource('shapes').getData()).features")
                street = next(one for one in drawn if one["properties"]["id"] == "WT")
                for position, wanted in zip(street["geometry"]["coordinates"], shifted["WT"], strict=True):
                    assert position == pytest.approx(wanted, abs=2e-7)
                await visit.page.context.close()

    async def test_without_its_basemap_the_town_is_drawn_from_its_own_shapes(
        self, live_city: LiveCity, visits: Visits
    ) -> None:
        async with served(live_city, web.Basemap(address="/no/such/style.json")) as url:
            visit = await opened(visits, url)
            layers = await visit.on_map("return map.getStyle().layers.map((layer) => layer.id)")
            assert layers[0] == "ground"
            assert any("the basemap did not come" in one for one in visit.complaints)
            await visit.page.context.close()


async def _asked(stranger: Stranger, ending: str) -> bool:
    return any(path.endswith(ending) for path in stranger.asked)
