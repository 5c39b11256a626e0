-- A condition with a subquery is no condition of ON.
--- use rates
--- sql
SELECT t.id FROM trades AS t
JOIN rates FOR SYSTEM_TIME AS OF t.ts AS r ON t.currency = r.currency AND r.rate IN (SELECT rate FROM rate_log);
--- error batch
a subquery in the ON of a join with versions
line 2, column 6
--- error streaming
IN with a subquery
line 2, column 75
