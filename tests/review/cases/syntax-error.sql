-- bad: a word is misspelt
CREATE TABLE users (id uuid PRIMARY KEY);
CREATE TABEL accounts (id uuid PRIMARY KEY); -- <-

-- bad: MySQL, each idiom at its line
CREATE TABLE payments (
    id BIGINT AUTO_INCREMENT PRIMARY KEY, -- <-
    status ENUM('new', 'done') NOT NULL, -- <-
    updated_at timestamptz ON UPDATE CURRENT_TIMESTAMP, -- <-
    INDEX idx_status (status) -- <-
) ENGINE=InnoDB; -- <-

-- bad: an inline index that parses as a column
CREATE TABLE payments (
    id uuid PRIMARY KEY,
    status text NOT NULL,
    INDEX idx_status (status) -- <-
);

-- bad: T-SQL
CREATE TABLE events (
    id bigint IDENTITY(1,1) PRIMARY KEY, -- <-
    body NVARCHAR(MAX) -- <-
);

-- bad: MySQL's stored procedures
DELIMITER // -- <-
CREATE PROCEDURE credit(IN p_amount DECIMAL(20, 8)) -- <-
BEGIN
    SELECT 1;
END//
DELIMITER ;

-- bad: the other statements of a broken file are still read, with letters of other alphabets
CREATE TABLE größe (id uuid PRIMARY KEY, name text DEFAULT 'größer');
SELEKT 1; -- <-

-- repaired: identity, check and a separate index
CREATE TABLE payments (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    status text NOT NULL CONSTRAINT payments_status_known CHECK (status IN ('new', 'done'))
);

-- near miss: names that look like another dialect
CREATE TABLE engine (id uuid PRIMARY KEY, key text NOT NULL, index varchar(3), comment text DEFAULT 'AUTO_INCREMENT');
