-- bad: a name to be filled in
CREATE TABLE {{ prefix }}_users (id uuid PRIMARY KEY); -- <-

-- bad: a shell's variable
GRANT SELECT ON users TO ${APP_ROLE}; -- <-

-- repaired: the name itself
CREATE TABLE app_users (id uuid PRIMARY KEY);

-- near miss: braces in JSON and in a cast
CREATE TABLE app_users (id uuid PRIMARY KEY, settings jsonb DEFAULT '{"a": {"b": "{{x}}"}}'::jsonb);
