-- The count of no rows is a row, which no join gives.
--- use shop
--- skip batch: DataFusion takes it for a join all the same
--- sql
SELECT id FROM orders AS o
WHERE EXISTS (SELECT COUNT(*) FROM customers AS c WHERE c.customer = o.customer);
--- error streaming
LV-1011
aggregates without GROUP BY
line 2
