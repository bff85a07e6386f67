"""The codes of dated rules: faults in how they are written, and what a person must decide when a clock is reckoned."""

from comity.problems.code import decision, fault

RULES = (
    fault("calendar_unknown"),
    fault("citation_missing"),
    fault("clock_gap"),
    fault("clock_overlap"),
    fault("clock_unknown"),
    fault("counting_unknown"),
    fault("exclusion_unknown"),
    fault("pack_incomplete"),
    fault("period_missing"),
    fault("rule_gap"),
    fault("rule_overlap"),
    fault("rule_unknown"),
    fault("version_missing"),
)  # fmt: skip

DECISIONS = (
    decision("acted_early"),
    decision("agency_rule_unknown"),
    decision("calendar_ends"),
    decision("closing_hour_unknown"),
    decision("exclusion_over_limit"),
    decision("exclusion_undecided"),
    decision("extension_after_expiry"),
    decision("extension_over_limit"),
    decision("fact_missing"),
    decision("fraction_of_month"),
    decision("hour_missing"),
    decision("law_changed"),
    decision("law_not_known"),
    decision("matter_cut"),
    decision("no_fixed_time"),
    decision("parameter_undecided"),
    decision("same_day_order"),
    decision("service_unknown"),
)  # fmt: skip

ROWS = (*RULES, *DECISIONS)
