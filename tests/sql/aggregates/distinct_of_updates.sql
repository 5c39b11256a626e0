-- SELECT DISTINCT over an updating input: a value goes with its last row.
--- use keyed
--- sql
SELECT DISTINCT n FROM (SELECT k, COUNT(*) AS n FROM keyed GROUP BY k);
--- rows
n
1
2
3
