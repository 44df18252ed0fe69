(pair . (_) @name (_) @value .) @bind
(string) @string
(comment) @comment
