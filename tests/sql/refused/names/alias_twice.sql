-- Two tables of one name.
--- use market
--- sql
SELECT * FROM bids AS a JOIN users AS a ON a.item = a.item;
--- error
LV-1010
two tables are called a here
line 1, column 39
hint: give one of them another name: a AS other
