-- STATE_TTL names a table that has an alias.
--- use shop
--- skip batch: a query that ends keeps no state
--- sql
SELECT /*+ STATE_TTL('o' = '1 d', 'customers' = '12 h') */ c.region, o.amount FROM orders AS o JOIN customers AS c ON o.customer = c.customer;
--- error streaming
LV-1017
STATE_TTL names 'customers', which no join and no GROUP BY reads
line 1, column 12
hint: name a table or subquery as the query calls it (by its alias, if it has one)
