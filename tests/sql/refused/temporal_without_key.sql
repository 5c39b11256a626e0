-- A table without a key has no versions.
--- use rates
--- sql
SELECT t.id, r.rate FROM trades AS t JOIN rate_log FOR SYSTEM_TIME AS OF t.ts AS r ON t.currency = r.currency;
--- error
rate_log has no versions: table rate_log has no PRIMARY KEY
line 1, column 43
ROW_NUMBER() OVER (PARTITION BY key ORDER BY ts DESC)
