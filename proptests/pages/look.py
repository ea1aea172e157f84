#!/usr/bin/env python3
"""Looks at pages in a headless Chromium: what a person would stumble over. Exit code 0 where nothing is wrong, 1 where something is, 2 where
there is no browser or no page.

    look.py [--shots DIR] [--figures N] [--runs N] [--prove] PAGE ...

--figures and --runs say how many drawings, and how many runs with buttons, each page has to have at least. With --prove it then spoils the
last page in each way that it looks for, and has to find each: a look that finds nothing anywhere would show nothing.
"""

import argparse
import base64
import pathlib
import sys
import tempfile

sys.dont_write_bytecode = True
from browser import Browser, BrowserError, Tab, executable

INSIDE = (pathlib.Path(__file__).parent / "page.js").read_text()
DESK, PHONE = (1280, 900), (375, 812)


def ask(tab, question, *arguments):
    return tab.evaluate(f"asked.{question}({', '.join(map(repr, arguments))})")


def steps(tab, run):
    """The buttons of a run, and its keys."""
    wrong = []

    def must(holds, what):
        if not holds:
            wrong.append(f"run {run}: {what}")

    def click(go):
        place = ask(tab, "button", run, go)
        must(place["width"] >= 24 and place["height"] >= 24, f"the button {go} is too small to hit")
        tab.click(place["x"], place["y"])
        return ask(tab, "state", run)

    first = ask(tab, "state", run)
    last = first["rows"] - 1
    must(first["rows"] > 0 and first["at"] == 0 and first["drawn"] == 1, f"it does not begin at its first step: {first}")
    must(first["polite"] == "polite" and first["said"].startswith("Step "), "it does not say where it is")
    if last < 1:
        return wrong
    for go, at in [("next", 1), ("previous", 0), ("last", last), ("first", 0)]:
        now = click(go)
        must(now["at"] == at and now["drawn"] == 1, f"{go} leads to row {now['at']} and not to {at}")
        must(f"({at + 1} of {last + 1})" in now["said"], f"{go}: it says {now['said']!r}")
        must(now["inside"], f"{go}: the step is out of sight")
        must(now["later"] == last - at, f"{go}: {now['later']} steps are shown as later")
    must(now["disabled"] == "first previous", f"at the beginning the buttons {now['disabled']!r} are off")
    # The focus is on the button that was clicked.
    for key, at in [("ArrowRight", 1), ("End", last), ("ArrowLeft", last - 1), ("Home", 0)]:
        tab.press(key)
        now = ask(tab, "state", run)
        must(now["at"] == at, f"the key {key} leads to row {now['at']} and not to {at}")
    return wrong


def names(tab):
    """What a screen reader is told: everything that has to have a name has one."""
    named = {"button", "link", "image", "img", "region", "table", "group", "heading", "WebArea", "RootWebArea", "figure"}
    wrong, seen = [], set()
    for node in tab.call("Accessibility.getFullAXTree")["nodes"]:
        role = node.get("role", {}).get("value")
        if node.get("ignored") or role not in named:
            continue
        seen.add(role)
        if role not in ("table", "group", "figure") and not node.get("name", {}).get("value", "").strip():
            wrong.append(f"a {role} has no name")
    if not {"heading", "region", "table"} <= seen:
        wrong.append(f"a screen reader finds only {sorted(seen)}")
    return wrong[:5]


def keyboard(tab):
    """The first key leads to what skips the head of the page."""
    tab.press("Tab")
    skip = tab.evaluate("document.activeElement.className")
    tab.press("Enter")
    return [] if skip == "skip" and tab.evaluate("location.hash") == "#main" else [f"Tab does not lead to the text first, but to {skip!r}"]


VIEWS = [("light", DESK), ("dark", DESK), ("light", PHONE), ("dark", PHONE)]


def look(browser, path, figures, runs, shots=None, views=VIEWS):
    """Everything that is wrong with a page."""
    tab, wrong = Tab(browser), []
    try:
        for scheme, (width, height) in views:
            tab.size(width, height)
            tab.media(scheme)
            tab.open(path.resolve().as_uri())
            if shots:
                picture(tab, shots / f"{path.stem}-{scheme}-{width}.png")
            tab.evaluate(INSIDE)
            found = [*ask(tab, "overflow"), *ask(tab, "contrast"), *ask(tab, "figures", figures)]
            if scheme == "light":
                found += [*ask(tab, "structure"), *keyboard(tab)]
                count = tab.evaluate("document.querySelectorAll('.run').length")
                if count < runs:
                    found.append(f"{count} runs to go through, and there have to be {runs}")
                for run in sorted({0, 1, count - 1}) if count else []:
                    if run < count:
                        found += steps(tab, run)
            if (scheme, width) == ("light", DESK[0]):
                found += names(tab)
            found += tab.complaints()
            wrong += [f"{scheme}, {width} wide: {one}" for one in found]
        wrong += [f"on paper: {one}" for one in paper(tab, path, shots)]
    finally:
        tab.close()
    return wrong


