-- Distances in an order that is the same for all rows of a partition.
--- use sales
--- sql
SELECT id, SUM(id) OVER (PARTITION BY amount ORDER BY amount RANGE 5 PRECEDING) AS s,
  COUNT(*) OVER (PARTITION BY amount ORDER BY amount RANGE BETWEEN 3 FOLLOWING AND 4 FOLLOWING) AS n
FROM sales WHERE amount IS NOT NULL;
--- rows
id | s | n
1 | 5 | 0
2 | 10 | 0
3 | 14 | 0
4 | 5 | 0
5 | 5 | 0
7 | 7 | 0
8 | 10 | 0
9 | 9 | 0
10 | 10 | 0
11 | 14 | 0
12 | 12 | 0
