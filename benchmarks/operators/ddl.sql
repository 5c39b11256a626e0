-- Numbers in order, made by the systems themselves: ${events} rows, 100,000 a second of event time.
CREATE TABLE numbers (
  i BIGINT,
  ts AS CAST(TO_TIMESTAMP_LTZ(1700000000000 + i / 100, 3) AS TIMESTAMP(3)),
  WATERMARK FOR ts AS ts - INTERVAL '4' SECOND
) WITH (
  'connector' = 'datagen',
  'rows-per-second' = '1000000000',
  'fields.i.kind' = 'sequence',
  'fields.i.start' = '1',
  'fields.i.end' = '${events}'
);
-- Rows of 1,000 keys, a hundred a second of each, and a value of each row that goes up and down.
CREATE VIEW readings AS
SELECT i, ts, MOD(i * 982451653, 1000) AS k, MOD(i * 7919, 1009) AS v FROM numbers;
