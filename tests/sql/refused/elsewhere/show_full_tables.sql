-- SHOW FULL TABLES of MySQL.
--- use market
--- sql
SHOW FULL TABLES;
--- error
LV-1001
expected TABLES, VIEWS, COLUMNS FROM, CREATE, DATABASES, CATALOGS, CURRENT, FUNCTIONS or JOBS, found FULL
line 1, column 6
hint: SHOW TABLES lists tables and views, SHOW VIEWS the views alone
