-- BOOLEAN: false comes before true.
--- use sales
--- sql
SELECT id, `open`, rn FROM (
  SELECT *, ROW_NUMBER() OVER (ORDER BY `open`, id) AS rn FROM sales
) WHERE rn <= 6;
--- rows
id | open | rn
1 | true | 5
2 | false | 1
4 | false | 2
5 | true | 6
7 | false | 3
9 | false | 4
