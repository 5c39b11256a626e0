-- A DOUBLE of 0 is equal to one of -0, wherever rows travel.
--- sql
SELECT x.id, y.id AS other FROM (VALUES (1, CAST('0.0' AS DOUBLE)), (2, CAST('-0.0' AS DOUBLE)), (3, CAST('1.0' AS DOUBLE))) AS x (id, f) JOIN (VALUES (1, CAST('0.0' AS DOUBLE)), (2, CAST('-0.0' AS DOUBLE)), (3, CAST('2.0' AS DOUBLE))) AS y (id, f) ON x.f = y.f;
--- rows
id | other
1 | 1
1 | 2
2 | 1
2 | 2
