-- Without an order: whichever rows come first.
--- use sales
--- sql
SELECT shop FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY shop) AS rn FROM sales
) WHERE rn <= 2;
--- rows
shop
a
a
b
b
c
NULL
NULL
