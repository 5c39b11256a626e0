-- Three aggregates, one over the other.
--- use keyed
--- sql
SELECT COUNT(*) AS rows_, SUM(g) AS all_groups FROM (
  SELECT n, COUNT(*) AS g FROM (SELECT k, COUNT(*) AS n FROM keyed GROUP BY k) GROUP BY n
);
--- rows
rows_ | all_groups
3 | 5
