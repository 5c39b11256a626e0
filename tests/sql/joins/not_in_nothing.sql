-- NOT IN over no values: everything, NULL too.
--- use shop
--- sql
SELECT id FROM orders WHERE customer NOT IN (SELECT customer FROM customers WHERE region = 'east');
--- rows
id
1
2
3
4
5
6
6
