-- Rows that change may have met a version that is gone.
--- use rates
--- skip batch: nothing changes there
--- sql
SELECT t.currency, r.rate FROM (SELECT currency, MAX(ts) AS ts FROM trades GROUP BY currency) AS t
JOIN rates FOR SYSTEM_TIME AS OF t.ts AS r ON t.currency = r.currency;
--- error
FOR SYSTEM_TIME AS OF for a left table whose rows change
line 2, column 6
