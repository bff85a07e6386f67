"""Print the page of a record as plain HTML. It knows no type and no word: all that it says is the page's.

python docs/page_as_html.py http://127.0.0.1:8440/api/v1 RECORD LANGUAGE, with the caller's token in COMITY_TOKEN"""

import json
import os
import sys
from html import escape
from urllib.request import Request, urlopen

PARTS = ("featured", "lines", "links", "linked_from", "files", "about", "entered")


def tagged(tag, *texts):
    return "".join(f"<{tag}>{escape(text)}</{tag}>" for text in texts if text)


def lines(listed):
    return "".join(tagged("dt", one["label"]) + tagged("dd", *one["texts"]) for one in listed)


def printed(page):
    said, offer = page["headings"], page["offer"]
    yield tagged("h1", page["label"]) + tagged("p", page["number"], page["caption"], page["state_label"])
    yield tagged("p", page["version"], page["whose"], *page["notices"], *(one["text"] for one in page["marks"]))
    yield "".join(lines(page[name]) for name in PARTS)
    if offer:
        yield tagged("h2", said["offered"]) + tagged("p", offer["text"]) + lines([*offer["answer"], *offer["manifest"]])
    for one in [*page["due"], *page["owed"], *page["acts"]]:
        yield tagged("h2", said[one["heading"]]) + tagged("p", one["label"], *one["texts"])
    for one in page["timeline"]:
        yield tagged("h2", said["history"]) + tagged("p", *one["texts"])
    yield tagged("p", page["earlier"])


if __name__ == "__main__":
    asked = Request("{}/records/id/{}?page=true&language={}".format(*sys.argv[1:]))
    asked.add_header("Authorization", f"Bearer {os.environ['COMITY_TOKEN']}")
    with urlopen(asked) as answer:
        print("\n".join(printed(json.load(answer)["page"])))
