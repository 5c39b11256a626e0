-- Fields keep their names where the alias has none, and are found in any case.
--- use baskets
--- sql
SELECT B.ID, I.Sku, n, Ordinality FROM baskets AS b LEFT JOIN unnest(b.Items) WITH ORDINALITY AS i ON TRUE;
--- rows
id | sku | n | ordinality
1 | a | 2 | 1
1 | b | 1 | 2
2 | NULL | NULL | NULL
3 | NULL | NULL | NULL
4 | a | 5 | 1
4 | NULL | NULL | 2
4 | NULL | 3 | 3
5 | c | NULL | 1
