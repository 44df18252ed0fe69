(call_expression function: (_) @function arguments: (arguments) @arguments) @call
(macro_invocation macro: (_) @function (token_tree) @arguments) @call
(let_declaration pattern: (_) @name value: (_) @value) @bind
(const_item name: (_) @name value: (_) @value) @bind
(static_item name: (_) @name value: (_) @value) @bind
(assignment_expression left: (_) @name right: (_) @value) @bind
(field_initializer field: (_) @name value: (_) @value) @bind
(token_tree (identifier) @name . (string_literal) @value) @bind
(string_literal) @string
(raw_string_literal) @string
(line_comment) @comment
(block_comment) @comment
