-- A join whose condition is never true.
--- use ticks
--- sql
SELECT a.id, b.id AS other FROM ticks AS a LEFT JOIN ticks AS b ON a.id = b.id AND b.sym = NULL WHERE a.id < 3;
--- rows
id | other
1 | NULL
2 | NULL
