-- A version without a row has no time.
--- use rates
--- sql
SELECT t.id FROM trades AS t RIGHT JOIN rates FOR SYSTEM_TIME AS OF t.ts AS r ON t.currency = r.currency;
--- error
FOR SYSTEM_TIME AS OF in another join than [INNER] JOIN and LEFT JOIN
line 1, column 41
