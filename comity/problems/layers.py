"""The codes of faults in what a layer changes of the core: it may say more and allow less, never the reverse."""

from comity.problems.code import fault

ROWS = (
    fault("layer_act_crosses_states"),
    fault("layer_changes_act"),
    fault("layer_changes_code"),
    fault("layer_changes_state"),
    fault("layer_changes_target"),
    fault("layer_differs"),
    fault("layer_drops_guard"),
    fault("layer_loosens_field"),
    fault("layer_loosens_required"),
    fault("layer_removes_act"),
    fault("layer_removes_field"),
    fault("layer_removes_state"),
    fault("layer_widens_from"),
    fault("layer_widens_grants"),
    fault("layer_widens_roles"),
    fault("layer_widens_sets"),
)  # fmt: skip
