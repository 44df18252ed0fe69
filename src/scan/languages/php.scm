(function_call_expression function: (_) @function arguments: (arguments) @arguments) @call
(member_call_expression arguments: (arguments) @arguments) @call
(scoped_call_expression arguments: (arguments) @arguments) @call
(object_creation_expression (_) @function (arguments) @arguments) @call
(subscript_expression . (_) @object (_) @key) @index
(binary_expression left: (_) @left operator: ["??" "||" "or"] right: (_) @right) @or
(conditional_expression condition: (_) @left !body alternative: (_) @right) @or
(conditional_expression body: (_) @left alternative: (_) @right) @or
(augmented_assignment_expression left: (_) @left operator: "??=" right: (_) @right) @or
(assignment_expression left: (_) @name right: (_) @value) @bind
(array_element_initializer (_) @name (_) @value) @bind
(property_element name: (_) @name default_value: (_) @value) @bind
(const_element (_) @name (_) @value) @bind
(simple_parameter name: (_) @name default_value: (_) @value) @bind
(property_promotion_parameter name: (_) @name default_value: (_) @value) @bind
(argument name: (_) @name (_) @value .) @bind
(string) @string
(encapsed_string) @string
(binary_expression operator: ".") @concat
(comment) @comment
