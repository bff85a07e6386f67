"""The codes with which a line that another node brought is not taken (ADR 0019)."""

from comity.problems.code import fault

ROWS = (
    fault("act_refused"),
    fault("answer_refused"),
    fault("leaf_differs"),
    fault("not_elsewhere"),
    fault("not_its_log"),
    fault("not_its_record"),
    fault("too_many_lines"),
    fault("two_entries"),
    fault("unreadable"),
)  # fmt: skip
