"""Only our own pages may post a form that changes who is signed in: no other site signs a browser in or out.

Browsers say where a request comes from in `Sec-Fetch-Site`, older ones in `Origin`; a program says neither.
"""

from urllib.parse import urlsplit

from flask import request

from shared.errors import Forbidden


class CrossSiteRequest(Forbidden):
    code = "cross_site_request"
    cure = "Open the page itself in the browser and do it there."


def require_same_origin() -> None:
    """Raises CrossSiteRequest when the browser says that another site sent the request."""
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    if site is not None:
        is_ours = site in {"same-origin", "none"}
    else:
        is_ours = origin is None or _host(origin) == request.host
    if not is_ours:
        raise CrossSiteRequest("another site sent this request; open the page itself and try again")


def _host(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc or None
    except ValueError:
        return None
