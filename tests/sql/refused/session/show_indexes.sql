-- There are no indexes.
--- use market
--- sql
SHOW INDEXES;
--- error
LV-1001
expected TABLES, VIEWS, COLUMNS FROM, CREATE, DATABASES, CATALOGS, CURRENT, FUNCTIONS or JOBS, found INDEXES
line 1, column 6
hint: there are no indexes; SHOW CREATE TABLE and DESCRIBE show the primary key
