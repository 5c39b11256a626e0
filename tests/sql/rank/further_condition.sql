-- A condition beside the number is about the rows that have been numbered.
--- use sales
--- sql
SELECT id, amount, rn FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY shop ORDER BY id) AS rn FROM sales
) WHERE rn <= 3 AND amount > 5;
--- rows
id | amount | rn
2 | 7 | 1
3 | 9 | 2
8 | 7 | 3
9 | 6 | 2
