-- The time has to be the time attribute of the left table.
--- use rates
--- skip batch: times need not be attributes there
--- sql
SELECT t.id FROM (SELECT id, currency, ts + INTERVAL '1' SECOND AS later FROM trades) AS t
JOIN rates FOR SYSTEM_TIME AS OF t.later AS r ON t.currency = r.currency;
--- error
FOR SYSTEM_TIME AS OF needs a time attribute of the left table, and later is none
line 2, column 6
