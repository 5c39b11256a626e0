-- A subquery without FROM gives names to what is computed once.
--- use shop
--- sql
SELECT id, x.twice, y.more FROM orders,
LATERAL (SELECT amount * 2 AS twice) AS x, LATERAL (SELECT x.twice + id AS more) AS y;
--- rows
id | twice | more
1 | 10 | 11
2 | 14 | 16
3 | 6 | 9
4 | 18 | 22
5 | NULL | NULL
6 | 14 | 20
6 | 14 | 20
