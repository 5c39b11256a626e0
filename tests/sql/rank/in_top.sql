-- IN with the first rows of a subquery.
--- use sales
--- sql
SELECT id, shop FROM sales WHERE shop IN (SELECT shop FROM sales ORDER BY price DESC NULLS LAST, id LIMIT 2);
--- rows
id | shop
1 | a
3 | a
4 | a
7 | a
11 | a
