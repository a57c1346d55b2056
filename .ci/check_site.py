"""Check a built site: it loads nothing from elsewhere, and its own links lead somewhere."""

import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADED = {"script": "src", "img": "src", "source": "src", "iframe": "src", "link": "href"}
OUTSIDE = re.compile(r"^(https?:)?//")
IN_STYLES = re.compile(r"""(?:url\(|@import)\s*['"]?((?:https?:)?//[^'")\s]+)""")


class Page(HTMLParser):
    """What a page loads, what it links to, and where it can be linked to."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take note of one element."""
        values = dict(attrs)
        if values.get("id"):
            self.anchors.add(values["id"] or "")
        if tag == "a" and values.get("href"):
            self.links.append(values["href"] or "")
        address = values.get(LOADED.get(tag, ""))
        if address:
            self.loads.append(address)


def troubles(site: Path) -> list[str]:
    """What is wrong with the site, a line each."""
    pages = {path: Page(path) for path in sorted(site.rglob("*.html"))}
    found = [] if pages else [f"{site} has no page"]
    for path, page in pages.items():
        name = path.relative_to(site)
        found += [f"{name} loads {a}" for a in page.loads if OUTSIDE.match(a)]
        for link in [*page.loads, *page.links]:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = path if not parts.path else path.parent / unquote(parts.path)
            target = target.resolve()
            known = pages.get(target)
            anchor = unquote(parts.fragment)
            if not target.exists():
                found.append(f"{name} links to {link}, which is not there")
            elif known and anchor and anchor not in known.anchors:
                found.append(f"{name} links to {link}, which has no such place")
    for path in sorted(site.rglob("*.css")):
        addresses = IN_STYLES.findall(path.read_text(encoding="utf-8"))
        found += [f"{path.relative_to(site)} loads {address}" for address in addresses]
    return found


def main() -> None:
    """Check the site in the folder that is given."""
    site = Path(sys.argv[1]).resolve()
    found = troubles(site)
    print(*found, sep="\n", end="\n" if found else "")
    if found:
        sys.exit(1)
    print(f"{len(list(site.rglob('*.html')))} pages, none of which needs a network")


main()
