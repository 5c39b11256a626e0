-- In a view, and an aggregation over it.
--- use baskets
--- sql
CREATE VIEW sold AS SELECT id, sku, n FROM baskets CROSS JOIN UNNEST(items) AS i (sku, n, codes);
SELECT sku, SUM(n) AS pieces FROM sold WHERE sku IS NOT NULL GROUP BY sku;
--- rows
sku | pieces
a | 7
b | 1
c | NULL
