-- purpose: which of these extensions the server cannot create
-- params: $1 text: JSON array of names
-- columns: name text
-- versions: 12-
SELECT wanted.name
  FROM pg_catalog.json_array_elements_text($1::pg_catalog.json) AS wanted(name)
 WHERE wanted.name NOT IN (SELECT a.name FROM pg_catalog.pg_available_extensions a)
 ORDER BY 1
