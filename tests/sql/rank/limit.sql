-- LIMIT without an order: as many rows, whichever come first.
--- use sales
--- sql
SELECT COUNT(*) AS n, COUNT(DISTINCT id) AS ids FROM (SELECT id FROM sales LIMIT 5);
--- rows
n | ids
5 | 5
