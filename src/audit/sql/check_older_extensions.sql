-- purpose: extensions whose version in the target (installed, or the one that CREATE EXTENSION takes) is older
-- params: $1 text[] "name version"
-- columns: finding
-- versions: 12-
SELECT pg_catalog.concat(s.name, ': ', s.source, ' in the source, ', s.target, ' in the target')
  FROM (SELECT pg_catalog.split_part(w.wanted, ' ', 1) AS name, pg_catalog.split_part(w.wanted, ' ', 2) AS source,
               coalesce(a.installed_version, a.default_version) AS target
          FROM pg_catalog.unnest($1::text[]) w (wanted)
          JOIN pg_catalog.pg_available_extensions a ON a.name = pg_catalog.split_part(w.wanted, ' ', 1)) s
 WHERE CASE WHEN s.source ~ '^\d{1,9}(\.\d{1,9})*$' AND s.target ~ '^\d{1,9}(\.\d{1,9})*$'
            THEN pg_catalog.string_to_array(s.target, '.')::int4[] < pg_catalog.string_to_array(s.source, '.')::int4[]
            ELSE s.source <> s.target END
