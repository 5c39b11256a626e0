-- An aggregate over the first rows in an order.
--- use sales
--- sql
SELECT SUM(amount) AS s, MIN(id) AS least FROM (SELECT id, amount FROM sales ORDER BY amount DESC NULLS LAST, id LIMIT 3);
--- rows
s | least
26 | 3
