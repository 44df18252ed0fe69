(call function: (_) @function arguments: (_) @arguments) @call
(subscript value: (_) @object subscript: (_) @key) @index
(boolean_operator left: (_) @left operator: "or" right: (_) @right) @or
(conditional_expression . (_) @left (_) (_) @right) @or
(assignment left: (_) @name right: (_) @value) @bind
(named_expression name: (_) @name value: (_) @value) @bind
(keyword_argument name: (_) @name value: (_) @value) @bind
(pair key: (_) @name value: (_) @value) @bind
(default_parameter name: (_) @name value: (_) @value) @bind
(typed_default_parameter name: (_) @name value: (_) @value) @bind
(string) @string
(concatenated_string) @concat
(binary_operator operator: "+") @concat
(comment) @comment
