"""The console: the web pages' server side. It reads rows and events, and acts only through the public API.

`Console.app` is for the front; docs/design/0004-the-console.md says what is answered where.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from starlette.requests import Request

from trigpoint import __version__
from trigpoint.console import datasets as _datasets  # noqa: F401 - the folder of its answers
from trigpoint.console.access import Codes, Patience, Session, Sessions
from trigpoint.console.app import Ask, ConsoleApp, Door, Entered, Handler
from trigpoint.console.datasets import answers
from trigpoint.console.links import Link, Links
from trigpoint.console.live import Narrative, Streams, Topic
from trigpoint.console.machine.home import Home
from trigpoint.console.machine.wire import Finding
from trigpoint.console.pages import Pages
from trigpoint.console.passing import App, Passing
from trigpoint.console.runs import listing
from trigpoint.console.runs.listing import Runs
from trigpoint.console.usage import reading
from trigpoint.console.wire import CodeInfo, LinkInfo, ProjectItem, SessionInfo
from trigpoint.console.wire import Links as LinkList
from trigpoint.core.clock import Clock, Ids
from trigpoint.core.errors import InvalidArgument, PermissionDenied, Unauthenticated, Violation
from trigpoint.core.names import with_project
from trigpoint.core.paging import Tokens
from trigpoint.domains.datasets import Datasets
from trigpoint.domains.identity import Identity
from trigpoint.domains.jobs import Jobs
from trigpoint.domains.projects import Projects
from trigpoint.store import Store

__all__ = ["Console", "Finding", "Parts"]
