-- bad: another return type, and another argument name
-- file: 001_init.sql
CREATE FUNCTION total(a integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 1';
-- file: 002_change.sql
CREATE OR REPLACE FUNCTION total(a integer) RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT 1'; -- <-

-- bad: another argument name
CREATE FUNCTION total(a integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 1';
CREATE OR REPLACE FUNCTION total(b integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 1'; -- <-

-- repaired: dropped before
CREATE FUNCTION total(a integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 1';
DROP FUNCTION total(integer);
CREATE OR REPLACE FUNCTION total(a integer) RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT 1';

-- near miss: the same signature, and an overload
CREATE FUNCTION total(a integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 1';
CREATE OR REPLACE FUNCTION total(a integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 2';
CREATE OR REPLACE FUNCTION total(a text) RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT 1';
