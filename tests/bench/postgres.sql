-- The ledger's benchmark in PostgreSQL: the same facts are kept as in farebox's books, in the way that costs least here.
-- Variables: accounts (how many), fee_accounts (among how many the platform's fees are spread), funds (of an account).

CREATE TABLE accounts (
	id              bigint PRIMARY KEY,
	debits_pending  bigint NOT NULL DEFAULT 0,
	debits_posted   bigint NOT NULL DEFAULT 0,
	credits_posted  bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50); -- room for new versions of a row on its page: no index changes

-- An id at most once, ever. A capture has a leg for each credit.
CREATE TABLE transfers (
	id      uuid     NOT NULL,
	leg     smallint NOT NULL,
	debit   bigint   NOT NULL,
	credit  bigint, -- a hold has none
	amount  bigint   NOT NULL CHECK (amount > 0),
	created timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (id, leg)
);

CREATE TABLE holds (
	id       uuid PRIMARY KEY,
	account  bigint NOT NULL,
	amount   bigint NOT NULL CHECK (amount > 0),
	expires  timestamptz NOT NULL DEFAULT now() + interval '1 hour',
	captured uuid -- by which transfer; NULL while open
) WITH (fillfactor = 70);

-- A hold and its capture in one transaction. As nobody sees what is in between, the pending debit, which would be added
-- and taken away again, is left out: the state afterwards is the same and the buyer's row is written once.
-- Locks: buyer and provider in the order of their ids, the fees, whose row everybody wants, last and shortest.
CREATE FUNCTION pair(hold_id uuid, capture_id uuid, buyer bigint, provider bigint, fees bigint, price bigint, fee bigint)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO transfers (id, leg, debit, credit, amount) VALUES
		(hold_id, 0, buyer, NULL, price), (capture_id, 0, buyer, provider, price - fee), (capture_id, 1, buyer, fees, fee);
	INSERT INTO holds (id, account, amount, captured) VALUES (hold_id, buyer, price, capture_id);
	IF provider < buyer THEN
		UPDATE accounts SET credits_posted = credits_posted + price - fee WHERE id = provider;
	END IF;
	UPDATE accounts SET debits_posted = debits_posted + price
		WHERE id = buyer AND credits_posted - debits_posted - debits_pending >= price;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'account % lacks funds', buyer;
	END IF;
	IF provider > buyer THEN
		UPDATE accounts SET credits_posted = credits_posted + price - fee WHERE id = provider;
	END IF;
	UPDATE accounts SET credits_posted = credits_posted + fee WHERE id = fees;
END $$;

-- The same as two transactions.
CREATE FUNCTION hold(hold_id uuid, buyer bigint, price bigint) RETURNS uuid LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO transfers (id, leg, debit, credit, amount) VALUES (hold_id, 0, buyer, NULL, price);
	INSERT INTO holds (id, account, amount) VALUES (hold_id, buyer, price);
	UPDATE accounts SET debits_pending = debits_pending + price
		WHERE id = buyer AND credits_posted - debits_posted - debits_pending >= price;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'account % lacks funds', buyer;
	END IF;
	RETURN hold_id;
END $$;

CREATE FUNCTION capture(capture_id uuid, hold_id uuid, provider bigint, fees bigint, price bigint, fee bigint)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	buyer bigint;
	held bigint;
BEGIN
	UPDATE holds SET captured = capture_id WHERE id = hold_id AND captured IS NULL AND amount >= price
		RETURNING account, amount INTO buyer, held;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'hold % cannot be captured', hold_id;
	END IF;
	INSERT INTO transfers (id, leg, debit, credit, amount) VALUES
		(capture_id, 0, buyer, provider, price - fee), (capture_id, 1, buyer, fees, fee);
	IF provider < buyer THEN
		UPDATE accounts SET credits_posted = credits_posted + price - fee WHERE id = provider;
	END IF;
	UPDATE accounts SET debits_posted = debits_posted + price, debits_pending = debits_pending - held WHERE id = buyer;
	IF provider > buyer THEN
		UPDATE accounts SET credits_posted = credits_posted + price - fee WHERE id = provider;
	END IF;
	UPDATE accounts SET credits_posted = credits_posted + fee WHERE id = fees;
END $$;

-- In random order, so that the rows of the fees, which are written all the time, are on pages of their own.
INSERT INTO accounts (id, credits_posted)
	SELECT id, CASE WHEN id <= :accounts THEN :funds ELSE 0 END
	FROM generate_series(1, :accounts + :fee_accounts) AS id ORDER BY random();
VACUUM ANALYZE;
CHECKPOINT;
