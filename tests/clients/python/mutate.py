"""Breaks a valid request in one place, or changes it in one place without harm: which of the two, the reference says."""

import random
from dataclasses import dataclass

import break_selections as selections
import break_syntax as syntax
import break_values as values
from draft import Draft

# About every third change is meant to do no harm, so that both verdicts are common.
HARMLESS_SHARE = 0.33


@dataclass
class Change:
    """What was done to a request: of which group, and in which way."""

    group: str
    way: str
    request: object


class Mutator:
    """The change number `n` depends on the seed and on `n` alone."""

    def __init__(self, schema, seed, ways):
        self.schema, self.seed, self.ways = schema, seed, ways

    def change(self, number, request):
        chance = random.Random(f"{self.seed} change {number}")
        draft = Draft(self.schema, chance, request)
        groups = list(self.ways)
        at = number
        while True:
            group = groups[at % len(groups)]
            harmful, harmless = self.ways[group]
            way = chance.choice(harmless if chance.random() < HARMLESS_SHARE else harmful)
            changed = way(draft)
            # Not every document has a place for every change; most have one for some of each group.
            if changed is not None and changed != request:
                return Change(group, way.__name__.replace("_", " "), changed)
            at += chance.random() < 0.2


# Of each group what is meant to break a document, and what is not.
WAYS = {
    "name": (
        [
            selections.misspell_a_field,
            selections.take_a_field_of_another_type,
            selections.misspell_an_argument,
            selections.misspell_an_input_field,
            selections.misspell_a_type,
            selections.misspell_an_enum_value,
        ],
        [selections.rename_an_alias, selections.rename_a_fragment, selections.rename_a_variable],
    ),
    "type": (
        [
            values.take_another_type_for_a_condition,
            values.take_another_type_for_a_variable,
            values.wrap_the_type_of_a_variable,
            values.demand_a_value,
            values.give_a_variable_of_another_type,
            values.break_into_a_variable,
        ],
        [values.space_out_a_type, values.give_a_variable_nobody_defines],
    ),
    "literal": (
        [
            values.take_another_literal,
            values.take_another_literal,
            values.quote_a_literal,
            values.take_the_quotes_off,
            values.leave_the_range,
            values.null,
        ],
        [values.take_another_right_literal, values.write_a_string_otherwise, values.wrap_one_value_for_a_list],
    ),
    "argument": (
        [
            values.remove_an_argument,
            values.repeat_an_argument,
            values.remove_an_input_field,
            values.repeat_an_input_field,
            values.add_an_unknown_argument,
            values.add_an_unknown_input_field,
            values.empty_the_arguments,
        ],
        [values.swap_arguments, values.swap_input_fields, values.add_an_optional_argument],
    ),
    "merging": (
        [
            selections.contradict_by_an_alias,
            selections.contradict_by_an_alias,
            selections.contradict_by_arguments,
            selections.contradict_below,
        ],
        [selections.repeat_a_field, selections.repeat_a_field_in_a_fragment],
    ),
    "variable": (
        [
            values.remove_a_definition,
            values.add_an_unused_definition,
            values.define_a_variable_twice,
            values.use_an_undefined_variable,
            values.use_another_variable,
            values.use_a_variable_as_a_default,
            values.take_another_default,
            values.leave_a_variable_out,
            values.remove_a_default,
        ],
        [values.swap_definitions, selections.rename_a_variable, values.give_a_variable_nobody_defines],
    ),
    "fragment": (
        [
            selections.close_a_circle,
            selections.close_a_circle_below,
            selections.add_an_unused_fragment,
            selections.define_a_fragment_twice,
            selections.spread_an_unknown_fragment,
            selections.spread_where_it_cannot_be,
            selections.name_a_fragment_on,
            selections.define_a_fragment_on_no_type,
        ],
        [selections.spread_twice, selections.put_into_a_fragment, selections.move_into_a_new_fragment],
    ),
    "directive": (
        [
            selections.add_an_unknown_directive,
            selections.misplace_a_directive,
            selections.repeat_a_directive,
            selections.spoil_the_argument_of_a_directive,
        ],
        [selections.add_a_directive],
    ),
    "operation": (
        [
            selections.name_an_operation_twice,
            selections.add_one_without_a_name,
            selections.leave_no_operation,
            selections.take_an_unknown_operation,
            selections.take_none_of_several,
            selections.define_a_type,
            selections.select_of_a_leaf,
            selections.select_nothing,
            selections.subscribe_twice,
            selections.take_another_kind_of_operation,
        ],
        [selections.add_another_operation],
    ),
    "syntax": (
        [
            syntax.cut,
            syntax.delete_a_sign,
            syntax.delete_a_token,
            syntax.double_a_token,
            syntax.insert_a_name,
            syntax.insert_a_stray,
            syntax.forget_a_colon,
            syntax.spoil_a_string,
            syntax.end_a_string_too_late,
        ],
        [syntax.add_what_is_ignored],
    ),
}

# What is sent beside a document.
WAYS_OF_REQUESTS = {
    "variables": (
        [
            values.give_a_variable_of_another_type,
            values.break_into_a_variable,
            values.leave_a_variable_out,
            selections.take_an_unknown_operation,
        ],
        [values.give_a_variable_nobody_defines],
    ),
}
