-- Numbers, each key twice: once in order, once more in the same order when all have come. Made by
-- the systems themselves: ${events} rows, of ${keys} keys.
CREATE TABLE numbers (
  i BIGINT
) WITH (
  'connector' = 'datagen',
  'rows-per-second' = '1000000000',
  'fields.i.kind' = 'sequence',
  'fields.i.start' = '1',
  'fields.i.end' = '${events}'
);
