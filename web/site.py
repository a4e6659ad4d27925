"""The routes of the pages and their files: what is cached for how long, and under which policy."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final, Self

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from web.assets import Asset, digest_of, read_tree

Endpoint = Callable[[Request], Awaitable[Response]]

HERE: Final = Path(__file__).resolve().parent
KEEP: Final = "public, max-age=31536000, immutable"
ASK_AGAIN: Final = "no-cache"

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


def routes() -> list[BaseRoute]:
    """The pages' routes, for an application to append to its own: ``/``, ``/docs`` and the files they load."""
    return Site.read(HERE / "static", HERE / "pages").routes()


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Our own files (their address carries one digest of them all), the vendored ones (their version), the pages."""

    own: dict[str, Asset]
    vendored: dict[str, Asset]
    pages: dict[str, Asset]
    digest: str

    @classmethod
    def read(cls, static: Path, pages: Path) -> Self:
        """List the files once; their content is read when first asked for."""
        vendored = read_tree(static / "vendor")
        own = {path: asset for path, asset in read_tree(static).items() if not path.startswith("vendor/")}
        return cls(own=own, vendored=vendored, pages=read_tree(pages), digest=digest_of(own))

    def routes(self) -> list[BaseRoute]:
        """The routes; none of them appears in the OpenAPI document."""

        async def own(request: Request) -> Response:
            fresh = request.path_params["digest"] == self.digest  # a page from before an upgrade asks for the old one
            return await respond(request, self.own.get(request.path_params["path"]), cache=KEEP if fresh else ASK_AGAIN)

        async def vendored(request: Request) -> Response:
            return await respond(request, self.vendored.get(request.path_params["path"]), cache=KEEP)

        async def icon(request: Request) -> Response:
            return await respond(request, self.own.get("img/icon.svg"), cache="public, max-age=86400")

        return [
            Route("/", self._page("map.html"), include_in_schema=False),
            Route("/docs", self._page("docs.html"), include_in_schema=False),
            Route("/favicon.ico", icon, include_in_schema=False),
            Route("/static/{digest}/{path:path}", own, include_in_schema=False),
            Route("/vendor/{path:path}", vendored, include_in_schema=False),
        ]

    def render(self, page: str) -> bytes:
        """A page with ``{{static}}`` as the address of our own files and ``{{modules}}`` as preloads of its scripts.

        A browser would otherwise find the modules one import after the other, a round trip each.
        """
        text = self.pages[page].content.decode()
        base = f"/static/{self.digest}"
        modules = "\n".join(
            f'    <link rel="modulepreload" href="{base}/{path}">'
            for path in self.own
            if re.match(r"js/(?!docs|first).*\.js$", path)
        )
        return text.replace("{{modules}}", modules.strip()).replace("{{static}}", base).encode()

    def _page(self, name: str) -> Endpoint:
        @lru_cache(maxsize=1)
        def body() -> bytes:
            return self.render(name)

        async def page(_: Request) -> Response:
            return Response(body(), media_type="text/html", headers=PAGE_HEADERS)

        return page


async def respond(request: Request, asset: Asset | None, *, cache: str) -> Response:
    """A file, compressed where the browser takes that; 304 where it has it already; 404 where there is none."""
    if asset is None:
        return Response("not found", status_code=404, media_type="text/plain", headers={"Cache-Control": ASK_AGAIN})
    headers = {"Cache-Control": cache, "ETag": asset.etag, "Vary": "Accept-Encoding"}
    headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY  # a worker lives by the policy of its own file
    if asset.etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    headers["Content-Type"] = asset.media_type
    if "gzip" in request.headers.get("accept-encoding", ""):
        gzipped = await asyncio.to_thread(lambda: asset.gzipped)
        if gzipped is not None:
            return Response(gzipped, headers=headers | {"Content-Encoding": "gzip"})
    return Response(asset.content, headers=headers)
