"""`make sentences`: brings the catalogues into order and compiles them; the result is part of the source.

English is written by hand, sorted by key. Every other language has the same keys, each with its English above it; a
sentence whose English has changed since is marked fuzzy and said in English until somebody has looked at it.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from comity.sentences.catalogue import ENGLISH, FILE, FOLDER

SOURCE = FILE.with_suffix(".po")
_NO_DATE = datetime(2000, 1, 1, tzinfo=UTC)  # the same catalogue gives the same bytes
_HEAD = """# What Comity says. Keys are codes: docs/sentences.md.
msgid ""
msgstr ""
"Language: {language}\\n"
"Plural-Forms: {plural}\\n"
"Content-Type: text/plain; charset=utf-8\\n"

"""


def catalogue(language: str, text: bytes) -> Catalog:
    """A catalogue as it is written. ValueError for a line that is none."""
    found = read_po(io.BytesIO(text), locale=language, abort_invalid=True)
    return _of(language, [one for one in found if one.id])


def followed(language: str, english: Catalog, own: Catalog) -> Catalog:
    """The catalogue of a language, brought to the keys and the sentences of the English one."""
    made = []
    for one in english:
        if not one.id:
            continue
        known = own.get(_key(one))
        sentence = one.string if isinstance(one.string, str) else " / ".join(one.string or ())
        text = known.string if known is not None else ""
        stale = known is not None and bool(text) and (known.fuzzy or _words(known.auto_comments) != _words([sentence]))
        made.append(Message(one.id, text, flags=("fuzzy",) if stale else (), auto_comments=[sentence]))
    return _of(language, made)


def written(of: Catalog) -> bytes:
    """The catalogue as its file."""
    file = io.BytesIO()
    write_po(file, of, width=0, omit_header=True, sort_output=True)
    head = _HEAD.format(language=of.locale_identifier, plural=of.plural_forms)
    return head.encode() + file.getvalue()


def compiled(of: Catalog) -> bytes:
    """The catalogue as programs read it: what is fuzzy or empty is left out."""
    file = io.BytesIO()
    write_mo(file, _of(str(of.locale_identifier), [one for one in of if one.id and _is_whole(one)]))
    return file.getvalue()


def _is_whole(one: Message) -> bool:
    """Whether each form of the sentence is there."""
    return bool(one.string) if isinstance(one.string, str) else all(one.string or ("",))


def _words(comments: Iterable[str]) -> list[str]:
    """A comment without the breaks of its lines."""
    return " ".join(comments).split()


def _key(one: Message) -> str:
    return one.id if isinstance(one.id, str) else one.id[0]


def _of(language: str, messages: list[Message]) -> Catalog:
    made = Catalog(
        locale=language, fuzzy=False, project="Comity", version="1", creation_date=_NO_DATE, revision_date=_NO_DATE
    )
    for one in messages:
        made[one.id] = one
    return made


def files(folder: Path = FOLDER) -> dict[Path, bytes]:
    """Every file of the catalogues as it should be."""
    english = catalogue(ENGLISH, (folder / ENGLISH / SOURCE).read_bytes())
    made = {ENGLISH: english}
    for path in sorted(folder.glob(f"*/{SOURCE.as_posix()}")):
        language = path.parent.parent.name
        if language != ENGLISH:
            made[language] = followed(language, english, catalogue(language, path.read_bytes()))
    return {
        folder / language / name: content
        for language, of in made.items()
        for name, content in ((SOURCE, written(of)), (FILE, compiled(of)))
    }


def main() -> None:
    for path, content in files().items():
        path.write_bytes(content)
        sys.stderr.write(f"{path.relative_to(FOLDER)}\n")


if __name__ == "__main__":
    main()
