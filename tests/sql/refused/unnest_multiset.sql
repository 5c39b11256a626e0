-- UNNEST of a MULTISET.
--- sql
CREATE TABLE t (a INT, m MULTISET<STRING>) WITH ('connector' = 'filesystem', 'path' = '{dir}', 'format' = 'json');
SELECT x FROM t CROSS JOIN UNNEST(m) AS u (x);
--- error
LV-1011
MULTISET
line 2, column
