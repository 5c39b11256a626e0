-- Rows that go from one partition to another.
--- use sales
--- sql
SELECT n, shop FROM (
  SELECT shop, n, ROW_NUMBER() OVER (PARTITION BY n ORDER BY shop) AS rn
  FROM (SELECT shop, COUNT(*) AS n FROM sales GROUP BY shop)
) WHERE rn = 1;
--- rows
n | shop
1 | c
2 | NULL
4 | b
5 | a
