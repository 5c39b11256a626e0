-- A mistyped word behind SHOW.
--- use market
--- sql
SHOW TABELS;
--- error
LV-1001
expected TABLES, VIEWS, COLUMNS FROM, CREATE, DATABASES, CATALOGS, CURRENT, FUNCTIONS or JOBS, found TABELS
line 1, column 6
hint: did you mean TABLES?
