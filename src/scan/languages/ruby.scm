(call arguments: (argument_list) @arguments) @call
(element_reference object: (_) @object . (_) @key) @index
(binary left: (_) @left operator: ["||" "or"] right: (_) @right) @or
(conditional consequence: (_) @left alternative: (_) @right) @or
(operator_assignment left: (_) @left operator: "||=" right: (_) @right) @or
(assignment left: (_) @name right: (_) @value) @bind
(pair key: (_) @name value: (_) @value) @bind
(optional_parameter name: (_) @name value: (_) @value) @bind
(keyword_parameter name: (_) @name value: (_) @value) @bind
(string) @string
(heredoc_body) @string
(binary operator: "+") @concat
(comment) @comment
