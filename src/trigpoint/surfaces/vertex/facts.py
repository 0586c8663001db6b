"""What a request's headers say of the program that sent it (sdk-contract.md section 2.2, Headers)."""

from collections.abc import Mapping
from functools import lru_cache

from trigpoint.core.call import Client

_METHOD = "top_google_constructor_method"
_LONGEST = 256
CONSOLE = "trigpoint-console/"
"""Our own pages: they are answered at once, and their reads do not disturb the rhythm of a script's."""
_LOW = (CONSOLE, "gapic/", "gcloud-python/")
"""Libraries that are named where no higher one is."""


def client(headers: Mapping[str, str]) -> Client:
    """Return the library, the SDK's own method and the environment, as far as the headers tell."""
    return _read(headers.get("x-goog-api-client", "")[: 8 * _LONGEST], headers.get("user-agent", "")[: 8 * _LONGEST])


@lru_cache(maxsize=1024)
def _read(api_client: str, agent: str) -> Client:
    told = f"{api_client} {agent}"
    words = told.split()
    library = next((word for word in words if word.startswith(("model-builder/", "vertex-genai-sdk/"))), "")
    library = library or next((word for word in words if word.startswith(_LOW)), "")
    name, *tags = library.split("+")
    return Client(name[:_LONGEST], _after(tags, _METHOD), _after(tags, "environment"), agent[:_LONGEST])


def _after(tags: list[str], key: str) -> str:
    """Return the tag that follows a key."""
    at = tags.index(key) + 1 if key in tags else len(tags)
    return tags[at][:_LONGEST] if at < len(tags) else ""
