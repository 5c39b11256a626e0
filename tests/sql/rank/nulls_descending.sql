-- By itself NULL comes first in a descending order.
--- use sales
--- sql
SELECT id, price FROM (
  SELECT *, ROW_NUMBER() OVER (ORDER BY price DESC, id) AS rn FROM sales
) WHERE rn <= 2;
--- rows
id | price
4 | 10.00
7 | NULL
