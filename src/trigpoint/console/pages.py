"""The page itself: its files as they were built, and the headers that keep everything else out."""

from collections.abc import Mapping
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

STATIC = Path(__file__).parent / "static"
_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "worker-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "font-src 'self'",
        "connect-src 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'none'",
    ]
)
STRICT: Mapping[str, str] = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
"""On every answer of the console, whatever it is."""
_TWINS = (("br", ".br"), ("gzip", ".gz"))
_KINDS = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".wasm": "application/wasm",
    ".woff2": "font/woff2",
}
"""By suffix; not the machine's own table, for browsers run no script of another type."""
_FOR_EVER = "public, max-age=31536000, immutable"
_UNBUILT = b"""<!doctype html><meta charset="utf-8"><title>Trigpoint</title>
<p>The console's page has not been built. In a clone of the repository, run <code>make install</code>.</p>
"""


class Pages:
    """Serves what web/ was built into. Files are read once and held: they are few and small."""

    def __init__(self, folder: Path = STATIC) -> None:
        self._files = {
            str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
        }

    def index(self, request: Request) -> Response:
        """Return the page; which part of it is shown is decided by its own script, from the address."""
        if "index.html" not in self._files:
            return Response(_UNBUILT, 503, {"content-type": _KINDS[".html"], "cache-control": "no-store"})
        return self._file(request, "index.html", "no-cache")

    def asset(self, request: Request, name: str) -> Response | None:
        """Return a built file below assets/, or None. Names carry a hash of the content, but for the icon."""
        if f"assets/{name}" not in self._files or name.endswith((".br", ".gz")):
            return None
        return self._file(request, f"assets/{name}", _FOR_EVER if "-" in name else "max-age=3600")

    def _file(self, request: Request, name: str, cache: str) -> Response:
        accepted = _accepted(request.headers.get("accept-encoding", ""))
        kind = _KINDS.get(Path(name).suffix, "application/octet-stream")
        headers = {"content-type": kind, "cache-control": cache, "vary": "accept-encoding"}
        for encoding, suffix in _TWINS:
            if encoding in accepted and name + suffix in self._files:
                return Response(self._files[name + suffix], headers={**headers, "content-encoding": encoding})
        return Response(self._files[name], headers=headers)


def _accepted(header: str) -> set[str]:
    """Return the encodings that a browser takes."""
    given = [part.replace(" ", "").lower().partition(";q=") for part in header.split(",")]
    return {name for name, _, weight in given if weight.strip("0.") or not weight}
