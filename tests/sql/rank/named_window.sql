-- WINDOW gives the order a name.
--- use sales
--- sql
SELECT id, shop FROM (
  SELECT id, shop, ROW_NUMBER() OVER w AS rn FROM sales WINDOW w AS (PARTITION BY shop ORDER BY ts)
) WHERE rn = 1;
--- rows
id | shop
2 | b
4 | a
5 | NULL
10 | c
