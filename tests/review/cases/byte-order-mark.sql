-- bad: the mark before the first word
@BOM@CREATE TABLE a (id uuid PRIMARY KEY);

-- repaired: saved without it
CREATE TABLE a (id uuid PRIMARY KEY);

-- near miss: the mark's letter inside the file
CREATE TABLE a (id uuid PRIMARY KEY, note text DEFAULT '﻿');
