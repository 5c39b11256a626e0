-- BOOL_AND, BOOL_OR and EVERY pass NULLs over.
--- use sales
--- sql
SELECT shop, BOOL_AND(`open`) AS a, BOOL_OR(`open`) AS o, EVERY(amount > 2) AS e FROM sales GROUP BY shop;
--- rows
shop | a | o | e
a | false | true | true
b | false | true | false
c | true | true | true
NULL | false | true | true
