"""A parsed HTML page, to look into."""

import json
from html.parser import HTMLParser


class Page(HTMLParser):
    """Collects tags, addresses and script texts of a page, and checks that tags are closed."""

    VOID = frozenset({"meta", "br", "rect", "line", "circle", "path", "link", "img"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.stack: list[str] = []
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.scripts: list[str] = []
        self.text: list[str] = []
        self.feed(html)
        assert self.stack == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.addresses += [v for k, v in attrs if k in ("src", "href", "srcset", "action")]
        if tag == "script":
            self.scripts.append("")
        if tag not in self.VOID:
            self.stack.append(tag)

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.stack.pop() == tag

    def handle_data(self, data):
        if self.stack and self.stack[-1] == "script":
            self.scripts[-1] += data
        elif "style" not in self.stack:
            self.text += data.split()

    def molecules(self) -> list[dict]:
        return json.loads(self.scripts[0])
