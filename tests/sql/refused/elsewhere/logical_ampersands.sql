-- && of MySQL.
--- use market
--- sql
SELECT price FROM bids WHERE price > 3 && item = 'x';
--- error
LV-1001
&& cannot stand here
line 1, column 40
hint: write AND
