-- purpose: whether what a materialized view holds may depend on the name of the database: some view or function of the
--          users mentions it. Coarse on purpose: yes only means that materialized views are filled under the final name
-- params: none
-- columns: may depend
-- versions: 12-
SELECT EXISTS (SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                WHERE c.relkind IN ('v', 'm') AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
                  AND pg_catalog.pg_get_viewdef(c.oid) ~* p.pattern)
       OR EXISTS (SELECT FROM pg_catalog.pg_proc f JOIN pg_catalog.pg_namespace n ON n.oid = f.pronamespace
                   WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
                     AND CASE WHEN f.prokind IN ('f', 'p') THEN pg_catalog.pg_get_functiondef(f.oid) ~* p.pattern ELSE false END)
  FROM (SELECT '\m(current_database|current_catalog|information_schema|pg_database|pg_stat_activity|pg_stat_database|datname)\M' AS pattern) p
