"""What a page of docs/ is made of: all that must be equal in both languages."""

import re
from collections import Counter
from dataclasses import dataclass, field
from difflib import unified_diff
from pathlib import Path

from mkdocs.utils import yaml_load

ROOT = Path(__file__).resolve().parent.parent
LANGUAGES = ["en", "zh"]


@dataclass
class Bones:
    """The first group is compared in order, the second, where words move, as a bag."""

    headings: list[str] = field(default_factory=list)
    includes: list[str] = field(default_factory=list)
    displays: list[str] = field(default_factory=list)
    fences: list[str] = field(default_factory=list)
    admonitions: list[str] = field(default_factory=list)

    inline: Counter[str] = field(default_factory=Counter)
    code: Counter[str] = field(default_factory=Counter)
    links: Counter[str] = field(default_factory=Counter)

    errors: list[str] = field(default_factory=list)


def nav_pages() -> list[str]:
    """The pages in reading order, as paths below docs/en and docs/zh."""

    def flatten(entries):
        for entry in entries:
            if isinstance(entry, str):
                yield entry
            else:
                for below in entry.values():
                    yield from flatten([below] if isinstance(below, str) else below)

    return list(flatten(yaml_load((ROOT / "mkdocs.yml").read_text("utf-8"))["nav"]))


def notebooks() -> dict[str, list[str]]:
    """The pages of which each notebook is made."""
    listed = yaml_load((ROOT / "mkdocs.yml").read_text("utf-8"))["extra"]["notebooks"]
    return {notebook["name"]: notebook["pages"] for notebook in listed}


PARTS = notebooks()


def normal(formula: str) -> str:
    r"""A formula without its spacing and without the words in \text{...}."""
    return re.sub(
        r"\s+", " ", re.sub(r"\\text\{[^{}]*\}", r"\\text{}", formula)
    ).strip()


def bones(source: str) -> Bones:
    """Take a page apart; what cannot be told for certain becomes an error."""
    found = Bones()
    front = re.match(r"---\n(.*?)\n---\n", source, re.S)
    if not front or not yaml_load(front[1]).get("description"):
        found.errors.append("the front matter has no description")
    text = source[front.end() :] if front else source

    def take(pattern, into, text, flags=0):
        """Move what the pattern's first group matches from the text into a list."""

        def move(match):
            into.append(match[1])
            return "\n\n" if match[0].startswith("\n") else " "

        return re.sub(pattern, move, text, flags=flags)

    text = take(r"(?ms)^(`{3,}.*?^`{3,} *$)", found.fences, text)
    text = take(r'(?m)^ *--8<-- "([\w./-]+:[\w-]+)" *$', found.includes, text)
    if "--8<--" in text:
        found.errors.append('an include is one line: --8<-- "session.md:section"')
    displays, inline, code, links = [], [], [], []
    text = take(r"(?ms)^ *\$\$\n(.*?)\n *\$\$ *$", displays, text)
    text = take(r"`([^`\n]+)`", code, text)
    text = take(r"\$((?:\\.|[^$\\]){1,400}?)\$", inline, text)
    if "$" in text:
        stray = text[max(text.index("$") - 40, 0) : text.index("$") + 40]
        found.errors.append(f"a $ without its partner near {stray!r}")
    text = take(r"\]\(([^)\s]+)\)", links, text)
    for line in text.splitlines():
        if heading := re.match(r"(#{1,6}) .*?(\{ #[a-z0-9-]+ \})?$", line):
            found.headings.append(f"{heading[1]} {heading[2]}")
            if not heading[2]:
                found.errors.append(f"no anchor {{ #name }} at the heading {line!r}")
        if admonition := re.match(r"\s*((?:!!!|\?\?\?\+?) \w+)", line):
            found.admonitions.append(admonition[1])
    found.displays = [normal(formula) for formula in displays]
    found.inline = Counter(map(normal, inline))
    found.code, found.links = Counter(code), Counter(links)
    return found


def differences(english: str, chinese: str) -> list[str]:
    """What one language has and the other lacks; empty where the bones are equal."""
    en, zh = bones(english), bones(chinese)
    found = [f"en: {error}" for error in en.errors]
    found += [f"zh: {error}" for error in zh.errors]
    for part in ["headings", "includes", "displays", "fences", "admonitions"]:
        lines = unified_diff(
            getattr(en, part), getattr(zh, part), "en", "zh", "", "", 0
        )
        changed = [line for line in lines if not line.startswith(("---", "+++", "@@"))]
        if changed:
            found.append(
                f"{part} (- English only, + Chinese only):\n" + "\n".join(changed)
            )
    for part in ["inline", "code", "links"]:
        a, b = getattr(en, part), getattr(zh, part)
        for language, more in [("English", a - b), ("Chinese", b - a)]:
            if more:
                found.append(f"{part}, more often in {language}: {dict(more)}")
    return found
