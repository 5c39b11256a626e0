-- A log in files.
--- use keyed
--- sql
CREATE TABLE log (k STRING, op STRING, id INT) WITH ('connector' = 'filesystem', 'path' = '{dir}/out', 'format' = 'csv');
INSERT INTO log SELECT k, op, id FROM TO_CHANGELOG(input => TABLE keyed PARTITION BY k, op_mapping => MAP['INSERT', 'c']) WHERE k IS NOT NULL;
--- lines out
a,c,1
b,c,2
a,c,3
c,c,4
b,c,5
a,c,6
d,c,9
