-- LEFT JOIN keeps rows without any; UNNEST stands in LATERAL TABLE too, with numbers.
--- use baskets
--- sql
SELECT id, sku FROM baskets LEFT JOIN LATERAL TABLE(UNNEST(items)) AS i (sku, n, codes) ON TRUE
UNION ALL SELECT place + 100, tag FROM baskets CROSS JOIN LATERAL UNNEST(tags) WITH ORDINALITY AS t (tag, place) WHERE id = 4;
--- rows
id | sku
1 | a
1 | b
2 | NULL
3 | NULL
4 | a
4 | NULL
4 | NULL
5 | c
101 | red
102 | NULL
103 | red
