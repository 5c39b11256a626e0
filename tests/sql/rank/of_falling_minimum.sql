-- The greatest of values that fall.
--- use sales
--- sql
SELECT shop, least FROM (
  SELECT shop, least, ROW_NUMBER() OVER (ORDER BY least DESC, shop) AS rn
  FROM (SELECT shop, MIN(amount) AS least FROM sales GROUP BY shop)
) WHERE rn <= 2;
--- rows
shop | least
a | 5
c | 4
