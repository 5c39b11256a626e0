-- Double quotes around a text.
--- use market
--- sql
SELECT price FROM bids WHERE item = "pen";
--- error
LV-1003
column pen does not exist
line 1, column 37
hint: double quotes are for names; texts stand in single quotes: 'pen'
