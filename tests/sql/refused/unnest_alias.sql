-- An alias with too few columns.
--- use baskets
--- sql
SELECT id FROM baskets AS b CROSS JOIN UNNEST(b.items) AS u (sku, n);
--- error
LV-10
UNNEST gives 3 columns
sku, n, codes
line 1, column
