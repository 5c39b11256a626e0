-- USING does not say which side is which.
--- use rates
--- sql
SELECT id FROM trades AS t JOIN rates FOR SYSTEM_TIME AS OF t.ts AS r USING (currency);
--- error
needs a condition with ON
line 1, column 33
