CREATE TABLE IF NOT EXISTS trade (
    provider TEXT NOT NULL,
    order_no TEXT NOT NULL,
    product TEXT NOT NULL,
    amount_fen INTEGER NOT NULL CHECK (amount_fen > 0),
    description TEXT NOT NULL,
    notify_url TEXT NOT NULL,
    return_url TEXT,
    expires_at INTEGER NOT NULL,
    fingerprint TEXT NOT NULL,
    sealed_by TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('prepared', 'open', 'paid', 'closed')),
    created_at INTEGER NOT NULL,
    token TEXT NOT NULL UNIQUE,
    transaction_id TEXT UNIQUE,
    received_fen INTEGER,
    coupon_fen INTEGER NOT NULL DEFAULT 0,
    paid_at INTEGER,
    finished INTEGER NOT NULL DEFAULT 0,
    refunded_fen INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (provider, order_no),
    CHECK ((status = 'paid') = (transaction_id IS NOT NULL AND received_fen IS NOT NULL AND paid_at IS NOT NULL)),
    CHECK (refunded_fen <= coalesce(received_fen, 0))
);
CREATE INDEX IF NOT EXISTS trade_paid_at ON trade (provider, paid_at);
CREATE TABLE IF NOT EXISTS refund (
    provider TEXT NOT NULL,
    order_no TEXT NOT NULL,
    refund_no TEXT NOT NULL,
    refund_id TEXT NOT NULL UNIQUE,
    amount_fen INTEGER NOT NULL CHECK (amount_fen > 0),
    reason TEXT NOT NULL,
    notify_url TEXT,
    status TEXT NOT NULL CHECK (status IN ('processing', 'done', 'failed', 'abnormal')),
    created_at INTEGER NOT NULL,
    due_at INTEGER,
    done_at INTEGER,
    PRIMARY KEY (provider, order_no, refund_no),
    FOREIGN KEY (provider, order_no) REFERENCES trade (provider, order_no)
);
CREATE INDEX IF NOT EXISTS refund_due_at ON refund (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS refund_done_at ON refund (provider, done_at);
CREATE TABLE IF NOT EXISTS notice (
    id TEXT PRIMARY KEY,
    provider TEXT NOT NULL,
    order_no TEXT NOT NULL,
    refund_no TEXT,
    refunded_fen INTEGER NOT NULL,
    url TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    next_at INTEGER,
    acknowledged_at INTEGER,
    answer TEXT
);
CREATE INDEX IF NOT EXISTS notice_next_at ON notice (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS notice_order_no ON notice (provider, order_no);
