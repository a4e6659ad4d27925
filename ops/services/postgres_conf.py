"""PostgreSQL's settings as we ship them. Pure."""

MEGABYTE = 1_000_000


def render_settings(*, port: int, memory_bytes: int, cores: int, overrides: str) -> str:
    """``postgresql.conf`` for a machine that also runs our processes: loopback only, durable, a quarter of the memory.

    Args:
        port: on 127.0.0.1; there is no Unix socket, whose path may be no longer than 107 bytes.
        memory_bytes: of the whole machine.
        cores: of the whole machine.
        overrides: a file whose lines win over these; it need not exist.
    """
    shared = min(memory_bytes // 4, 512 * MEGABYTE) // MEGABYTE
    settings = {
        "listen_addresses": "'127.0.0.1'",
        "port": port,
        "unix_socket_directories": "''",
        "max_connections": 100,
        "password_encryption": "'scram-sha-256'",
        "shared_preload_libraries": "'timescaledb'",
        "timescaledb.telemetry_level": "'off'",
        # no schedulers: the Apache edition has no jobs for them, and ours run in the worker
        "timescaledb.max_background_workers": 0,
        "max_worker_processes": 4 + cores,
        "max_parallel_workers": cores,
        "max_parallel_workers_per_gather": max(1, cores // 2),
        "shared_buffers": f"'{shared}MB'",
        "effective_cache_size": f"'{memory_bytes // 2 // MEGABYTE}MB'",
        "work_mem": "'16MB'",
        "maintenance_work_mem": "'128MB'",
        "random_page_cost": 1.1,
        "jit": "off",
        # a commit is on the disk when it returns: the broker's acknowledgement relies on it
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "wal_compression": "on",
        "min_wal_size": "'128MB'",
        "max_wal_size": "'1GB'",
        "checkpoint_timeout": "'5min'",
        "idle_in_transaction_session_timeout": "'5min'",
        "timezone": "'UTC'",
        "log_timezone": "'UTC'",
        "lc_messages": "'C'",
        "log_line_prefix": "'%m [%p] %q%u@%d %a '",
        "log_min_duration_statement": "'1s'",
        "log_checkpoints": "off",
        "cluster_name": "'parking'",
    }
    lines = [f"{name} = {value}" for name, value in settings.items()]
    note = "# Written anew at each start. Settings of your own belong in the file named at the end."
    return "\n".join([note, *lines, f"include_if_exists = '{_quoted(overrides)}'"]) + "\n"


ACCESS = """\
# Written anew at each start: passwords, from this machine only.
host all all 127.0.0.1/32 scram-sha-256
"""
"""``pg_hba.conf``."""


def render_bootstrap(*, role: str, password: str, database: str) -> str:
    """Statements for ``psql`` that bring role, extensions and database about; safe to repeat.

    The role owns its database and may create others (tests copy theirs), but is no superuser. The extensions are in
    the template too, because only a superuser may create them in a database.
    """
    return _BOOTSTRAP.format(role=role, password=_quoted(password), database=database)


_BOOTSTRAP = """\
\\set ON_ERROR_STOP on
SET log_min_error_statement = panic;
\\c template1
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS timescaledb;
CREATE EXTENSION IF NOT EXISTS btree_gist;
SELECT 'CREATE ROLE {role} LOGIN CREATEDB'
    WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') \\gexec
ALTER ROLE {role} PASSWORD '{password}';
\\c postgres
SELECT 'CREATE DATABASE {database} OWNER {role}'
    WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{database}') \\gexec
\\c {database}
ALTER SCHEMA public OWNER TO {role};
"""


def _quoted(text: str) -> str:
    return text.replace("'", "''")
