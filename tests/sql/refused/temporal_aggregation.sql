-- An aggregation has no versions.
--- use rates
--- sql
CREATE VIEW most AS SELECT currency, MAX(rate) AS rate FROM rates GROUP BY currency;
SELECT t.id FROM trades AS t JOIN most FOR SYSTEM_TIME AS OF t.ts AS r ON t.currency = r.currency;
--- error
most has no versions: it has an aggregation
line 2, column 35
