(call_expression function: (_) @function arguments: (arguments) @arguments) @call
(new_expression constructor: (_) @function arguments: (arguments) @arguments) @call
(member_expression object: (_) @object property: (_) @key) @index
(subscript_expression object: (_) @object index: (_) @key) @index
(binary_expression left: (_) @left operator: ["||" "??"] right: (_) @right) @or
(ternary_expression consequence: (_) @left alternative: (_) @right) @or
(augmented_assignment_expression left: (_) @left operator: ["||=" "??="] right: (_) @right) @or
(variable_declarator name: (_) @name value: (_) @value) @bind
(assignment_expression left: (_) @name right: (_) @value) @bind
(pair key: (_) @name value: (_) @value) @bind
(object_assignment_pattern left: (_) @name right: (_) @value) @bind
(string) @string
(template_string) @string
(binary_expression operator: "+") @concat
(comment) @comment
