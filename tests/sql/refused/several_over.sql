-- Two ranking functions in one SELECT are not supported yet on streams; batch does them.
--- use bids
--- sql
SELECT price FROM (
  SELECT price, ROW_NUMBER() OVER (ORDER BY price) AS a,
    RANK() OVER (ORDER BY price DESC) AS b FROM bids WHERE price IS NOT NULL
) WHERE a <= 2 OR b <= 1;
--- error streaming
LV-1011
several functions with OVER
line
--- rows
price
1
3
9
