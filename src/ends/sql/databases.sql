-- purpose: databases of the server that may be folded. One that was being dropped when its server ended cannot be connected
--          to (connection limit -2). Templates and databases that allow no connections are not for users
-- params: $1 text[] regular expressions of which one must match, or an empty array, $2 text[] those of which none may
-- columns: name
-- versions: 12-
SELECT d.datname
  FROM pg_catalog.pg_database d
 WHERE d.datallowconn AND NOT d.datistemplate AND d.datconnlimit <> -2
   AND ($1::text[] = '{}' OR EXISTS (SELECT FROM pg_catalog.unnest($1::text[]) p (re)
                                      WHERE d.datname OPERATOR(pg_catalog.~) p.re COLLATE pg_catalog."default"))
   AND NOT EXISTS (SELECT FROM pg_catalog.unnest($2::text[]) p (re)
                    WHERE d.datname OPERATOR(pg_catalog.~) p.re COLLATE pg_catalog."default")
 ORDER BY d.datname COLLATE "C"
