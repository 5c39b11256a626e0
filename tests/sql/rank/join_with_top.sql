-- A join with the best of each group.
--- use sales
--- sql
SELECT s.id, b.id AS best FROM sales AS s JOIN (
  SELECT * FROM sales QUALIFY ROW_NUMBER() OVER (PARTITION BY shop ORDER BY amount DESC NULLS LAST, id) = 1
) AS b ON s.shop = b.shop WHERE s.id < 6;
--- rows
id | best
1 | 3
2 | 2
3 | 3
4 | 3
