-- Whether something is NULL by comparison is not known.
--- use ticks
--- sql
SELECT id, price = NULL AS e, (sym <> NULL) IS UNKNOWN AS u, CASE WHEN id = NULL THEN 1 ELSE 2 END AS c FROM ticks WHERE id < 3;
--- rows
id | e | u | c
1 | NULL | true | 2
2 | NULL | true | 2
