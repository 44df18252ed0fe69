(jsx_attribute (property_identifier) @name (_) @value) @bind
