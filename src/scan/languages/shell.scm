(variable_assignment name: (_) @name value: (_) @value) @bind
(string) @string
(raw_string) @string
(concatenation) @concat
(word) @string
(comment) @comment
