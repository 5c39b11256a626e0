-- DESCRIBE lists columns with their types and what they are.
--- sql
CREATE TABLE t (id BIGINT NOT NULL, s STRING, n AS CHAR_LENGTH(s), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND, PRIMARY KEY (id) NOT ENFORCED)
WITH ('connector' = 'filesystem', 'path' = '{dir}/x', 'format' = 'json');
DESCRIBE t;
--- rows
name | type | null | key | extras | watermark
id | BIGINT | false | PRI(id) | NULL | NULL
s | STRING | true | NULL | NULL | NULL
n | INT | true | NULL | AS CHAR_LENGTH(s) | NULL
ts | TIMESTAMP(3) | true | NULL | NULL | ts - INTERVAL '5' SECOND
