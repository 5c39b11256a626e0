-- A view that only numbers, and a query that limits.
--- use sales
--- sql
CREATE VIEW numbered AS SELECT id, shop, ROW_NUMBER() OVER (PARTITION BY shop ORDER BY ts) AS rn FROM sales;
SELECT shop, id FROM numbered WHERE rn <= 2;
--- rows
shop | id
a | 1
a | 4
b | 2
b | 8
c | 10
NULL | 5
NULL | 9
