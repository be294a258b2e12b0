-- bad: a risk score
CREATE TABLE risk_profiles (
    id uuid PRIMARY KEY,
    risk_score DECIMAL(5, 2), -- <-
    win_ratio real -- <-
);

-- bad: a percentage with three digits before its point
CREATE TABLE profiles (id uuid PRIMARY KEY, match_percent numeric(5, 2) NOT NULL); -- <-

-- repaired: a range
CREATE TABLE risk_profiles (id uuid PRIMARY KEY, risk_score numeric(5, 2) CHECK (risk_score BETWEEN 0 AND 100));

-- near miss: a check added later, and a label
CREATE TABLE risk_profiles (id uuid PRIMARY KEY, risk_score integer, score_label text);
ALTER TABLE risk_profiles ADD CONSTRAINT score_range CHECK (risk_score >= 0 AND risk_score <= 10);
