-- Numbers in order, made by the systems themselves: ${events} rows. Where a query has keys, each of
-- ${keys} comes twice: in some order, and in the same order when all have come.
CREATE TABLE numbers (
  i BIGINT
) WITH (
  'connector' = 'datagen',
  'rows-per-second' = '1000000000',
  'fields.i.kind' = 'sequence',
  'fields.i.start' = '1',
  'fields.i.end' = '${events}'
);
