-- An order by a column that is not in the result.
--- use sales
--- sql
SELECT id FROM sales ORDER BY price DESC NULLS LAST, ts LIMIT 4;
--- rows
id
4
5
10
11
