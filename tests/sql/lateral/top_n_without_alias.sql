-- The subquery has no alias, and is about the table that stands left of it.
--- use shop
--- sql
SELECT region, least FROM (SELECT DISTINCT region FROM customers) AS regions,
LATERAL (SELECT least FROM customers WHERE region = regions.region ORDER BY least DESC LIMIT 1);
--- rows
region | least
north | 4
south | NULL
west | 2
