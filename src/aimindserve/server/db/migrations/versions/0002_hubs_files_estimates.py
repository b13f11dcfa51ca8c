"""Hubs, model files and measured memory."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "secrets",
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("hint", sa.String(length=8), nullable=False),
        sa.Column("updated_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_secrets")),
    )
    op.create_table(
        "code_approvals",
        sa.Column("hub", sa.String(length=8), nullable=False),
        sa.Column("repository", sa.String(length=200), nullable=False),
        sa.Column("revision", sa.String(length=64), nullable=False),
        sa.Column("actor", sa.String(length=128), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("hub", "repository", "revision", name=op.f("pk_code_approvals")),
    )
    op.create_table(
        "model_orders",
        sa.Column("node_id", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=4096), nullable=False),
        sa.Column("facts", JSON, nullable=False),
        sa.Column("wanted", sa.String(length=16), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("updated_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["node_id"], ["nodes.id"], name=op.f("fk_model_orders_node_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("node_id", "key", name=op.f("pk_model_orders")),
    )
    op.create_table(
        "hub_facts",
        sa.Column("source", sa.String(length=700), nullable=False),
        sa.Column("revision", sa.String(length=64), nullable=False),
        sa.Column("facts", JSON, nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("source", "revision", name=op.f("pk_hub_facts")),
    )
    op.create_table(
        "estimates",
        sa.Column("replica_id", sa.String(length=32), nullable=False),
        sa.Column("attempt", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("device_id", sa.String(length=128), nullable=False),
        sa.Column("item", sa.String(length=32), nullable=False),
        sa.Column("deployment", sa.String(length=63), nullable=False),
        sa.Column("source", sa.String(length=4096), nullable=False),
        sa.Column("engine", sa.String(length=32), nullable=False),
        sa.Column("engine_version", sa.String(length=64), nullable=False),
        sa.Column("family", sa.String(length=128), nullable=False),
        sa.Column("device", sa.String(length=128), nullable=False),
        sa.Column("estimated", sa.BigInteger(), nullable=True),
        sa.Column("measured", sa.BigInteger(), nullable=True),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("replica_id", "attempt", "device_id", "item", name=op.f("pk_estimates")),
    )
    op.create_index("estimates_by_family", "estimates", ["engine", "engine_version", "family"])
    op.create_index("estimates_by_deployment", "estimates", ["deployment"])


def downgrade() -> None:
    for table in ("estimates", "hub_facts", "model_orders", "code_approvals", "secrets"):
        op.drop_table(table)
