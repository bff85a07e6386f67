"""The codes with which a line that another node brought is not taken (ADR 0019)."""

from comity.problems.code import fault

ROWS = (
    fault("act_refused", "The record's type has no such state",
          "By its owner's definitions the type is unknown here, or the entry comes to no state of it or begins midway.",
          "Ask the peer's operator which definitions are in force there."),
    fault("answer_refused", "The answer does not count",
          "The type has no such answer or field, the offer's time was over, or the answerer's log noted its end first.",
          "Read the offer: how it ended stands there."),
    fault("leaf_differs", "The bytes do not give the leaf",
          "The header, the commitments or an item that is shown is not what the entry committed to.",
          "Ask the peer's operator for the entry again."),
    fault("not_elsewhere", "The agency is not kept on another node",
          "Lines come only from agencies that the operator said are kept elsewhere, and while they are not suspended.",
          "Ask the operator of this node."),
    fault("not_its_log", "The entry is of another agency's log",
          "A node brings entries of the agency that is at home there, and of no other.",
          "Ask the peer's operator why it brings it."),
    fault("not_its_record", "The entry is of no record that ties the two agencies",
          "The record is neither offered nor opened by an offer, is another's, or such entries stay where they are.",
          "Ask the peer's operator why it brings it."),
    fault("too_many_lines", "Too many lines came at once",
          "What is taken in one transaction has a bound.",
          "Send fewer."),
    fault("two_entries", "Another entry stands in this place",
          "An entry has one id, one place in its record and one leaf; the peer's log was told twice and differently.",
          "Ask the peer's operator: its log differs from what it brought before, or too much of it waits here."),
    fault("unreadable", "The line cannot be read",
          "It is longer than a megabyte, no JSON, or has other members than a line of ours.",
          "Ask the peer's operator for the entry again."),
)  # fmt: skip
