(block_mapping_pair key: (_) @name value: (_) @value) @bind
(flow_pair key: (_) @name value: (_) @value) @bind
(plain_scalar) @string
(double_quote_scalar) @string
(single_quote_scalar) @string
(block_scalar) @string
(comment) @comment
