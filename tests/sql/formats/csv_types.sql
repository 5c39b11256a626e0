-- CSV values of every type; empty is NULL.
--- file t.csv
1,9000000000,1.25,true,2026-01-02,2026-01-02 03:04:05.678,12.34,abc
,,,,,,,
--- sql
CREATE TABLE t (a INT, b BIGINT, c DOUBLE, d BOOLEAN, e DATE, f TIMESTAMP(3), g DECIMAL(6, 2), h STRING) WITH ('connector' = 'filesystem', 'path' = '{dir}/t.csv', 'format' = 'csv', 'csv.null-literal' = '');
SELECT * FROM t;
--- rows
a | b | c | d | e | f | g | h
1 | 9000000000 | 1.25 | true | 2026-01-02 | 2026-01-02 03:04:05.678 | 12.34 | abc
NULL | NULL | NULL | NULL | NULL | NULL | NULL | NULL
