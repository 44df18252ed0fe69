(method_invocation arguments: (argument_list) @arguments) @call
(object_creation_expression type: (_) @function arguments: (argument_list) @arguments) @call
(ternary_expression consequence: (_) @left alternative: (_) @right) @or
(variable_declarator name: (_) @name value: (_) @value) @bind
(assignment_expression left: (_) @name right: (_) @value) @bind
(element_value_pair key: (_) @name value: (_) @value) @bind
(string_literal) @string
(binary_expression operator: "+") @concat
(line_comment) @comment
(block_comment) @comment
