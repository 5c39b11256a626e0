-- FILTER where values are corrected.
--- use sales
--- sql
SELECT id, COUNT(*) FILTER (WHERE amount > 5) OVER (PARTITION BY shop) AS many, MAX(id) FILTER (WHERE item <> 'pen') OVER (ORDER BY id DESC) AS m FROM sales;
--- rows
id | many | m
9 | 1 | 12
5 | 1 | 12
11 | 3 | 12
7 | 3 | 12
4 | 3 | 12
3 | 3 | 12
1 | 3 | 12
12 | 2 | 12
8 | 2 | 12
6 | 2 | 12
2 | 2 | 12
10 | 0 | 12
