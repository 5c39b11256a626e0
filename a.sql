SET 'parallelism.default' = '2';
SET 'execution.checkpointing.dir' = '/tmp/mvc/chk';
SET 'execution.checkpointing.interval' = '50 ms';
CREATE TABLE numbers (a BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '20000', 'scan.parallelism' = '1',
           'fields.a.kind' = 'sequence', 'fields.a.start' = '1', 'fields.a.end' = '1000000000');
CREATE MATERIALIZED VIEW totals AS
         SELECT a % 7 AS k, COUNT(*) AS n, SUM(a) AS s, MIN(a) AS least, MAX(a) AS greatest FROM numbers GROUP BY a % 7;
