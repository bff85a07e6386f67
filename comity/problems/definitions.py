"""The codes of faults in definitions: YAML, names, types, guards, roles and agreements, rules with their dates."""

from comity.problems.code import fault

YAML = (
    fault("obligation_unknown"),
    fault("pillar_not_known"),
    fault("power_unknown"),
    fault("yaml_alias"),
    fault("yaml_depth"),
    fault("yaml_duplicate_key"),
    fault("yaml_key"),
    fault("yaml_size"),
    fault("yaml_syntax"),
    fault("yaml_tag"),
)  # fmt: skip

NAMES = (
    fault("act_nobody_may"),
    fault("agency_differs"),
    fault("bad_name"),
    fault("class_not_available"),
    fault("class_unknown"),
    fault("code_parent_unknown"),
    fault("code_without_parent"),
    fault("codes_unknown"),
    fault("duplicate_definition"),
    fault("extends_cycle"),
    fault("extension_unknown"),
    fault("field_unknown"),
    fault("field_without_type"),
    fault("group_unknown"),
    fault("jurisdiction_mismatch"),
    fault("jurisdiction_unknown"),
    fault("layer_unnamed"),
    fault("link_unknown"),
    fault("mark_without_basis"),
    fault("name_reserved"),
    fault("number_pattern"),
    fault("offer_counterparty"),
    fault("pattern_refused"),
    fault("pillar_unknown"),
    fault("schema_refused"),
    fault("state_in_use"),
    fault("type_in_use"),
    fault("too_many_groups"),
    fault("unknown_file"),
    fault("unknown_format"),
    fault("zone_unknown"),
)  # fmt: skip

LIFECYCLE = (
    fault("dead_end"),
    fault("final_state_left"),
    fault("no_initial_state"),
    fault("offer_nobody_answers"),
    fault("several_initial_states"),
    fault("state_outside_core"),
    fault("state_unknown"),
    fault("unreachable_state"),
)  # fmt: skip

GUARDS = (
    fault("condition_too_long"),
    fault("guard_function"),
    fault("guard_nested_loop"),
    fault("guard_syntax"),
    fault("override_not_owed"),
    fault("guard_too_long"),
    fault("guard_unknown_name"),
)  # fmt: skip

RIGHTS = (
    fault("agreement_never_valid"),
    fault("agreement_refused"),
    fault("find_beyond_read"),
    fault("lifecycle_role_unknown"),
    fault("policy_invalid"),
    fault("policy_not_compilable"),
    fault("purpose_missing"),
    fault("purpose_unknown"),
    fault("read_unknown"),
    fault("role_fills_system"),
    fault("role_for"),
    fault("type_not_offered"),
)  # fmt: skip

ROWS = (*YAML, *NAMES, *LIFECYCLE, *GUARDS, *RIGHTS)
