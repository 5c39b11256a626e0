-- A view that limits, and a query that limits further.
--- use sales
--- sql
CREATE VIEW top AS SELECT * FROM (SELECT id, shop, ROW_NUMBER() OVER (PARTITION BY shop ORDER BY ts) AS rn FROM sales) WHERE rn <= 3;
SELECT shop, id FROM top WHERE rn = 2;
--- rows
shop | id
a | 1
b | 8
NULL | 9
