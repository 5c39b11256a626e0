-- The table DUAL of Oracle.
--- use market
--- sql
SELECT 1 FROM dual;
--- error
LV-1002
table or view dual does not exist
line 1, column 15
hint: SHOW TABLES lists the tables and views
