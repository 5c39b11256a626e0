-- The two greatest of each group, without their numbers.
--- use sales
--- sql
SELECT id, shop, amount FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY shop ORDER BY amount DESC NULLS LAST, id) AS rn FROM sales
) WHERE rn <= 2;
--- rows
id | shop | amount
2 | b | 7
3 | a | 9
5 | NULL | 3
8 | b | 7
9 | NULL | 6
10 | c | 4
11 | a | 9
