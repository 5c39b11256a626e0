-- The second item there is, passing over rows without one.
--- use sales
--- sql
SELECT id, NTH_VALUE(item, 2) IGNORE NULLS OVER w AS n, LAST_VALUE(item) RESPECT NULLS OVER w AS l FROM sales WINDOW w AS (ORDER BY ts);
--- rows
id | n | l
4 | NULL | cup
2 | ink | ink
8 | ink | pen
5 | ink | pen
1 | ink | pen
12 | ink | ink
10 | ink | cup
7 | ink | NULL
3 | ink | ink
9 | ink | ink
11 | ink | pen
6 | ink | cup
