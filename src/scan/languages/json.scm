(pair key: (_) @name value: (_) @value) @bind
(string) @string
(comment) @comment
