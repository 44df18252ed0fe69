-- purpose: memory that is free on the server's machine (Linux), in bytes; within its control group where that has a limit
-- params: none
-- columns: bytes, or null where it cannot be told
-- versions: 12-
SELECT least((pg_catalog.substring(pg_catalog.pg_read_file('/proc/meminfo', 0, 4096, true), 'MemAvailable: *([0-9]+) kB'))::int8 * 1024,
             (pg_catalog.substring(pg_catalog.pg_read_file('/sys/fs/cgroup/memory.max', 0, 64, true), '^([0-9]+)'))::int8
             - (pg_catalog.substring(pg_catalog.pg_read_file('/sys/fs/cgroup/memory.current', 0, 64, true), '^([0-9]+)'))::int8)
