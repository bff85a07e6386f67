"""The codes of faults in foreign files: the file as a whole, its rows, their values, and the mapping."""

from comity.problems.code import fault

FILES = (
    fault("array_missing"),
    fault("column_absent"),
    fault("column_twice"),
    fault("encoding_mark"),
    fault("file_missing"),
    fault("format_unknown"),
    fault("header_missing"),
    fault("sheet_missing"),
    fault("workbook_damaged"),
    fault("workbook_hostile"),
    fault("workbook_too_large"),
)  # fmt: skip

ROWS_OF_FILES = (
    fault("first_kept"),
    fault("json_rest_unread"),
    fault("row_changed"),
    fault("row_encoding"),
    fault("row_gives_nothing"),
    fault("row_key_missing"),
    fault("row_not_object"),
    fault("row_nul"),
    fault("row_too_large"),
    fault("row_unreadable"),
    fault("row_unsettled"),
    fault("row_width"),
    fault("rows_differ"),
    fault("sheet_damaged"),
)  # fmt: skip

VALUES = (
    fault("cell_error"),
    fault("cell_formula"),
    fault("code_unmapped"),
    fault("not_a_boolean"),
    fault("not_a_date"),
    fault("not_a_decimal"),
    fault("not_an_instant"),
    fault("not_an_integer"),
    fault("time_ambiguous"),
    fault("time_does_not_exist"),
    fault("value_missing"),
    fault("value_not_single"),
    fault("zone_missing"),
)  # fmt: skip

MAPPINGS = (
    fault("codes_file"),
    fault("codes_missing"),
    fault("differs_alone"),
    fault("field_source"),
    fault("ignored_and_used"),
    fault("key_idle"),
    fault("key_missing"),
    fault("link_cycle"),
    fault("link_target"),
    fault("name_refused"),
    fault("record_unknown"),
    fault("shared_field_outside_key"),
)  # fmt: skip

ROWS = (*FILES, *ROWS_OF_FILES, *VALUES, *MAPPINGS)
