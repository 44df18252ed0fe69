(call target: (_) @function (arguments) @arguments) @call
(binary_operator left: (_) @left operator: ["||" "or"] right: (_) @right) @or
(binary_operator left: (_) @name operator: "=" right: (_) @value) @bind
(binary_operator left: (_) @name operator: "=>" right: (_) @value) @bind
(binary_operator left: (_) @name operator: "\\\\" right: (_) @value) @bind
(unary_operator operator: "@" operand: (call target: (identifier) @name (arguments . (_) @value))) @bind
(pair key: (_) @name value: (_) @value) @bind
(access_call target: (_) @object key: (_) @key) @index
(string) @string
(binary_operator operator: "<>") @concat
(comment) @comment
