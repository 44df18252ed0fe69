(call_expression (_) @function (value_arguments) @arguments) @call
(binary_expression left: (_) @left operator: "?:" right: (_) @right) @or
(if_expression (_) (_) @left (_) @right) @or
(property_declaration (variable_declaration) @name (_) @value .) @bind
(class_parameter (identifier) @name (_) (_) @value .) @bind
(parameter (identifier) @name (_) . (_) @value) @bind
(value_argument (identifier) @name . (_) @value) @bind
(assignment left: (_) @name right: (_) @value) @bind
(infix_expression (_) @name (identifier) (_) @value) @bind
(index_expression . (_) @object (_) @key) @index
(string_literal) @string
(multiline_string_literal) @string
(binary_expression operator: "+") @concat
(line_comment) @comment
(block_comment) @comment
