-- A distance in an order that has none.
--- file t.json
--- sql
CREATE TABLE t (id INT, b BYTES) WITH ('connector' = 'filesystem', 'path' = '{dir}/t.json', 'format' = 'json');
SELECT id, COUNT(*) OVER (ORDER BY b RANGE BETWEEN 1 PRECEDING AND CURRENT ROW) AS n FROM t;
--- error
LV-1011
a frame with a distance in an order of BYTES
count ROWS
