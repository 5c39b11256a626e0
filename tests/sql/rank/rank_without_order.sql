-- Without an order all rows share the first place.
--- use sales
--- sql
SELECT id, rn FROM (
  SELECT *, RANK() OVER (PARTITION BY shop) AS rn FROM sales
) WHERE rn <= 1;
--- rows
id | rn
1 | 1
2 | 1
3 | 1
4 | 1
5 | 1
6 | 1
7 | 1
8 | 1
9 | 1
10 | 1
11 | 1
12 | 1
