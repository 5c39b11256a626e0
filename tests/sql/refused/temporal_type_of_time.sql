-- The time is no number.
--- use rates
--- sql
SELECT t.id FROM trades AS t JOIN rates FOR SYSTEM_TIME AS OF t.amount AS r ON t.currency = r.currency;
--- error
LV-1008
FOR SYSTEM_TIME AS OF needs a TIMESTAMP column, and amount is INT
line 1, column 35
