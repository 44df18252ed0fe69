(assignment_pattern left: (_) @name right: (_) @value) @bind
(field_definition property: (_) @name value: (_) @value) @bind
