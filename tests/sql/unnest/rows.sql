-- Fields of ROWs become columns; of a ROW that is NULL all are.
--- use baskets
--- sql
SELECT id, article, pieces FROM baskets CROSS JOIN UNNEST(items) AS i (article, pieces, codes);
--- rows
id | article | pieces
1 | a | 2
1 | b | 1
4 | a | 5
4 | NULL | NULL
4 | NULL | 3
5 | c | NULL
