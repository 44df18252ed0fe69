(invocation_expression function: (_) @function arguments: (argument_list) @arguments) @call
(object_creation_expression type: (_) @function arguments: (argument_list) @arguments) @call
(element_access_expression expression: (_) @object subscript: (_) @key) @index
(binary_expression left: (_) @left operator: "??" right: (_) @right) @or
(conditional_expression consequence: (_) @left alternative: (_) @right) @or
(assignment_expression left: (_) @left operator: "??=" right: (_) @right) @or
(assignment_expression left: (_) @name operator: "=" right: (_) @value) @bind
(variable_declarator name: (_) @name (_) @value .) @bind
(property_declaration name: (_) @name value: (_) @value) @bind
(parameter name: (_) @name (_) @value .) @bind
(argument name: (_) @name (_) @value .) @bind
(string_literal) @string
(verbatim_string_literal) @string
(raw_string_literal) @string
(interpolated_string_expression) @string
(binary_expression operator: "+") @concat
(comment) @comment
