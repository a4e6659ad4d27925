"""The pages: one map for everybody, and what all pages share.

``routes()`` is all that the api mounts; what the pages ask for is in ``docs/web.md``.
"""

from web.basemap import Basemap
from web.site import CONTENT_SECURITY_POLICY, Site, routes

__all__ = ["CONTENT_SECURITY_POLICY", "Basemap", "Site", "routes"]
