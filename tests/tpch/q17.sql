-- Small-quantity orders: what a year would lack if small orders of some parts were no longer taken. With brand and
-- container of validation there is nothing at scale factor 0.01.
SELECT SUM(l_extendedprice) / 7.0 AS avg_yearly
FROM lineitem, part
WHERE p_partkey = l_partkey
  AND p_brand = 'Brand#44'
  AND p_container = 'MED DRUM'
  AND l_quantity < (
    SELECT 0.2 * AVG(l_quantity) FROM lineitem WHERE l_partkey = p_partkey
  )
