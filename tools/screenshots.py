"""Takes the pictures that the READMEs show, of the demo as it really ran: `python tools/screenshots.py`.

Runs the demo in a home of its own, opens its console in Chromium, in each language, and writes docs/pictures/.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "docs" / "pictures"
SIZE = {"width": 1360, "height": 800}
PAGES = {"run": "", "replica": "?open=attempt/1/replica/workerpool0-0"}
LANGUAGES = {"": "en-GB", ".zh-CN": "zh-CN"}


def main() -> int:
    """Take them all."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="screenshots-") as folder, sync_playwright() as playwright:
        environ = {**os.environ, "TRIGPOINT_HOME": folder}
        trig("demo", environ=environ)
        trig("up", "--detach", environ=environ)
        try:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            for ending, locale in LANGUAGES.items():
                take(browser, locale, ending, environ)
            browser.close()
        finally:
            trig("down", environ=environ)
    return 0


def take(browser: Browser, locale: str, ending: str, environ: dict[str, str]) -> None:
    """Take the pictures in one language."""
    page = browser.new_context(viewport=SIZE, locale=locale, reduced_motion="reduce").new_page()  # type: ignore[arg-type]
    link = json.loads(trig("console", "penguins-forest", "--json", environ=environ))["console_url"]
    page.goto(link)
    page.locator("main h1").wait_for()
    address = page.url
    for name, query in PAGES.items():
        page.goto(f"{address}{query}")
        page.locator(".react-flow__node").first.wait_for()
        page.wait_for_timeout(1500)
        page.screenshot(path=PICTURES / f"{name}{ending}.png")


def trig(*arguments: str, environ: dict[str, str]) -> str:
    """Run the command of this checkout; return what it printed."""
    command = [str(Path(sys.executable).with_name("trig")), *arguments]
    return subprocess.run(command, env=environ, check=True, stdout=subprocess.PIPE, text=True).stdout


if __name__ == "__main__":
    sys.exit(main())
