"""The routes of the pages and their files: what is cached for how long, and under which policy."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Final, Self

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from web.assets import Asset, digest_of, read_tree
from web.basemap import NO_BASEMAP, Basemap
from web.modules import entries_of, modules_of

Endpoint = Callable[[Request], Awaitable[Response]]

HERE: Final = Path(__file__).resolve().parent
KEEP: Final = "public, max-age=31536000, immutable"
ASK_AGAIN: Final = "no-cache"
NO_WORDS: Final[Mapping[str, str]] = MappingProxyType({})

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; font-src 'self'; worker-src 'self'; "
    "img-src 'self' data: blob:; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""What a page may load: everything from us, nothing inline, nothing evaluated; pictures the map draws are data."""
PAGE_HEADERS: Final = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cache-Control": ASK_AGAIN,
    "Permissions-Policy": "geolocation=(self)",  # the only one a page asks for, and only when "near me" is tapped
}


SERVICE_WORKER_POLICY: Final = "default-src 'none'; connect-src 'self'"
"""The service worker fetches our own files and answers, and nothing else."""


def routes(basemap: Basemap = NO_BASEMAP) -> list[BaseRoute]:
    """The routes of the pages and their files, to be appended to an application.

    Args:
        basemap: what is drawn under the town; the map page's policy lets exactly that in.
    """
    return Site.read(HERE / "static", HERE / "pages", basemap).routes()


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Our own files (their address carries one digest of them all), the vendored ones (their version), the pages."""

    own: dict[str, Asset]
    vendored: dict[str, Asset]
    pages: dict[str, Asset]
    digest: str
    basemap: Basemap = NO_BASEMAP

    @classmethod
    def read(cls, static: Path, pages: Path, basemap: Basemap = NO_BASEMAP) -> Self:
        """List the files once; their content is read when first asked for."""
        vendored = read_tree(static / "vendor")
        own = {path: asset for path, asset in read_tree(static).items() if not path.startswith("vendor/")}
        return cls(own=own, vendored=vendored, pages=read_tree(pages), digest=digest_of(own), basemap=basemap)

    def routes(self) -> list[BaseRoute]:
        """The routes; none of them appears in the OpenAPI document."""
        policy = self.basemap.policy(CONTENT_SECURITY_POLICY)

        async def own(request: Request) -> Response:
            fresh = request.path_params["digest"] == self.digest  # a page from before an upgrade asks for the old one
            return await respond(request, self.own.get(request.path_params["path"]), cache=KEEP if fresh else ASK_AGAIN)

        async def vendored(request: Request) -> Response:
            return await respond(request, self.vendored.get(request.path_params["path"]), cache=KEEP, policy=policy)

        async def icon(request: Request) -> Response:
            return await respond(request, self.own.get("img/icon.svg"), cache="public, max-age=86400")

        return [
            Route("/", self._page("map.html"), include_in_schema=False),
            Route("/docs", self._page("docs.html"), include_in_schema=False),
            Route("/s/{code}", self._paying("停车缴费", "pay/main.js"), include_in_schema=False),
            Route("/pay", self._paying("停车缴费", "street/find.js"), include_in_schema=False),
            Route("/arrears", self._paying("补缴欠费", "street/arrears.js"), include_in_schema=False),
            Route("/passes", self._paying("停车月卡", "street/passes.js"), include_in_schema=False),
            Route("/kiosk", self._page("kiosk.html"), include_in_schema=False),
            Route("/service-worker.js", self._service_worker(MAP_WORKER), include_in_schema=False),
            Route("/kiosk-worker.js", self._service_worker(KIOSK_WORKER), include_in_schema=False),
            Route("/favicon.ico", icon, include_in_schema=False),
            Route("/static/{digest}/{path:path}", own, include_in_schema=False),
            Route("/vendor/{path:path}", vendored, include_in_schema=False),
        ]

    def render(self, page: str, words: Mapping[str, str] = NO_WORDS) -> bytes:
        """A page with ``{{static}}`` as the address of our own files and ``{{modules}}`` as preloads of its scripts.

        A browser would otherwise find the modules one import after the other, a round trip each.

        Args:
            page: its file.
            words: what stands in the page's own ``{{...}}``, by name; one file may so serve several pages.
        """
        text = self.pages[page].content.decode()
        for name, word in words.items():
            text = text.replace("{{" + name + "}}", word)
        modules, _ = modules_of(self.own, entries_of(text))
        preloads = "\n".join(f'    <link rel="modulepreload" href="{self.base}/{path}">' for path in modules)
        text = text.replace("{{modules}}", preloads.strip()).replace("{{static}}", self.base)
        return text.replace("{{basemap}}", self.basemap.attributes()).encode()

    def service_worker(self, worker: "Worker") -> bytes:
        """The script that keeps a page on the device: with the list of its files, so that none is forgotten."""
        page = self.pages[worker.page].content.decode()
        modules, named = modules_of(self.own, entries_of(page))
        folders = {path.partition("/")[0] for path in named}
        vendored = [
            path for path in self.vendored if path.partition("/")[0] in folders and path.endswith((".mjs", ".css"))
        ]
        named_by_page = re.findall(r"\{\{static\}\}/([^\"]+)", page)
        files = [f"{self.base}/{path}" for path in dict.fromkeys([*named_by_page, *modules])]
        listed = json.dumps([*worker.also, *files, *(f"/vendor/{path}" for path in vendored)], indent=0)
        text = self.pages[worker.script].content.decode()
        return text.replace("{{version}}", self.digest).replace("{{files}}", listed).encode()

    @property
    def base(self) -> str:
        """Where our own files are."""
        return f"/static/{self.digest}"

    def _page(self, name: str) -> Endpoint:
        headers = PAGE_HEADERS
        if name == "map.html":
            headers = PAGE_HEADERS | {"Content-Security-Policy": self.basemap.policy(CONTENT_SECURITY_POLICY)}
        return _made_once(lambda: self.render(name), media_type="text/html", headers=headers)

    def _paying(self, title: str, script: str) -> Endpoint:
        """A page where one pays: all are one frame, which its script fills; ``title`` stands until that runs."""
        words = {"title": title, "script": script}
        return _made_once(lambda: self.render("paying.html", words), media_type="text/html", headers=PAGE_HEADERS)

    def _service_worker(self, worker: "Worker") -> Endpoint:
        headers = {"Content-Security-Policy": SERVICE_WORKER_POLICY, "Cache-Control": ASK_AGAIN}
        return _made_once(lambda: self.service_worker(worker), media_type="text/javascript", headers=headers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """A page that opens without a connection: its script, and the addresses to keep besides the page's files."""

    page: str
    script: str
    also: tuple[str, ...]


