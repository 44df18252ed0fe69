(required_parameter pattern: (_) @name value: (_) @value) @bind
(public_field_definition name: (_) @name value: (_) @value) @bind
