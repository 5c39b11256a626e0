-- The rows of a function that gives an array, and those of one that gives a map.
--- use baskets
--- sql
SELECT id, word FROM baskets AS b, LATERAL TABLE(SPLIT('a-' || CAST(b.id AS STRING), '-')) AS t (word) WHERE id < 3
UNION ALL SELECT id, k FROM baskets CROSS JOIN LATERAL TABLE(MAP_KEYS(prices)) AS t (k) WHERE id = 4
UNION ALL SELECT v, k FROM TABLE(STR_TO_MAP('x=1')) AS m (k, w), LATERAL TABLE(SPLIT(w, ',')) AS n (one), (VALUES (9)) AS u (v);
--- rows
id | word
1 | a
1 | 1
2 | a
2 | 2
4 | eur
9 | x