MAP_WORKER: Final = Worker(page="map.html", script="service-worker.js", also=("/",))
KIOSK_WORKER: Final = Worker(page="kiosk.html", script="kiosk-worker.js", also=("/kiosk", "/kiosk/phone.svg"))


def _made_once(make: Callable[[], bytes], *, media_type: str, headers: dict[str, str]) -> Endpoint:
    """An endpoint whose answer is made when it is first asked for."""
    body = lru_cache(maxsize=1)(make)

    async def answer(_: Request) -> Response:
        return Response(body(), media_type=media_type, headers=headers)

    return answer


async def respond(
    request: Request, asset: Asset | None, *, cache: str, policy: str = CONTENT_SECURITY_POLICY
) -> Response:
    """A file, compressed where the browser takes that; 304 where it has it already; 404 where there is none."""
    if asset is None:
        return Response("not found", status_code=404, media_type="text/plain", headers={"Cache-Control": ASK_AGAIN})
    headers = {"Cache-Control": cache, "ETag": asset.etag, "Vary": "Accept-Encoding"}
    headers["Content-Security-Policy"] = policy  # a worker lives by the policy of its own file
    if asset.etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    headers["Content-Type"] = asset.media_type
    if "gzip" in request.headers.get("accept-encoding", ""):
        gzipped = await asyncio.to_thread(lambda: asset.gzipped)
        if gzipped is not None:
            return Response(gzipped, headers=headers | {"Content-Encoding": "gzip"})
    return Response(asset.content, headers=headers)
