-- bad: a name to be filled in
CREATE TABLE {{ prefix }}_users (id uuid PRIMARY KEY); -- <-

-- bad: a shell's variable
GRANT SELECT ON users TO ${APP_ROLE}; -- <-

-- repaired: the name itself
CREATE TABLE app_users (id uuid PRIMARY KEY);

-- near miss: braces in JSON and in a cast
CREATE TABLE app_users (id uuid PRIMARY KEY, settings jsonb DEFAULT '{"a": {"b": "{{x}}"}}'::jsonb);

-- bad: a name of psql, told once, and the rest of the files read
-- file: 001_a.sql
CREATE TABLE :HOUSE.jobs (id uuid PRIMARY KEY); -- <-
CREATE FUNCTION :HOUSE.jobs_left() RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    RETURN (SELECT count(*) FROM :HOUSE.jobs);
END
$$;
-- file: 002_b.sql
ALTER TABLE :HOUSE.jobs ADD COLUMN note text DEFAULT :'first_note'; -- <-

-- near miss: Flyway fills in its own
-- file: V1__a.sql
CREATE TABLE ${house}.jobs (id uuid PRIMARY KEY);

-- near miss: slices, casts, assignments and named arguments
CREATE TABLE jobs (id uuid PRIMARY KEY, steps integer[] DEFAULT (ARRAY[1, 2, 3])[1:2]);
CREATE FUNCTION take(p_count integer) RETURNS integer LANGUAGE sql RETURN p_count::integer;
SELECT take(p_count := 1), 'at :noon';
