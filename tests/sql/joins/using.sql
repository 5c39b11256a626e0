-- USING.
--- use shop
--- sql
SELECT customer, id, name FROM orders JOIN customers USING (customer);
--- rows
customer | id | name
10 | 1 | Ada
11 | 2 | Ben
10 | 3 | Ada
12 | 6 | Cy
12 | 6 | Cy
12 | 6 | Cyn
12 | 6 | Cyn
