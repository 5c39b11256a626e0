-- QUALIFY by the name of a column, behind WHERE.
--- use sales
--- sql
SELECT id, shop, ROW_NUMBER() OVER (PARTITION BY shop ORDER BY id DESC) AS place FROM sales WHERE amount < 9 QUALIFY place <= 2;
--- rows
id | shop | place
4 | a | 2
5 | NULL | 2
7 | a | 1
8 | b | 2
9 | NULL | 1
10 | c | 1
12 | b | 1
