-- LIKE with % and _, and with an escaped character.
--- file t.csv
pen
open
pencil
50%
Pen
--- sql
CREATE TABLE t (s STRING) WITH ('connector' = 'filesystem', 'path' = '{dir}/t.csv', 'format' = 'csv');
SELECT s, s LIKE 'pen%' AS begins, s LIKE '_pe_' AS fits, s LIKE '%!%' ESCAPE '!' AS percent, s NOT LIKE '%n%' AS without FROM t;
--- rows
s | begins | fits | percent | without
pen | true | false | false | false
open | false | true | false | false
pencil | true | false | false | false
50% | false | false | true | true
Pen | false | false | false | false
