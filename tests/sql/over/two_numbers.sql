-- Two ranking functions in one SELECT, in two orders.
--- use bids
--- sql
SELECT price FROM (
  SELECT price, ROW_NUMBER() OVER (ORDER BY price) AS a,
    RANK() OVER (ORDER BY price DESC) AS b FROM bids WHERE price IS NOT NULL
) WHERE a <= 2 OR b <= 1;
--- rows
price
1
3
9
