-- bad: a risk score
CREATE TABLE risk_profiles (
    id uuid PRIMARY KEY,
    risk_score DECIMAL(5, 2), -- <-
    win_ratio real -- <-
);

-- bad: a percentage with three digits before its point
CREATE TABLE profiles (id uuid PRIMARY KEY, match_percent numeric(5, 2) NOT NULL); -- <-

-- bad: a domain that bounds nothing, and one over it
CREATE DOMAIN score AS numeric(5, 2);
CREATE DOMAIN fine_score AS score;
CREATE TABLE risk_profiles (
    id uuid PRIMARY KEY,
    risk_score score, -- <-
    trust_score fine_score -- <-
);

-- near miss: a domain with the range, one over it, and one that is given to a column later
CREATE DOMAIN score AS numeric(5, 2) CHECK (VALUE BETWEEN 0 AND 100);
CREATE DOMAIN fine_score AS score;
CREATE TABLE risk_profiles (id uuid PRIMARY KEY, risk_score score);
ALTER TABLE risk_profiles ADD COLUMN trust_score fine_score;

-- repaired: a range
CREATE TABLE risk_profiles (id uuid PRIMARY KEY, risk_score numeric(5, 2) CHECK (risk_score BETWEEN 0 AND 100));

-- near miss: a check added later, and a label
CREATE TABLE risk_profiles (id uuid PRIMARY KEY, risk_score integer, score_label text);
ALTER TABLE risk_profiles ADD CONSTRAINT score_range CHECK (risk_score >= 0 AND risk_score <= 10);
