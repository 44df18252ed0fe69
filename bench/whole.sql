-- What `bench/fold` adds to pgbench's tables: every value computed, nothing random. :rows, :blobs and :smalls are set by it.
-- Two more indexes on the large table, as an application would have them.
CREATE INDEX pgbench_accounts_balance ON pgbench_accounts (abalance, aid);
CREATE INDEX pgbench_accounts_branch ON pgbench_accounts (bid, aid);

-- Columns of many types, six secondary indexes.
CREATE TABLE mixed (id bigint PRIMARY KEY, account int NOT NULL, kind text NOT NULL, code uuid NOT NULL, amount numeric(12, 2),
                    ratio double precision, happened timestamptz NOT NULL, day date, flag boolean, tags text[], details jsonb, note text);
INSERT INTO mixed
SELECT i, (i * 7919::bigint) % 100000 + 1, 'kind ' || i % 17, md5(i::text)::uuid, ((i * 7907::bigint) % 10000000) / 100.0,
       CASE WHEN i % 10 = 0 THEN NULL ELSE sqrt(i) END, timestamptz '2020-01-01 UTC' + ((i * 104729::bigint) % 100000000) * interval '1 second',
       date '2020-01-01' + i % 2000, i % 3 = 0, ARRAY['tag' || i % 50, 'tag' || i % 7],
       jsonb_build_object('user', i % 5000, 'action', 'action' || i % 23, 'nested', jsonb_build_object('depth', i % 5)),
       CASE WHEN i % 4 = 0 THEN repeat(md5(i::text), 3) END
  FROM generate_series(1, :rows) i;
CREATE INDEX ON mixed (account);
CREATE INDEX ON mixed (kind, happened);
CREATE UNIQUE INDEX ON mixed (code);
CREATE INDEX ON mixed (amount);
CREATE INDEX ON mixed (day);
CREATE INDEX ON mixed USING gin (details jsonb_path_ops);

-- 20 kB each, that do not compress.
CREATE TABLE blobs (id int PRIMARY KEY, account int, content bytea);
INSERT INTO blobs
SELECT i, i, (SELECT string_agg(sha512((i::text || '/' || k)::bytea), '' ORDER BY k) FROM generate_series(1, 320) k)
  FROM generate_series(1, :blobs) i;

SELECT format('CREATE TABLE small_%s (id int PRIMARY KEY, parent int%s, name text, at timestamptz DEFAULT now());'
              'INSERT INTO small_%s SELECT i, i, ''name '' || i, timestamptz ''2024-01-01 UTC'' FROM generate_series(1, 100) i;'
              'CREATE INDEX ON small_%s (parent)', n, CASE WHEN n > 1 THEN format(' REFERENCES small_%s', n - 1) END, n, n)
  FROM generate_series(1, :smalls) n ORDER BY n
\gexec
ANALYZE;
