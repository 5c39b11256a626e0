-- In processing time, of currencies that have no rate, and of a view that has no rows.
--- use rates
--- sql
CREATE VIEW high AS SELECT rate, currency AS c FROM rates WHERE rate > 1000;
SELECT t.id, r.rate, h.rate AS high FROM trades AS t
LEFT JOIN rates FOR SYSTEM_TIME AS OF t.pt AS r ON t.currency = r.currency
LEFT JOIN high FOR SYSTEM_TIME AS OF PROCTIME() AS h ON t.currency = h.c
WHERE t.currency IS NULL OR t.currency = 'GBP';
--- rows
id | rate | high
5 | NULL | NULL
6 | NULL | NULL
