-- purpose: whether the target stores text in another encoding
-- params: $1 text[] the source's encoding
-- columns: finding
-- versions: 12-
SELECT pg_catalog.concat(w.wanted, ' in the source, ', pg_catalog.pg_encoding_to_char(d.encoding), ' in the target')
  FROM pg_catalog.unnest($1::text[]) w (wanted)
  JOIN pg_catalog.pg_database d ON d.datname = pg_catalog.current_database()
 WHERE pg_catalog.pg_encoding_to_char(d.encoding) <> w.wanted
