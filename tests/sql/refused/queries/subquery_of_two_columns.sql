-- IN with a subquery of two columns.
--- use market
--- sql
SELECT * FROM bids WHERE price IN (SELECT id, name FROM users);
--- error
LV-1018
the subquery has several columns, users.id, users.name, and one is needed here
line 1, column 43
hint: select the one that is compared
