-- Functions are in databases; a temporary one lies over a permanent one, a system one over what is built in.
--- use keyed
--- sql
CREATE DATABASE d;
CREATE FUNCTION d.f() RETURNS STRING RETURN 'd';
CREATE FUNCTION f() RETURNS STRING RETURN 'permanent';
CREATE TEMPORARY FUNCTION f() RETURNS STRING RETURN 'temporary';
CREATE FUNCTION IF NOT EXISTS f() RETURNS STRING RETURN 'another';
CREATE TEMPORARY SYSTEM FUNCTION upper(s STRING) RETURNS STRING RETURN s || '?';
CREATE TEMPORARY FUNCTION g() RETURNS STRING RETURN 'gone';
DROP TEMPORARY FUNCTION g;
DROP FUNCTION IF EXISTS g;
ALTER FUNCTION d.f() RETURNS STRING RETURN 'altered';
SELECT id, f() AS f, d.f() AS df, default_catalog.d.f() AS c, UPPER('u') AS u FROM keyed WHERE id = 1;
--- rows
id | f | df | c | u
1 | temporary | altered | altered | u?
