-- purpose: memory that an index build may count on, on the server's machine (Linux), in bytes: what is free, and half of what
--          its control group (version 2, or 1) allows, whose use includes the cache of files
-- params: none
-- columns: bytes, or null where it cannot be told
-- versions: 12-
SELECT least(pg_catalog.substring(pg_catalog.pg_read_file('/proc/meminfo', 0, 4096, true), 'MemAvailable: *([0-9]+) kB')::numeric * 1024,
             pg_catalog.substring(pg_catalog.pg_read_file('/sys/fs/cgroup/memory.max', 0, 64, true), '^([0-9]+)')::numeric / 2,
             pg_catalog.substring(pg_catalog.pg_read_file('/sys/fs/cgroup/memory/memory.limit_in_bytes', 0, 64, true), '^([0-9]+)')::numeric / 2)::int8
