-- What a correlated condition leaves cannot be numbered.
--- use shop
--- skip batch: DataFusion numbers all rows instead of those of the outer row
--- sql
SELECT id FROM orders AS o WHERE EXISTS (
  SELECT 1 FROM (
    SELECT name, ROW_NUMBER() OVER (ORDER BY name) AS rn FROM customers AS c WHERE c.customer = o.customer
  ) WHERE rn = 2);
--- error streaming
LV-1011
a ranking function over a correlated condition
line 2
