-- QUALIFY says it without a subquery.
--- use sales
--- sql
SELECT id, shop FROM sales QUALIFY ROW_NUMBER() OVER (PARTITION BY shop ORDER BY ts DESC) <= 2;
--- rows
id | shop
3 | a
5 | NULL
6 | b
9 | NULL
10 | c
11 | a
12 | b
