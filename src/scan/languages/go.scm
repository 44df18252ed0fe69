(call_expression function: (_) @function arguments: (argument_list) @arguments) @call
(short_var_declaration left: (expression_list . (_) @name) right: (expression_list . (_) @value)) @bind
(assignment_statement left: (expression_list . (_) @name) right: (expression_list . (_) @value)) @bind
(const_spec name: (_) @name value: (expression_list . (_) @value)) @bind
(var_spec name: (_) @name value: (expression_list . (_) @value)) @bind
(keyed_element key: (_) @name value: (_) @value) @bind
(interpreted_string_literal) @string
(raw_string_literal) @string
(binary_expression operator: "+") @concat
(comment) @comment
