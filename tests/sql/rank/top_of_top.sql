-- The best of the best of each group.
--- use sales
--- sql
SELECT id, shop, place FROM (
  SELECT id, shop, ROW_NUMBER() OVER (ORDER BY amount DESC, id) AS place FROM (
    SELECT *, ROW_NUMBER() OVER (PARTITION BY shop ORDER BY amount DESC NULLS LAST, id) AS rn FROM sales
  ) WHERE rn <= 2
) WHERE place <= 3;
--- rows
id | shop | place
2 | b | 3
3 | a | 1
11 | a | 2
