-- bad: a table, and a column
CREATE TABLE "Users" (id uuid PRIMARY KEY); -- <-
CREATE TABLE orders (id uuid PRIMARY KEY, "createdAt" timestamptz); -- <-

-- repaired: small letters
CREATE TABLE users (id uuid PRIMARY KEY, created_at timestamptz);

-- near miss: capitals without quotes
CREATE TABLE Users (ID uuid PRIMARY KEY);
