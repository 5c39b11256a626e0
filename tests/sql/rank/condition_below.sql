-- A condition in front of the numbers is about the rows that are numbered.
--- use sales
--- sql
SELECT id, rn FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY shop ORDER BY id) AS rn FROM sales WHERE amount > 5
) WHERE rn <= 2;
--- rows
id | rn
2 | 1
3 | 1
7 | 2
8 | 2
9 | 1