def paper(tab, path, shots):
    """Prints the page, in dark surroundings: what is printed is light all the same."""
    wrong = []
    tab.size(*DESK)
    tab.media("dark", "print")
    ground = tab.evaluate("getComputedStyle(document.body).backgroundColor")
    if ground != "rgb(255, 255, 255)":
        wrong.append(f"the ground is {ground}")
    pdf = base64.b64decode(tab.call("Page.printToPDF", printBackground=True)["data"])
    if not pdf.startswith(b"%PDF-") or pdf.count(b"/Type /Page\n") + pdf.count(b"/Type /Page ") + pdf.count(b"/Type/Page/") < 1:
        wrong.append("there is no page")
    if shots:
        (shots / f"{path.stem}.pdf").write_bytes(pdf)
    return wrong


def picture(tab, to):
    data = tab.call("Page.captureScreenshot", format="png")["data"]
    to.write_bytes(base64.b64decode(data))


# A page is spoiled in one way, and this is what has to be found.
SPOILED = [
    ("an error on the console", "</main>", "</main><script>console.error('spoiled')</script>", "spoiled"),
    ("a script that stops", "</main>", "</main><script>undefinedName()</script>", "undefinedName"),
    ("something from outside", "</main>", "<img alt='x' src='https://example.invalid/x.png'/></main>", "needs something else"),
    ("pale text", "</main>", "<p style='color: #aaa; background: #fff'>too pale</p></main>", "too pale"),
    ("what is too wide", "</main>", "<p style='width: 2000px; max-width: none'>wide</p></main>", "wider than the window"),
    ("no language", 'lang="en"', "", "no language"),
    ("an empty drawing", "</main>", "<svg role='img' aria-label='void' width='200' height='200'></svg></main>", "an empty drawing"),
    ("an id twice", "</main>", "<p id='main'>again</p></main>", "an id is there twice"),
    ("what says nothing to a screen reader", "</main>", "<button type='button'></button></main>", "a button has no name"),
    ("dark paper", "@media screen and (prefers-color-scheme: dark)", "@media (prefers-color-scheme: dark)", "the ground is"),
]
SPOILED_RUNS = [
    ("a button that does nothing", "next: () => at + 1", "next: () => at", "next leads to row 0"),
    ("keys that do nothing", "ArrowRight:", "ArrowNowhere:", "the key ArrowRight"),
    ("a step that is not said", "now.textContent =", "now.title =", "it does not say where it is"),
]


def prove(browser, path, figures, runs):
    """What is not found although it is there."""
    page, blind = path.read_text(), []
    with tempfile.TemporaryDirectory() as folder:
        for what, old, new, found in SPOILED + (SPOILED_RUNS if runs else []):
            spoiled = pathlib.Path(folder) / "spoiled.html"
            text = page.replace(old, new)
            if text == page:
                blind.append(f"{what}: there is no {old!r} to spoil")
                continue
            spoiled.write_text(text)
            try:
                said = look(browser, spoiled, figures, runs, views=VIEWS[:1])
            except BrowserError as error:
                said = [str(error)]
            if not any(found in one for one in said):
                blind.append(f"{what} is not noticed: {said[:3]}")
    return blind


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--shots", type=pathlib.Path)
    options.add_argument("--figures", type=int, default=1)
    options.add_argument("--runs", type=int, default=0)
    options.add_argument("--prove", action="store_true", help="spoil the last page in every way, and find it")
    options.add_argument("pages", nargs="+", type=pathlib.Path)
    chosen = options.parse_args()
    path = executable()
    missing = [str(page) for page in chosen.pages if not page.is_file()]
    if path is None or missing:
        print("no Chromium is here" if path is None else f"not here: {', '.join(missing)}", file=sys.stderr)
        return 2
    if chosen.shots:
        chosen.shots.mkdir(parents=True, exist_ok=True)
    browser, failed = Browser(path), False
    try:
        print(f"{browser.version()}")
        for page in chosen.pages:
            wrong = look(browser, page, chosen.figures, chosen.runs, chosen.shots)
            print(f"{page.name}: {'; '.join(wrong) if wrong else 'nothing is wrong'}")
            failed |= bool(wrong)
        if chosen.prove:
            blind = prove(browser, chosen.pages[-1], chosen.figures, chosen.runs)
            ways = len(SPOILED) + (len(SPOILED_RUNS) if chosen.runs else 0)
            print("\n".join(blind) if blind else f"{chosen.pages[-1].name}, spoiled in {ways} ways: each is noticed")
            failed |= bool(blind)
    except BrowserError as error:
        print(error, file=sys.stderr)
        failed = True
    finally:
        browser.close()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
