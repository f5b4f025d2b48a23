"""The site of each language as one PDF: python -m tools.pdf.book SITE FOLDER

Chromium puts the pages of the built site together (book.js) and prints them (book.css),
twice: it cannot tell in CSS on which page a heading lands, so the first PDF is asked
for it and the second has the numbers in its contents.
"""

import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unicodedata import normalize
from urllib.parse import unquote, urlsplit

from playwright.sync_api import Browser, Error, Page, Route, sync_playwright
from pypdf import PdfReader, PdfWriter
from pypdf.generic import IndirectObject

from tools.chromium import FLAGS, NONE, chromium

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
# Where a language lies in the site, and what the book says in it and the site does not.
LANGUAGES = {
    "en": {
        "folder": "",
        "lang": "en",
        "contents": "Contents",
        "about": "About this book",
        "version": "Version {version}, {date}",
        "origin": "It grew out of a Chinese article of 2020 by SumwaiLiu, "
        "《神经网络的梯度推导与代码验证》.",
        "licence": "MIT licence, text and code.",
    },
    "zh": {
        "folder": "zh/",
        "lang": "zh-Hans",
        "contents": "目录",
        "about": "关于本书",
        "version": "版本 {version}，{date}",
        "origin": "缘起于 SumwaiLiu 2020 年的文章《神经网络的梯度推导与代码验证》。",
        "licence": "文字与代码均采用 MIT 许可证。",
    },
}
CANONICAL = re.compile(r'<link rel="canonical" href="([^"]*)"')
# The address of a site that has none yet.
NOWHERE = "http://book.invalid/"
NUMBER = """(numbers) => document.querySelectorAll("#contents a").forEach((entry) => {
    entry.querySelector(".page").textContent =
        numbers[decodeURIComponent(entry.hash.slice(1))];
})"""


# One glyph or a range of them, and the character of the first, in a map to Unicode.
GLYPHS = re.compile(r"(?m)^<([0-9A-F]+)>(?: <([0-9A-F]+)>)? <([0-9A-F]{4})>$")
RADICALS = {
    number: ord(character)
    for number in range(0x2E80, 0x2FE0)
    if (character := normalize("NFKC", chr(number))) != chr(number)
} | str.maketrans(
    "⺠⻁⻄⻅⻆⻉⻋⻓⻔⻘⻙⻚⻛⻜⻝⻢⻣⻤⻥⻦⻧⻨⻩⻬⻮⻰⻳",
    "民虎西见角贝车长门青韦页风飞食马骨鬼鱼鸟卤麦黄齐齿龙龟",
)


class BookError(Exception):
    """Why there is no PDF, and what to do."""


def version(words: dict[str, str]) -> str:
    """What was printed, and its day; "" where git or its folder is missing."""

    def git(*command: str) -> str:
        options = {"cwd": HERE, "check": True, "capture_output": True, "text": True}
        return subprocess.run(["git", *command], **options).stdout.strip()

    try:
        name = git("describe", "--tags", "--always", "--dirty")
        date = git("log", "-1", "--format=%cs")
    except (FileNotFoundError, subprocess.CalledProcessError):
        return ""
    return words["version"].format(version=name, date=date)


@contextmanager
def opened(site: Path, language: str, browser: Browser) -> Iterator[Page]:
    """All pages of a language as one document in the browser, without page numbers.

    Raises BookError if anything is amiss. The browser gets the site's files and nothing
    else, whatever it asks for.
    """
    words = LANGUAGES[language]
    try:
        home = (site / "index.html").read_text("utf-8")
    except FileNotFoundError:
        raise BookError(f"{site} holds no site: python3 make.py build") from None
    canonical = CANONICAL.search(home)
    address = canonical[1] if canonical else NOWHERE
    amiss: list[str] = []

    def answer(route: Route) -> None:
        url = route.request.url
        path = unquote(urlsplit(url.removeprefix(address)).path)
        file = site / path / ("index.html" if path.endswith("/") or not path else "")
        if url.startswith(address) and file.is_file():
            route.fulfill(path=file)
        else:
            amiss.append(f"not in the site: {url}")
            route.abort()

    # The scripts of the pages are for readers; ours runs all the same.
    context = browser.new_context(java_script_enabled=False, color_scheme="light")
    try:
        context.route("**/*", answer)
        page = context.new_page()
        page.on(
            "console", lambda said: said.type == "error" and amiss.append(said.text)
        )
        page.emulate_media(media="print")
        page.goto(address + words["folder"])
        script, style = (
            (HERE / name).read_text("utf-8") for name in ("book.js", "book.css")
        )
        given = {"words": words, "version": version(words), "style": style}
        page.evaluate(script, {**given, "published": address != NOWHERE})
        yield page
    except Error as error:
        amiss.append(error.message)
    finally:
        context.close()
    if amiss:
        raise BookError("\n  ".join([f"the book in {language}:", *amiss]))


def printed(page: Page, **options: bool) -> tuple[bytes, dict[str, int]]:
    """The PDF, and on which of its pages, from 1, each target of a link lies."""
    pdf = page.pdf(prefer_css_page_size=True, print_background=True, **options)
    reader = PdfReader(io.BytesIO(pdf))
    numbers = {
        unquote(name.removeprefix("/")): reader.get_destination_page_number(place) + 1
        for name, place in reader.named_destinations.items()
    }
    return pdf, numbers


def readable(pdf: bytes) -> bytes:
    """The PDF with the characters that were typeset, to be searched and copied.

    Chinese fonts draw a radical such as U+2F00 and the character U+4E00 by one glyph,
    and Chromium says of it that it is the radical (crbug.com/981259).
    """

    def code(digits: str, ahead: int = 0) -> str:
        number = int(digits, 16) + ahead
        return f"<{RADICALS.get(number, number):04X}>"

    def glyphs(match: re.Match[str]) -> str:
        first, last, digits = match.groups()
        count = int(last or first, 16) - int(first, 16) + 1
        codes = " ".join(code(digits, ahead) for ahead in range(count))
        return f"<{first}> <{last}> [{codes}]" if last else f"<{first}> {codes}"

    writer = PdfWriter(io.BytesIO(pdf), incremental=True)
    for number in {int(number) for number in re.findall(rb"/ToUnicode (\d+) 0", pdf)}:
        stream = IndirectObject(number, 0, writer).get_object()
        stream.set_data(GLYPHS.sub(glyphs, stream.get_data().decode()).encode())
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def book(page: Page) -> bytes:
    """The PDF of an opened book. Raises BookError."""
    _, before = printed(page)
    page.evaluate(NUMBER, before)
    pdf, after = printed(page, tagged=True, outline=True)
    moved = [name for name in after if before.get(name) != after[name]]
    if moved:
        raise BookError(f"the second print has other pages: {', '.join(moved)}")
    return readable(pdf)


def write(pdf: bytes, path: Path) -> None:
    """The whole file or none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_bytes(pdf)
    part.replace(path)


def main(site: str, folder: str) -> None:
    with sync_playwright() as playwright:
        executable = chromium(playwright.chromium.executable_path)
        if executable is None:
            raise BookError(NONE)
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        for language in LANGUAGES:
            path = Path(folder) / f"backprop-book-{language}.pdf"
            with opened(Path(site), language, browser) as page:
                pdf = book(page)
            write(pdf, path)
            print(f"make.py: {os.path.relpath(path)}")
        browser.close()


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except BookError as error:
        sys.exit(f"make.py: {error}")
