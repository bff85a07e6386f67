"""What Comity itself says, in the reader's words: sentences by key with named values, dates and numbers by locale.

The words stand in one catalogue for each language, `locale/LANGUAGE/LC_MESSAGES/comity.po`; `make sentences` compiles
it. Words of definitions are not here: they stand in YAML beside what they name.
"""

from comity.sentences.catalogue import ENGLISH, PSEUDO, languages, pseudo
from comity.sentences.localization import DEFAULT, NOTHING, Given, Locale, Text
from comity.sentences.sentence import (
    UNWORDED,
    Filled,
    Joined,
    Sentence,
    Worded,
    in_words,
    joined,
    known,
    listed,
    reason,
    say,
)

__all__ = [
    "DEFAULT", "ENGLISH", "NOTHING", "PSEUDO", "UNWORDED", "Filled", "Given", "Joined", "Locale", "Sentence", "Text",
    "Worded", "in_words", "joined", "known", "languages", "listed", "pseudo", "reason", "say",
]  # fmt: skip
