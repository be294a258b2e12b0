-- bad: now in quotes
CREATE TABLE events (
    id uuid PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT 'now', -- <-
    on_day date DEFAULT 'today'::date -- <-
);

-- repaired: functions
CREATE TABLE events (id uuid PRIMARY KEY, at timestamptz NOT NULL DEFAULT now(), on_day date DEFAULT current_date);

-- near miss: a word of text
CREATE TABLE events (id uuid PRIMARY KEY, urgency text NOT NULL DEFAULT 'now');
